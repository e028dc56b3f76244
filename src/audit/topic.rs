//! A client's copy of one topic: a snapshot, then deltas by JSON Pointer, and how they chain.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::picture::instant;

/// No frame for so long, and a screen must say that its data are old.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(5);

/// The copy.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: &'static str,
    /// What it shows, as of the last frame that was taken; null before the first.
    pub(super) data: Value,
    /// Number of the last frame received; none: a snapshot is awaited.
    pub(super) had: Option<u64>,
    /// Instant of it.
    at: i64,
    /// When it came, and how far the auditor itself had been late by then.
    last: Option<(Instant, Duration)>,
    /// Whether the frames that come now are of a chain that is broken, until a snapshot.
    pub(super) broken: bool,
    /// Whether the copy is known to be wrong, until a snapshot is taken.
    pub(super) mistrusted: bool,
    /// Whether the silence that lasts has been told.
    told_silence: bool,
    pub(super) longest_silence: Duration,
    pub(super) frames: u64,
    pub(super) snapshots: u64,
    pub(super) empty: u64,
}

impl Topic {
    pub(super) const fn new(name: &'static str) -> Self {
        Self {
            name,
            data: Value::Null,
            had: None,
            at: i64::MIN,
            last: None,
            broken: false,
            mistrusted: false,
            told_silence: false,
            longest_silence: Duration::ZERO,
            frames: 0,
            snapshots: 0,
            empty: 0,
        }
    }

    /// The socket is open and watches: from now on silence counts.
    pub(super) const fn begin(&mut self, now: Instant, late: Duration) {
        self.last = Some((now, late));
    }

    /// The socket is gone: silence is an outage now, not a fault.
    pub(super) const fn pause(&mut self) {
        self.last = None;
    }

    /// A new epoch: nothing of the old one stands.
    pub(super) fn forget(&mut self) {
        (self.data, self.had, self.at) = (Value::Null, None, i64::MIN);
        (self.broken, self.mistrusted) = (false, false);
    }

    /// A frame came; what of the rules it breaks: what was expected, and what was found.
    pub(super) fn came(
        &mut self,
        frame: &Value,
        now: Instant,
        late: Duration,
    ) -> Vec<(&'static str, String, String)> {
        let mut wrong = Vec::new();
        self.frames += 1;
        if let Some(silence) = self.silence(now, late) {
            self.longest_silence = self.longest_silence.max(silence);
            if silence > SILENCE_MAX && !self.told_silence {
                wrong.push(self.silent(silence));
            }
        }
        (self.last, self.told_silence) = (Some((now, late)), false);
        let seq = frame["seq"].as_u64();
        let at = frame["at"].as_str().and_then(instant);
        let is_snapshot = frame["type"] == "snapshot";
        if let (Some(had), Some(seq)) = (self.had, seq)
            && seq < had
        {
            wrong.push(("chain", format!("seq {had} or more"), format!("seq {seq}")));
        }
        if let Some(at) = at
            && at < self.at
        {
            wrong.push((
                "chain",
                "an instant that does not go back".into(),
                frame["at"].to_string(),
            ));
        }
        if !is_snapshot && !self.broken && frame["from"].as_u64() != self.had {
            let expected =
                format!("from {}", self.had.map_or("a snapshot".into(), |h| h.to_string()));
            wrong.push(("chain", expected, format!("from {}", frame["from"])));
            self.broken = true;
        }
        if seq.is_none() || at.is_none() {
            wrong.push(("chain", "`seq` and `at`".into(), "a frame without".into()));
        }
        if is_snapshot {
            self.snapshots += 1;
            self.broken = false;
        } else if is_empty(frame) {
            self.empty += 1;
        }
        self.had = seq.or(self.had);
        self.at = at.unwrap_or(self.at);
        wrong
    }

    /// How long nothing has come, without what the auditor itself was late.
    fn silence(&self, now: Instant, late: Duration) -> Option<Duration> {
        let (last, late_then) = self.last?;
        Some(now.saturating_duration_since(last).saturating_sub(late.saturating_sub(late_then)))
    }

    /// Looked at while nothing comes: a silence that is too long is told once.
    pub(super) fn look(
        &mut self,
        now: Instant,
        late: Duration,
    ) -> Option<(&'static str, String, String)> {
        let silence = self.silence(now, late).filter(|silence| *silence > SILENCE_MAX)?;
        self.longest_silence = self.longest_silence.max(silence);
        if self.told_silence {
            return None;
        }
        self.told_silence = true;
        Some(self.silent(silence))
    }

    fn silent(&self, silence: Duration) -> (&'static str, String, String) {
        let expected = format!("a frame of {} within {SILENCE_MAX:?}", self.name);
        ("silence", expected, format!("none for {:.1} s", silence.as_secs_f64()))
    }

    /// Takes a frame into the copy; a pointer that leads nowhere is told.
    pub(super) fn take(&mut self, frame: &mut Value) -> Result<(), String> {
        if frame["type"] == "snapshot" {
            self.data = frame["data"].take();
            self.mistrusted = false;
            return Ok(());
        }
        let mut lost = None;
        for pointer in frame["remove"].as_array().into_iter().flatten() {
            let pointer = pointer.as_str().unwrap_or_default();
            if remove(&mut self.data, pointer).is_none() {
                lost = Some(pointer.to_owned());
            }
        }
        if let Value::Object(set) = frame["set"].take() {
            for (pointer, value) in set {
                if put(&mut self.data, &pointer, value).is_none() {
                    lost = Some(pointer);
                }
            }
        }
        lost.map_or(Ok(()), Err)
    }
}

/// Whether a delta changes nothing.
pub(super) fn is_empty(frame: &Value) -> bool {
    frame["set"].as_object().is_none_or(serde_json::Map::is_empty)
        && frame["remove"].as_array().is_none_or(Vec::is_empty)
}

/// RFC 6901: the value above the last part, and the part.
fn above<'v>(data: &'v mut Value, pointer: &str) -> Option<(&'v mut Value, String)> {
    let (above, last) = pointer.rsplit_once('/')?;
    Some((data.pointer_mut(above)?, last.replace("~1", "/").replace("~0", "~")))
}

fn remove(data: &mut Value, pointer: &str) -> Option<Value> {
    let (above, last) = above(data, pointer)?;
    above.as_object_mut()?.shift_remove(&last)
}

fn put(data: &mut Value, pointer: &str, value: Value) -> Option<()> {
    if pointer.is_empty() {
        *data = value;
        return Some(());
    }
    let (above, last) = above(data, pointer)?;
    above.as_object_mut()?.insert(last, value);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_chain_that_breaks_is_told_once_and_a_snapshot_mends_it() {
        let (mut topic, now, none) = (Topic::new("wallboard"), Instant::now(), Duration::ZERO);
        let at = "2026-03-02T08:00:00Z";
        let mut came = |mut frame: Value| {
            frame["at"] = json!(at);
            let wrong = topic.came(&frame, now, none);
            topic.take(&mut frame).unwrap();
            wrong.len()
        };
        let data = json!({"a": {"b/c": 1, "d": 2}});
        assert_eq!(came(json!({"type": "snapshot", "seq": 5, "data": data})), 0);
        let set = json!({"/a/b~1c": 7});
        assert_eq!(came(json!({"type": "delta", "from": 5, "seq": 6, "set": set})), 0);
        assert_eq!(came(json!({"type": "delta", "from": 7, "seq": 8, "remove": ["/a/d"]})), 1);
        assert_eq!(came(json!({"type": "delta", "from": 9, "seq": 10})), 0, "told already");
        assert_eq!(came(json!({"type": "delta", "from": 10, "seq": 9})), 1, "it went back");
        let data = json!({"x": 1});
        assert_eq!(came(json!({"type": "snapshot", "seq": 11, "data": data})), 0);
        assert_eq!(came(json!({"type": "delta", "from": 11, "seq": 12})), 0);
        assert_eq!(topic.data, json!({"x": 1}));
    }

    #[test]
    fn silence_is_told_once_and_the_auditors_own_lateness_is_no_silence() {
        let mut topic = Topic::new("roster");
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(topic.look(after(100), Duration::ZERO), None, "not open yet");
        topic.begin(start, Duration::ZERO);
        assert_eq!(topic.look(after(5), Duration::ZERO), None);
        assert_eq!(topic.look(after(8), Duration::from_secs(4)), None);
        assert!(topic.look(after(8), Duration::ZERO).is_some());
        assert_eq!(topic.look(after(9), Duration::ZERO), None);
        topic.pause();
        assert_eq!(topic.look(after(30), Duration::ZERO), None);
    }
}
