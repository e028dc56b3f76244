//! Queries and pages: `?limit=&cursor=` and filters, every parameter known.

use std::collections::BTreeMap;

use actix_web::web;
use serde_json::{Value, json};

use super::call::Call;
use super::problem::{Code, Problem};

/// Items of a page when nothing is said.
pub const LIMIT: usize = 100;
/// Most items of a page.
pub const LIMIT_MAX: usize = 500;

/// A query, read.
#[derive(Debug)]
pub struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads the call's query; every parameter must be `known`, or `limit` or `cursor`.
    pub fn of(call: &Call, known: &[&str]) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(&call.query)
            .map_err(|_| Problem::new(Code::BadQuery, "cannot read the query"))?;
        let mut query = BTreeMap::new();
        for (name, value) in pairs.into_inner() {
            if !known.contains(&name.as_str()) && !["limit", "cursor"].contains(&name.as_str()) {
                let name: String = name.chars().take(80).collect();
                let detail = format!("cannot take the parameter `{name}`: it is not known here");
                return Err(Problem::new(Code::BadQuery, detail).with("field", name));
            }
            query.insert(name, value);
        }
        Ok(Self(query))
    }

    /// A parameter that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A parameter read by `read`; what it refuses is 400.
    pub fn parsed<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| {
            let detail = format!("cannot read the parameter `{name}`: {}", wanted(name));
            Problem::new(Code::BadQuery, detail).with("field", name)
        })
    }

    /// How many items are wanted.
    pub fn limit(&self) -> Result<usize, Problem> {
        let within = |limit: &usize| (1..=LIMIT_MAX).contains(limit);
        let limit = self.parsed("limit", |value| value.parse().ok().filter(within))?;
        Ok(limit.unwrap_or(LIMIT))
    }

    /// A page of `ids`, which are in order, as `show` shows them; what it does not show is not
    /// counted. The cursor is the last id shown.
    pub fn page<T: ToString + Ord + Clone>(
        &self,
        ids: Vec<T>,
        cursor: impl Fn(&str) -> Option<T>,
        show: impl Fn(&T) -> Option<Value>,
    ) -> Result<Value, Problem> {
        let limit = self.limit()?;
        let after = self.parsed("cursor", cursor)?;
        let mut items = Vec::new();
        let mut last: Option<T> = None;
        let mut next_cursor = Value::Null;
        for id in ids.into_iter().filter(|id| after.as_ref().is_none_or(|after| id > after)) {
            let Some(item) = show(&id) else { continue };
            if items.len() == limit {
                next_cursor = last.map_or(Value::Null, |last| last.to_string().into());
                break;
            }
            items.push(item);
            last = Some(id);
        }
        Ok(json!({ "items": items, "next_cursor": next_cursor }))
    }
}

/// What to write into a parameter: said to whom it could not be read.
fn wanted(name: &str) -> String {
    let fixed = match name {
        "limit" => return format!("write a number from 1 to {LIMIT_MAX}"),
        "cursor" => "take it from `next_cursor` of the page before",
        "after" => "write the number of an event",
        "entity" => "write contact:ID, the id a UUID",
        "by" => "write 15m, 30m, 1h or 1d",
        "from" | "to" => "write an RFC 3339 instant, or a date as 2026-03-02",
        "state" => "write one of the states that the API's description names",
        "queue" | "agent" | "team" | "skill" => {
            "write an id: letters, digits, `.`, `_` and `-`, at most 64"
        }
        _ => "the API's description says what it takes",
    };
    fixed.to_owned()
}
