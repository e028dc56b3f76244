//! The one error of the API: RFC 9457 problems, and the one table of their codes.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use atalaya_domain::decision::Rejection;
use atalaya_domain::matching::{CLASSES_MAX, PROFILES_MAX};
use serde_json::{Map, Value, json};

use crate::actors::admission::TooMany;
use crate::actors::shell::Failure;

/// Seconds after which a caller who was turned away by overload may come again.
pub const RETRY_AFTER_S: u32 = 1;

/// Every kind of problem that the API can answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body is no JSON object, or a value has the wrong type.
    Malformed,
    /// A field that the route does not have.
    UnknownField,
    /// A query parameter that the route does not have, or that cannot be read.
    BadQuery,
    /// No credential, or one that does not hold any more.
    Unauthenticated,
    /// Not for this role, scope or person.
    Forbidden,
    /// A session's write without its CSRF token.
    Csrf,
    /// There is no such thing.
    NotFound,
    /// The path is there, the method is not.
    MethodNotAllowed,
    /// Not in this state.
    IllegalTransition,
    /// The offer named is over.
    OfferGone,
    /// It is another agent's.
    NotYours,
    /// It is there already.
    Exists,
    /// The agent has no session open.
    NoSession,
    /// Its agent has extended it once.
    ExtendedAlready,
    /// It failed, and takes nothing any more.
    Quarantined,
    /// The same idempotency key is being worked on.
    KeyInFlight,
    /// The clock cannot be moved: it runs.
    ClockRuns,
    /// The caller's cursor is of before what is kept.
    CursorTooOld,
    /// The caller's cursor is of a log that is not this one.
    EpochChanged,
    /// `If-Match` names another version.
    VersionMismatch,
    /// More bytes than a body may have.
    BodyTooLarge,
    /// Another content type than JSON.
    UnsupportedMediaType,
    /// Well-formed, and not valid.
    Invalid,
    /// Valid, and not carried out by this version.
    NotInThisVersion,
    /// The idempotency key was used for something else.
    KeyReused,
    /// More kinds of waiting contacts than the matching holds.
    TooManyClasses,
    /// More kinds of agents than the matching holds.
    TooManyProfiles,
    /// Too many of something; later.
    TooMany,
    /// Our fault.
    Internal,
    /// Too much is waiting.
    Overloaded,
    /// Others moved first, too often.
    Contended,
    /// The log took nothing.
    NotCommitted,
    /// It may have happened.
    CommitUnknown,
}

impl Code {
    /// The table: last part of the URN, status, title.
    pub const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::Malformed => ("malformed", 400, "The request cannot be read"),
            Self::UnknownField => ("unknown-field", 400, "The body has a field that is not known"),
            Self::BadQuery => ("bad-query", 400, "The query cannot be read"),
            Self::Unauthenticated => ("unauthenticated", 401, "A valid token is needed"),
            Self::Forbidden => ("forbidden", 403, "Not allowed"),
            Self::Csrf => ("csrf", 403, "The CSRF token is missing or wrong"),
            Self::NotFound => ("not-found", 404, "There is no such thing"),
            Self::MethodNotAllowed => ("method-not-allowed", 405, "Not with this method"),
            Self::IllegalTransition => ("illegal-transition", 409, "Not in this state"),
            Self::OfferGone => ("offer-gone", 409, "The offer is over"),
            Self::NotYours => ("not-yours", 403, "It is another agent's"),
            Self::Exists => ("exists", 409, "It exists already"),
            Self::NoSession => ("no-session", 409, "No session is open"),
            Self::ExtendedAlready => ("extended-already", 409, "Extended once already"),
            Self::Quarantined => ("quarantined", 409, "It is out of service"),
            Self::KeyInFlight => ("key-in-flight", 409, "The same key is being worked on"),
            Self::ClockRuns => ("clock-runs", 409, "The clock runs"),
            Self::CursorTooOld => ("cursor-too-old", 410, "Events are not kept that long"),
            Self::EpochChanged => ("epoch-changed", 410, "The log is of another epoch"),
            Self::VersionMismatch => ("version-mismatch", 412, "It is of another version"),
            Self::BodyTooLarge => ("body-too-large", 413, "The body is too large"),
            Self::UnsupportedMediaType => ("unsupported-media-type", 415, "JSON is needed"),
            Self::Invalid => ("invalid", 422, "A value is not valid"),
            Self::NotInThisVersion => ("not-in-this-version", 422, "Not in this version"),
            Self::KeyReused => ("key-reused", 422, "The key was used for something else"),
            Self::TooManyClasses => ("too-many-classes", 422, "Too many requirement classes"),
            Self::TooManyProfiles => ("too-many-profiles", 422, "Too many profiles"),
            Self::TooMany => ("too-many", 429, "Too many; try again later"),
            Self::Internal => ("internal", 500, "An internal fault"),
            Self::Overloaded => ("overloaded", 503, "Too much is waiting"),
            Self::Contended => ("contended", 503, "Others moved first"),
            Self::NotCommitted => ("not-committed", 503, "Nothing was written"),
            Self::CommitUnknown => ("commit-unknown", 503, "It may have happened"),
        }
    }

    /// The problem's `type`.
    pub fn urn(self) -> String {
        format!("urn:atalaya:problem:{}", self.row().0)
    }

    const fn of(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::IllegalTransition { .. } => Self::IllegalTransition,
            Rejection::OfferGone { .. } => Self::OfferGone,
            Rejection::NotYours { .. } => Self::NotYours,
            Rejection::Unknown { .. } => Self::NotFound,
            Rejection::Exists { .. } => Self::Exists,
            Rejection::NoSession { .. } => Self::NoSession,
            Rejection::ExtendedAlready => Self::ExtendedAlready,
            Rejection::Quarantined { .. } => Self::Quarantined,
            Rejection::Unfit { .. } => Self::Internal,
        }
    }
}

/// One problem on its way out; boxed, since most answers are none.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: Code,
    detail: String,
    members: Map<String, Value>,
    allow: Option<String>,
}

impl Problem {
    /// A problem that says `detail`.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let (detail, members) = (detail.into(), Map::new());
        Self(Box::new(Parts { code, detail, members, allow: None }))
    }

    /// Which it is.
    pub const fn code(&self) -> Code {
        self.0.code
    }

    /// With a member of its own.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Well-formed, but `field` cannot be what it is.
    pub fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Self::new(Code::Invalid, detail).with("field", field)
    }

    /// `field` is part of the contract, and this version cannot carry it out.
    pub fn later(field: &str) -> Self {
        let detail = format!("cannot take `{field}`: not in this version; leave it out");
        Self::new(Code::NotInThisVersion, detail).with("field", field)
    }

    /// There is no such `kind`.
    pub fn not_found(kind: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {kind}"))
    }

    /// Nobody known asks.
    pub fn unauthenticated() -> Self {
        let detail = "cannot tell who asks: send `Authorization: Bearer TOKEN` or a session";
        Self::new(Code::Unauthenticated, detail)
    }

    /// Another method; `allow` lists those that the path has.
    pub fn method(method: &str, allow: String) -> Self {
        let detail = format!("cannot {method} this path: it takes {allow}");
        let mut problem = Self::new(Code::MethodNotAllowed, detail);
        problem.0.allow = Some(allow);
        problem
    }

    /// Our fault; what happened is in the log, not here.
    pub fn internal() -> Self {
        Self::new(Code::Internal, "failed to answer: an internal fault, which was logged")
    }

    /// As it goes out.
    pub fn to_json(&self) -> Value {
        let (urn, status, title) = self.0.code.row();
        let mut body = json!({
            "type": format!("urn:atalaya:problem:{urn}"),
            "title": title,
            "status": status,
            "detail": self.0.detail,
        });
        if let Some(body) = body.as_object_mut() {
            body.extend(self.0.members.clone());
        }
        body
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.row().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        response.content_type("application/problem+json");
        if matches!(status.as_u16(), 429 | 503) {
            response.insert_header((RETRY_AFTER, RETRY_AFTER_S.to_string()));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header(("WWW-Authenticate", "Bearer"));
        }
        if let Some(allow) = &self.0.allow {
            response.insert_header((ALLOW, allow.as_str()));
        }
        response.body(self.to_json().to_string())
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let detail = failure.to_string();
        let code = match &failure {
            Failure::Rejected(rejection) => Code::of(rejection),
            Failure::Moved { .. } => Code::VersionMismatch,
            Failure::Overloaded => Code::Overloaded,
            Failure::NotCommitted(_) => Code::NotCommitted,
            Failure::Unknown(_) => Code::CommitUnknown,
            Failure::TooMany(TooMany::Classes) => Code::TooManyClasses,
            Failure::TooMany(TooMany::Profiles) => Code::TooManyProfiles,
            Failure::Contended => Code::Contended,
            Failure::Internal => Code::Internal,
        };
        match &failure {
            Failure::Rejected(Rejection::IllegalTransition { command, state }) => {
                Self::new(code, detail).with("command", *command).with("state", *state)
            }
            Failure::Rejected(Rejection::Quarantined { entity }) => {
                Self::new(code, detail).with("entity", entity.to_string())
            }
            Failure::Rejected(Rejection::Unfit { .. }) => Self::internal(),
            Failure::Moved { version } => Self::new(code, detail).with("version", *version),
            Failure::TooMany(TooMany::Classes) => {
                Self::new(code, detail).with("limit", CLASSES_MAX)
            }
            Failure::TooMany(TooMany::Profiles) => {
                Self::new(code, detail).with("limit", PROFILES_MAX)
            }
            _ => Self::new(code, detail),
        }
    }
}
