//! Frames: what a client may say, read strictly, and what it is told, as JSON.

use bytestring::ByteString;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::problem::{Code, Problem};
use crate::api::strict;

/// Most bytes of a client's frame; past it the socket is closed (1009).
pub const FRAME_BYTES_MAX: usize = 64 * 1_024;
/// Most characters of a command's id.
const ID_CHARS_MAX: usize = 64;
/// Characters of what is wrong with a message that are repeated to its sender.
const WRONG_CHARS_MAX: usize = 160;

/// From where a client goes on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// Of the log.
    pub epoch: String,
    /// Of the last frame that it had.
    pub seq: u64,
}

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Said {
    /// Push this from now on.
    Subscribe {
        /// Its name.
        topic: String,
        /// Only these; later.
        queues: Option<Value>,
        /// Only these; later.
        teams: Option<Value>,
        /// What it has had.
        resume: Option<Resume>,
    },
    /// No more of it.
    Unsubscribe {
        /// Its name.
        topic: String,
    },
    /// Carry this out.
    Command {
        /// What the answer repeats.
        id: String,
        /// Which.
        command: String,
        /// The body of its twin and the parameters of the path.
        #[serde(default)]
        args: Map<String, Value>,
    },
    /// It lives.
    Pong {},
}

impl Said {
    /// Reads one frame.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let said = strict::parse(text.as_bytes()).and_then(serde_json::from_value);
        let said = said.map_err(|error| {
            let wrong: String = error.to_string().chars().take(WRONG_CHARS_MAX).collect();
            Problem::new(Code::Malformed, format!("cannot understand the message: {wrong}"))
        })?;
        match &said {
            Self::Command { id, .. } if id.is_empty() || id.chars().count() > ID_CHARS_MAX => {
                let detail =
                    format!("cannot take `id`: it must have 1 to {ID_CHARS_MAX} characters");
                Err(Problem::invalid("id", detail))
            }
            Self::Subscribe { queues: Some(_), .. } => Err(Problem::later("queues")),
            Self::Subscribe { teams: Some(_), .. } => Err(Problem::later("teams")),
            Self::Subscribe { .. }
            | Self::Unsubscribe { .. }
            | Self::Command { .. }
            | Self::Pong {} => Ok(said),
        }
    }
}

/// One frame.
pub fn text(value: &Value) -> ByteString {
    value.to_string().into()
}

/// A message was not understood, or not taken.
pub fn error(problem: &Problem) -> ByteString {
    text(&json!({ "type": "error", "problem": problem.to_json() }))
}

/// How the command `id` ended.
pub fn answer(id: &str, ended: &Result<Value, Problem>) -> ByteString {
    text(&match ended {
        Ok(entity) => json!({ "type": "ack", "id": id, "entity": entity }),
        Err(problem) => json!({ "type": "nack", "id": id, "problem": problem.to_json() }),
    })
}
