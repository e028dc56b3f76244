//! Tokens, and the sessions made of them: known by a hash only.

use crate::decision::{Act, Decision, Rejection};
use crate::ids::{AgentId, CredentialId, Slug};
use crate::time::{Now, Timestamp};

/// What a token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Keyed hash of the secret.
    pub hash: [u8; 16],
    /// One of the roles.
    pub role: Slug,
    /// Whose it is, of role `agent`.
    pub agent: Option<AgentId>,
    /// Narrowed or widened: `read`, `act_as`.
    pub scope: Option<Slug>,
    /// The token that a session was made of.
    pub token: Option<CredentialId>,
    /// Wall time; `None`: until ended.
    pub expires_at: Option<Timestamp>,
}

/// The machine of both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credential {
    /// Events so far.
    pub version: u64,
    /// `None`: never made.
    pub grant: Option<Grant>,
    /// Whether it is over.
    pub ended: bool,
}

/// What is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make it.
    Make(Grant),
    /// It is not to be used again.
    End,
}

/// What happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It can be used.
    Made(Grant),
    /// It cannot any more.
    Ended,
}

impl Credential {
    /// Says what `command` causes.
    pub(crate) fn decide(&self, now: Now, command: &Command) -> Decision {
        let event = match (command, &self.grant, self.ended) {
            (Command::Make(grant), None, _) => Ok(Some(Event::Made(grant.clone()))),
            (Command::Make(_), Some(_), _) => Err(Rejection::Exists { entity: "credential" }),
            (Command::End, Some(_), false) => Ok(Some(Event::Ended)),
            (Command::End, Some(_), true) => Ok(None),
            (Command::End, None, _) => Err(Rejection::Unknown { entity: "credential" }),
        };
        Decision::of(event.map(|event| {
            Act::events(now.at, event.into_iter().map(crate::Event::Credential).collect())
        }))
    }

    /// Becomes what `event` says.
    pub fn apply(&mut self, _at: Timestamp, event: &Event) {
        self.version += 1;
        match event {
            Event::Made(grant) => self.grant = Some(grant.clone()),
            Event::Ended => self.ended = true,
        }
    }
}

impl Event {
    /// The name in the log and on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Made(_) => "made",
            Self::Ended => "ended",
        }
    }
}
