//! Topics: what is pushed, made once for all who watch the same with the same permissions.
//!
//! A channel is a topic for one class of permissions. It keeps the data that it last showed and a
//! ring of frames; sockets read from the ring by cursor when the channel has news, so nothing is
//! queued for anybody here. Who is too far behind gets the snapshot, made once for all of them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use atalaya_domain::ids::AgentId;
use atalaya_domain::time::Timestamp;
use bytestring::ByteString;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::api::call::Caller;
use crate::api::problem::{Code, Problem};
use crate::api::roles::Role;
use crate::views::rfc3339;
use crate::views::{Scope, delta};

/// Time between two looks at the views, at the speed of life.
const TICK: Duration = Duration::from_millis(200);
/// On a clock that runs faster a tick holds no more of the centre's time than this …
const TICK_CENTRE: Duration = Duration::from_secs(2);
/// … but it is never shorter.
const TICK_LEAST: Duration = Duration::from_millis(50);
/// A frame goes out at least this often, an empty one if need be.
pub const SILENCE: Duration = Duration::from_secs(2);
/// How long frames are kept for those who come back; and a channel that nobody watches.
pub const RING: Duration = Duration::from_secs(30);
/// Most frames of a ring; the oldest go first.
pub const RING_FRAMES_MAX: usize = 1_024;
/// Most bytes of missed frames that are sent instead of a snapshot.
pub const CATCH_UP_BYTES_MAX: usize = 256 * 1_024;

/// Time between two looks at the views of a centre whose clock runs at `rate`: a delta stays small
/// beside the snapshot also where a day passes in minutes.
pub fn tick_at(rate: f64) -> Duration {
    let wall = Duration::try_from_secs_f64(TICK_CENTRE.as_secs_f64() / rate);
    wall.map_or(TICK, |wall| wall.clamp(TICK_LEAST, TICK))
}

/// What can be watched.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// The centre's figures and tiles.
    Wallboard,
    /// Every agent.
    Roster,
    /// One agent's own desk.
    Agent(AgentId),
}

/// Every topic's word on the wire.
pub const NAMES: [&str; 3] = ["agent", "roster", "wallboard"];

impl Topic {
    /// The word on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Wallboard => "wallboard",
            Self::Roster => "roster",
            Self::Agent(_) => "agent",
        }
    }

    /// The topic called `name`, if `caller` may watch it.
    pub fn of(name: &str, caller: &Caller) -> Result<Self, Problem> {
        let leads = matches!(caller.role, Role::Supervisor | Role::Administrator);
        match (name, &caller.agent) {
            ("agent", Some(agent)) if caller.role == Role::Agent => Ok(Self::Agent(agent.clone())),
            ("wallboard", _) if leads || caller.role == Role::Coordinator => Ok(Self::Wallboard),
            ("roster", _) if leads => Ok(Self::Roster),
            ("agent" | "wallboard" | "roster", _) => {
                let detail = format!("cannot watch `{name}` as {}", caller.role);
                Err(Problem::new(Code::Forbidden, detail).with("field", "topic"))
            }
            ("requests" | "alerts", _) => Err(Problem::later("topic")),
            _ => {
                let detail = "cannot watch it: `topic` is none of wallboard, roster, agent";
                Err(Problem::invalid("topic", detail))
            }
        }
    }
}

/// How much `caller` may see.
pub const fn scope_of(caller: &Caller) -> Scope {
    if caller.reads_only { Scope::Wall } else { Scope::All }
}

/// What a view held at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Number of the last event in it.
    pub seq: u64,
    /// When it was read.
    pub at: Timestamp,
    /// The topic's `data`.
    pub data: Value,
}

/// Up to where a socket has been served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// Nothing yet.
    Fresh,
    /// It comes back, having had this sequence number.
    Resume(u64),
    /// It has had the frame of this number.
    At(u64),
}

#[derive(Debug)]
struct Frame {
    number: u64,
    from: u64,
    made: Instant,
    bytes: usize,
    text: ByteString,
}

#[derive(Debug)]
struct Shown {
    /// Of the last frame.
    number: u64,
    /// When that was made.
    made: Instant,
    reading: Reading,
}

#[derive(Debug, Default)]
struct Kept {
    shown: Option<Shown>,
    frames: VecDeque<Frame>,
    /// Where the last frame led from that is not in the ring, or not any more.
    left_from: Option<u64>,
    /// Of the reading that is shown, made when first asked for.
    snapshot: Option<ByteString>,
}

/// See the module.
#[derive(Debug)]
pub struct Channel {
    topic: Topic,
    epoch: String,
    kept: Mutex<Kept>,
    news: watch::Sender<u64>,
}

impl Channel {
    /// A channel that has shown nothing.
    pub fn new(topic: Topic, epoch: String) -> Self {
        Self { topic, epoch, kept: Mutex::default(), news: watch::Sender::new(0) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is pushed here.
    pub const fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Tells whoever waits for it when there are frames to read.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Whether it has shown nothing yet.
    pub fn is_empty(&self) -> bool {
        self.kept().shown.is_none()
    }

    /// Whether anybody watches.
    pub fn is_watched(&self) -> bool {
        self.watchers() > 0
    }

    /// How many sockets watch.
    pub fn watchers(&self) -> usize {
        self.news.receiver_count()
    }

    /// Whether a frame is due at `now`, with the log at `seq`.
    pub fn is_due(&self, seq: u64, now: Instant) -> bool {
        self.kept().shown.as_ref().is_none_or(|shown| {
            shown.reading.seq < seq || now.saturating_duration_since(shown.made) >= SILENCE
        })
    }

    /// Shows `reading`, made at `now`: a frame with what is other than before. One that is older
    /// than what is shown changes nothing.
    pub fn show(&self, reading: Reading, now: Instant) {
        let mut kept = self.kept();
        let Some(shown) = &kept.shown else {
            // Who has this number from a channel before, or from a GET, has it of another instant.
            kept.left_from = Some(reading.seq);
            kept.shown = Some(Shown { number: 0, made: now, reading });
            return;
        };
        let silent = now.saturating_duration_since(shown.made) >= SILENCE;
        if reading.seq < shown.reading.seq || (reading.seq == shown.reading.seq && !silent) {
            return;
        }
        let (number, from) = (shown.number + 1, shown.reading.seq);
        let delta = delta(&shown.reading.data, &reading.data);
        let text = json!({
            "type": "delta",
            "topic": self.topic.name(),
            "from": from,
            "seq": reading.seq,
            "at": rfc3339(reading.at),
            "set": delta.set,
            "remove": delta.remove,
        });
        let text = text.to_string();
        let bytes = text.len();
        let text = ByteString::from(text);
        kept.frames.push_back(Frame { number, from, made: now, bytes, text });
        while kept.frames.len() > RING_FRAMES_MAX
            || kept
                .frames
                .front()
                .is_some_and(|frame| now.saturating_duration_since(frame.made) > RING)
        {
            kept.left_from = kept.frames.pop_front().map(|frame| frame.from);
        }
        kept.shown = Some(Shown { number, made: now, reading });
        kept.snapshot = None;
        drop(kept);
        self.news.send_replace(number);
    }

    /// What a socket at `cursor` has not had, and moves the cursor on.
    pub fn read(&self, cursor: &mut Cursor) -> Vec<ByteString> {
        let mut kept = self.kept();
        let Some(shown) = &kept.shown else { return Vec::new() };
        let (number, seq) = (shown.number, shown.reading.seq);
        let first = match *cursor {
            Cursor::Fresh => None,
            Cursor::At(had) if had == number => Some(kept.frames.len()),
            Cursor::At(had) => kept.frames.iter().position(|frame| frame.number == had + 1),
            // Frames from one number may be many: what slides with the clock changes under it.
            Cursor::Resume(had) if kept.left_from == Some(had) => None,
            Cursor::Resume(had) => {
                let chained = kept.frames.iter().position(|frame| frame.from == had);
                chained.or_else(|| (had == seq).then_some(kept.frames.len()))
            }
        };
        *cursor = Cursor::At(number);
        if let Some(first) = first {
            let missed = || kept.frames.range(first..);
            if missed().map(|frame| frame.bytes).sum::<usize>() <= CATCH_UP_BYTES_MAX {
                return missed().map(|frame| frame.text.clone()).collect();
            }
        }
        vec![self.snapshot(&mut kept)]
    }

    fn snapshot(&self, kept: &mut Kept) -> ByteString {
        let shown = kept.shown.as_ref().map(|shown| &shown.reading);
        let make = || {
            let text = json!({
                "type": "snapshot",
                "topic": self.topic.name(),
                "epoch": self.epoch,
                "seq": shown.map(|reading| reading.seq),
                "at": shown.map(|reading| rfc3339(reading.at)),
                "data": shown.map(|reading| &reading.data),
            });
            ByteString::from(text.to_string())
        };
        kept.snapshot.get_or_insert_with(make).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_holds_little_of_a_fast_clocks_time() {
        let millis = [0.0, 1.0, 10.0, 20.0, 40.0, 60.0, 1e9].map(|rate| tick_at(rate).as_millis());
        assert_eq!(millis, [200, 200, 200, 100, 50, 50, 50]);
    }

    /// What slides with the clock changes under one number.
    #[test]
    fn who_comes_back_at_a_number_under_which_frames_have_left_gets_a_snapshot() {
        let channel = Channel::new(Topic::Wallboard, "e1".into());
        let begun = Instant::now();
        let show = |seq, answered_15m, seconds| {
            let data = json!({ "answered_15m": answered_15m });
            let at = Timestamp::default();
            channel.show(Reading { seq, at, data }, begun + Duration::from_secs(seconds));
        };
        let read = |had| -> Vec<Value> {
            let frames = channel.read(&mut Cursor::Resume(had));
            frames.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
        };
        show(4, 3, 0);
        assert_eq!(read(4)[0]["type"], "snapshot", "had of another channel, at another instant");
        show(5, 3, 1);
        show(5, 2, 3);
        for seconds in (5..25).step_by(2) {
            show(5, 2, seconds);
        }
        assert_eq!(read(5)[0]["set"], json!({ "/answered_15m": 2 }), "it is in the ring");
        for seconds in (25..45).step_by(2) {
            show(5, 2, seconds);
        }
        let frames = read(5);
        assert_eq!(frames[0]["type"], "snapshot", "the frame that it missed is not: {frames:?}");
        show(6, 2, 46);
        assert_eq!(read(5)[0]["type"], "snapshot", "nor after the next event");
        show(6, 1, 48);
        let changed: Vec<_> = read(6).iter().map(|frame| frame["set"].clone()).collect();
        assert_eq!(changed, [json!({ "/answered_15m": 1 })], "all frames of a number are there");
    }
}
