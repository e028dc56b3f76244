//! The difference of two values as JSON Pointers: what a delta frame carries.
//!
//! Objects are compared member by member, everything else whole: an array that changed is sent
//! whole. No pointer of a delta lies within another, so their order means nothing.

use serde::Serialize;
use serde_json::{Map, Value};

/// Objects nested deeper than this are compared and sent whole.
const DEPTH_MAX: usize = 16;

/// What turns one value into another.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Delta {
    /// Values by pointer: added or replaced.
    pub set: Map<String, Value>,
    /// Pointers of members that are gone.
    pub remove: Vec<String>,
}

impl Delta {
    /// Whether the two values were equal.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }
}

/// The delta from `old` to `new`.
pub fn delta(old: &Value, new: &Value) -> Delta {
    let mut delta = Delta::default();
    compare(&mut delta, &mut String::new(), 0, old, new);
    delta
}

fn compare(delta: &mut Delta, path: &mut String, depth: usize, old: &Value, new: &Value) {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        if old != new {
            delta.set.insert(path.clone(), new.clone());
        }
        return;
    };
    if depth >= DEPTH_MAX {
        if old != new {
            delta.set.insert(path.clone(), new.clone());
        }
        return;
    }
    let length = path.len();
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        step(path, key);
        delta.remove.push(path.clone());
        path.truncate(length);
    }
    for (key, value) in after {
        step(path, key);
        match before.get(key) {
            Some(old) => compare(delta, path, depth + 1, old, value),
            None => {
                delta.set.insert(path.clone(), value.clone());
            }
        }
        path.truncate(length);
    }
}

/// Goes one member down, escaped as RFC 6901 says.
fn step(path: &mut String, key: &str) {
    path.push('/');
    for char in key.chars() {
        match char {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            char => path.push(char),
        }
    }
}

/// `old` with `delta` applied; a pointer that leads nowhere changes nothing.
pub fn apply_delta(mut old: Value, delta: &Delta) -> Value {
    for pointer in &delta.remove {
        if let Some((parent, key)) = parent(&mut old, pointer) {
            parent.shift_remove(&key);
        }
    }
    for (pointer, value) in &delta.set {
        if pointer.is_empty() {
            old = value.clone();
        } else if let Some((parent, key)) = parent(&mut old, pointer) {
            parent.insert(key, value.clone());
        }
    }
    old
}

fn parent<'v>(value: &'v mut Value, pointer: &str) -> Option<(&'v mut Map<String, Value>, String)> {
    let (above, key) = pointer.rsplit_once('/')?;
    let parent = value.pointer_mut(above)?.as_object_mut()?;
    Some((parent, key.replace("~1", "/").replace("~0", "~")))
}
