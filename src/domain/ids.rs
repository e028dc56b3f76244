//! Names of things: slugs for what is configured, UUIDs for what happens.
//!
//! Making a UUID is not here: ids come from a port beside the clock.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// Most bytes of a slug.
pub const SLUG_BYTES_MAX: usize = 64;

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, compared byte by byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(Arc<str>);

impl Slug {
    /// Checks `text` and keeps it.
    pub fn new(text: &str) -> Result<Self, SlugError> {
        let bytes = text.as_bytes();
        let fine = (1..=SLUG_BYTES_MAX).contains(&bytes.len())
            && bytes[0].is_ascii_alphanumeric()
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if fine {
            Ok(Self(text.into()))
        } else {
            Err(SlugError { text: text.chars().take(80).collect() })
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Slug {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A text that is no slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a slug: 1 to 64 of A-Z a-z 0-9 . _ - starting with a letter or digit")]
pub struct SlugError {
    /// What was written, cut to 80 characters.
    pub text: String,
}

macro_rules! slug_id {
    ($(#[$doc:meta] $name:ident),*) => {$(
        #[$doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Slug);

        impl $name {
            /// Checks `text` and keeps it.
            pub fn new(text: &str) -> Result<Self, SlugError> {
                Slug::new(text).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

slug_id!(
    /// Who answers.
    AgentId,
    /// Where contacts wait.
    QueueId
);

macro_rules! uuid_id {
    ($(#[$doc:meta] $name:ident),*) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

uuid_id!(
    /// One interaction on one channel.
    ContactId,
    /// One contact put to one agent.
    OfferId,
    /// A citizen, known or not.
    PersonId,
    /// A bearer token, or a session made of one.
    CredentialId
);

/// Any machine of the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityId {
    /// The centre itself: starts, clock, quarantines.
    System,
    /// A queue.
    Queue(QueueId),
    /// An agent.
    Agent(AgentId),
    /// A contact.
    Contact(ContactId),
    /// A token.
    Token(CredentialId),
    /// A session.
    Session(CredentialId),
}

impl EntityId {
    /// The kind's word in events and metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Queue(_) => "queue",
            Self::Agent(_) => "agent",
            Self::Contact(_) => "contact",
            Self::Token(_) => "token",
            Self::Session(_) => "session",
        }
    }
}

impl fmt::Display for EntityId {
    /// `contact:0199…`, as events name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Queue(id) => write!(f, "queue:{id}"),
            Self::Agent(id) => write!(f, "agent:{id}"),
            Self::Contact(id) => write!(f, "contact:{id}"),
            Self::Token(id) => write!(f, "token:{id}"),
            Self::Session(id) => write!(f, "session:{id}"),
        }
    }
}

impl From<AgentId> for EntityId {
    fn from(id: AgentId) -> Self {
        Self::Agent(id)
    }
}

impl From<QueueId> for EntityId {
    fn from(id: QueueId) -> Self {
        Self::Queue(id)
    }
}

impl From<ContactId> for EntityId {
    fn from(id: ContactId) -> Self {
        Self::Contact(id)
    }
}
