//! Strict JSON bodies: read whole within a limit, every field known, errors in our own words.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use atalaya_domain::ids::Slug;
use atalaya_domain::skills::AGENT_LEVELS;
use atalaya_domain::time::Written;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};

use super::Api;
use super::problem::{Code, Problem};
use super::strict;
use crate::journal::{PAYLOAD_BYTES_MAX, SECTION_BYTES_MAX};

/// Most bytes of a request's body unless configured; past it 413.
pub const BODY_BYTES_MAX: usize = 64 * 1_024;
/// How long the whole of a body may take to come, in wall time; past it the request is refused.
pub const BODY_WAIT_MAX: Duration = Duration::from_secs(10);
/// Most members of an object or list in a body.
pub const MEMBERS_MAX: usize = 200;
// What fits into a body fits into the log: an entry is never refused there for what a caller said.
const _: () = assert!(BODY_BYTES_MAX < SECTION_BYTES_MAX && BODY_BYTES_MAX < PAYLOAD_BYTES_MAX);
/// Characters of a caller's word that an error repeats.
const ECHO_CHARS_MAX: usize = 80;

/// The fields that a route takes: what its handler reads by, and what the description lists.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    /// Carried out.
    pub known: &'static [&'static str],
    /// Part of the contract, and refused by name unless null.
    pub later: &'static [&'static str],
}

impl Keys {
    /// Of a body that may be empty only.
    pub const NONE: Self = Self::of(&[]);

    /// These, and none later.
    pub const fn of(known: &'static [&'static str]) -> Self {
        Self { known, later: &[] }
    }
}

/// A request's body, whole.
#[derive(Debug, Clone)]
pub struct Body {
    /// As it came.
    pub bytes: Vec<u8>,
    map: Map<String, Value>,
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let api = req.app_data::<Data<Api>>();
        let most = api.map_or(BODY_BYTES_MAX, |api| api.limits.body_bytes);
        let header = |name| req.headers().get(name).and_then(|value| value.to_str().ok());
        let declared = header(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        let is_json = header(CONTENT_TYPE).is_some_and(|media| {
            let media = media.split(';').next().unwrap_or_default().trim();
            media.eq_ignore_ascii_case("application/json")
        });
        let mut payload = payload.take();
        Box::pin(async move {
            if declared.is_some_and(|length| length > most) {
                return Err(too_large(most));
            }
            let bytes = tokio::time::timeout(BODY_WAIT_MAX, collect(&mut payload, most)).await;
            let bytes =
                bytes.map_err(|_| malformed("cannot read the body: it came too slowly"))??;
            Self::parse(bytes, is_json)
        })
    }
}

async fn collect(payload: &mut Payload, most: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| malformed("cannot read the body: it broke off"))?;
        if bytes.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(Code::Malformed, detail)
}

fn too_large(most: usize) -> Problem {
    let detail = format!("cannot take the body: it has more than {most} bytes");
    Problem::new(Code::BodyTooLarge, detail).with("limit", most)
}

impl Body {
    fn parse(bytes: Vec<u8>, is_json: bool) -> Result<Self, Problem> {
        if bytes.is_empty() {
            return Ok(Self { bytes, map: Map::new() });
        }
        if !is_json {
            let detail = "cannot take the body: send it as `Content-Type: application/json`";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        let value = strict::parse(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let twice = error.to_string();
            let why = twice.strip_prefix(strict::TWICE).map_or_else(
                || format!("line {line}, column {column}"),
                |twice| format!("{}{twice}", strict::TWICE),
            );
            malformed(format!("cannot read the body as JSON: {why}"))
        })?;
        match value {
            Value::Object(map) => Ok(Self { bytes, map }),
            _ => Err(malformed("cannot use the body: it is not a JSON object")),
        }
    }

    /// A body that came inside something else.
    pub const fn of(map: Map<String, Value>) -> Self {
        Self { bytes: Vec::new(), map }
    }

    /// Its fields, when all are known; those that only a later version carries out are refused by
    /// name unless they are null.
    pub fn fields(self, keys: Keys) -> Result<Fields, Problem> {
        Fields::of(self.map, keys, "")
    }
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let name: String = name.chars().take(ECHO_CHARS_MAX).collect();
    let detail = if known.is_empty() {
        format!("cannot take `{name}`: no field is known here")
    } else {
        format!("cannot take `{name}`: the fields known here are {}", known.join(", "))
    };
    Problem::new(Code::UnknownField, detail).with("field", name)
}

/// The fields of a body, taken one by one; null is as good as left out.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

fn wrong_type(field: &str, wanted: &str) -> Problem {
    malformed(format!("cannot read `{field}`: it must be {wanted}")).with("field", field)
}

/// What to say of a field that must be there.
pub fn missing(field: &str) -> Problem {
    Problem::invalid(field, format!("cannot go on without `{field}`"))
}

impl Fields {
    /// Those of `map`, which stands at `path` in the body.
    fn of(
        map: Map<String, Value>,
        Keys { known, later }: Keys,
        path: &str,
    ) -> Result<Self, Problem> {
        for (name, value) in &map {
            if later.contains(&name.as_str()) {
                if !value.is_null() {
                    return Err(Problem::later(&format!("{path}{name}")));
                }
            } else if !known.contains(&name.as_str()) {
                return Err(unknown(&format!("{path}{name}"), known));
            }
        }
        Ok(Self(map))
    }

    /// Anything but null.
    pub fn value(&mut self, field: &str) -> Option<Value> {
        self.0.remove(field).filter(|value| !value.is_null())
    }

    /// A text of at most `chars` characters, without control characters.
    pub fn text(&mut self, field: &str, chars: usize) -> Result<Option<String>, Problem> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(text)) if text.chars().count() > chars => Err(Problem::invalid(
                field,
                format!("cannot take `{field}`: it has more than {chars} characters"),
            )
            .with("limit", chars)),
            Some(Value::String(text)) if text.chars().any(char::is_control) => {
                let detail = format!("cannot take `{field}`: it has a control character");
                Err(Problem::invalid(field, detail))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_type(field, "a text")),
        }
    }

    /// A slug.
    pub fn slug(&mut self, field: &str) -> Result<Option<Slug>, Problem> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(text)) => slug(field, &text).map(Some),
            Some(_) => Err(wrong_type(field, "a text")),
        }
    }

    /// A duration, like `"20s"`, not negative.
    pub fn duration(&mut self, field: &str) -> Result<Option<Written>, Problem> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(text)) => {
                let written = Written::parse(&text).map_err(|error| {
                    Problem::invalid(field, format!("cannot take `{field}`: {error}"))
                })?;
                if written.span.0 < 0 {
                    let detail = format!("cannot take `{field}`: it is negative");
                    return Err(Problem::invalid(field, detail));
                }
                Ok(Some(written))
            }
            Some(_) => Err(wrong_type(field, "a duration, like \"20s\"")),
        }
    }

    /// True or false; left out: false.
    pub fn flag(&mut self, field: &str) -> Result<bool, Problem> {
        match self.value(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(wrong_type(field, "true or false")),
        }
    }

    /// A whole number from `least` to `most`.
    pub fn whole(&mut self, field: &str, least: u32, most: u32) -> Result<Option<u32>, Problem> {
        self.value(field).map(|value| whole(field, &value, least, most)).transpose()
    }

    /// An object inside the body, with fields of its own.
    pub fn object(&mut self, field: &str, keys: Keys) -> Result<Option<Self>, Problem> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Object(map)) => Self::of(map, keys, &format!("{field}.")).map(Some),
            Some(_) => Err(wrong_type(field, "an object")),
        }
    }

    /// The same, its fields named by their whole path: `field` and their own.
    pub fn paths(&mut self, field: &str, keys: Keys) -> Result<Option<Self>, Problem> {
        let Some(Self(map)) = self.object(field, keys)? else { return Ok(None) };
        let named = map.into_iter().map(|(name, value)| (format!("{field}.{name}"), value));
        Ok(Some(Self(named.collect())))
    }

    /// A number.
    pub fn number(&mut self, field: &str) -> Result<Option<f64>, Problem> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Number(number)) => match number.as_f64() {
                Some(number) => Ok(Some(number)),
                None => Err(wrong_type(field, "a number of double precision")),
            },
            Some(_) => Err(wrong_type(field, "a number")),
        }
    }

    /// Slugs with a whole number each.
    pub fn levels_by_slug(
        &mut self,
        field: &str,
        least: u8,
        most: u8,
    ) -> Result<Option<std::collections::BTreeMap<Slug, u8>>, Problem> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Object(map)) if map.len() > MEMBERS_MAX => Err(too_many(field)),
            Some(Value::Object(map)) => map
                .iter()
                .map(|(name, value)| Ok((slug(field, name)?, small(field, value, least, most)?)))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(wrong_type(field, "an object of whole numbers")),
        }
    }

    /// A list, each item read by `read`.
    pub fn list<C: FromIterator<T>, T>(
        &mut self,
        field: &str,
        read: impl Fn(&str, &Value) -> Result<T, Problem>,
    ) -> Result<Option<C>, Problem> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Array(items)) if items.len() > MEMBERS_MAX => Err(too_many(field)),
            Some(Value::Array(items)) => {
                items.iter().map(|item| read(field, item)).collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(wrong_type(field, "a list")),
        }
    }
}

fn too_many(field: &str) -> Problem {
    let detail = format!("cannot take `{field}`: it has more than {MEMBERS_MAX} members");
    Problem::invalid(field, detail).with("limit", MEMBERS_MAX)
}

/// Reads a slug out of `field`.
pub fn slug(field: &str, text: &str) -> Result<Slug, Problem> {
    Slug::new(text)
        .map_err(|error| Problem::invalid(field, format!("cannot take `{field}`: {error}")))
}

/// Reads a slug that is an item of the list `field`.
pub fn slug_item(field: &str, item: &Value) -> Result<Slug, Problem> {
    item.as_str()
        .map_or_else(|| Err(wrong_type(field, "a list of texts")), |text| slug(field, text))
}

/// Reads a level of agent that is an item of the list `field`.
pub fn level_item(field: &str, item: &Value) -> Result<u8, Problem> {
    small(field, item, *AGENT_LEVELS.start(), *AGENT_LEVELS.end())
}

fn small(field: &str, value: &Value, least: u8, most: u8) -> Result<u8, Problem> {
    let number = whole(field, value, least.into(), most.into())?;
    u8::try_from(number).map_err(|_| wrong_type(field, "a small number"))
}

fn whole(field: &str, value: &Value, least: u32, most: u32) -> Result<u32, Problem> {
    let Value::Number(number) = value else { return Err(wrong_type(field, "a whole number")) };
    number
        .as_u64()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            let detail = format!("cannot take `{field}`: it is no whole number {least} to {most}");
            Problem::invalid(field, detail)
        })
}
