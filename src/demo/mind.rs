//! What an agent of the demo does next: no socket, no clock, only what was heard and the chance.
//!
//! The server's word is what counts: the mind never supposes what a command brought about, it asks
//! how the agent stands ([`Mind::hear`]) and plans from there. Times are centre seconds since the
//! agent came.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::callers::{EITHER_SIDE, TALK_SIGMA, lognormal_s};
use super::centre::LINES;

/// The share of offers that nobody answers, and of those rejected.
const MISSES: f64 = 0.03;
const REJECTS: f64 = 0.02;
/// Mean seconds until an offer is answered; of wrap-up; of a talk whose queue is not known.
const ANSWER_MEAN_S: f64 = 4.0;
const WRAP_UP_MEAN_S: f64 = 25.0;
const TALK_MEAN_S: f64 = 180.0;
/// Seconds within which all have come in the morning.
const COME_WITHIN_S: f64 = 90.0;
/// Seconds from one break to the next, and of a break.
const WORK_S: std::ops::Range<f64> = 2_400.0..5_400.0;
const BREAK_S: std::ops::Range<f64> = 300.0..900.0;
/// Seconds after which one who missed or rejected an offer is ready again.
const RETURN_S: std::ops::Range<f64> = 15.0..60.0;
/// Seconds that one stays away for another reason (a supervisor's).
const AWAY_S: std::ops::Range<f64> = 300.0..600.0;
/// Seconds after which what was refused, or may not have arrived, is tried again.
const AGAIN_S: f64 = 5.0;
/// What came of the calls, and of which kind they were.
const OUTCOMES: [&str; 4] = ["resolved", "informed", "request_made", "call_again"];

/// What is to be said to the server: a command of the socket.
#[derive(Debug, Clone, PartialEq)]
pub struct Say {
    /// `presence`, `accept`, …
    pub command: &'static str,
    /// Its arguments.
    pub args: Value,
}

/// What the agent is at. `at_s`: when the next thing is to be said; infinite once it was.
#[derive(Debug, Clone, PartialEq)]
enum Doing {
    /// Nothing is known yet, or the server does not hear this agent.
    Unknown,
    Out {
        at_s: f64,
    },
    Idle,
    Ringing {
        offer: String,
        answer: Option<&'static str>,
        at_s: f64,
    },
    Talking {
        contact: String,
        at_s: f64,
    },
    Wrapping {
        contact: String,
        at_s: f64,
    },
    Away {
        reason: String,
        at_s: f64,
    },
}

/// One agent's will.
#[derive(Debug)]
pub struct Mind {
    chance: ChaCha8Rng,
    doing: Doing,
    break_at_s: f64,
    /// When to sign out; none: not yet.
    leave_at_s: Option<f64>,
    has_left: bool,
    /// The queue of the last offer.
    queue: String,
}

impl Mind {
    /// The `number`th agent of a seed.
    pub fn new(seed: u64, number: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        // The callers have the stream 0.
        chance.set_stream(number);
        // The first breaks are spread over the whole of a stretch of work.
        let break_at_s = chance.random_range(WORK_S.start / 4.0..WORK_S.end);
        let doing = Doing::Unknown;
        let queue = String::new();
        Self { chance, doing, break_at_s, leave_at_s: None, has_left: false, queue }
    }

    /// An offer rings.
    pub fn offered(&mut self, now_s: f64, offer: &str, queue: &str) {
        if matches!(&self.doing, Doing::Ringing { offer: known, .. } if known == offer) {
            return;
        }
        queue.clone_into(&mut self.queue);
        let luck: f64 = self.chance.random();
        let answer = if luck < MISSES {
            None
        } else if luck < MISSES + REJECTS {
            Some("reject")
        } else {
            Some("accept")
        };
        let delay_s = lognormal_s(&mut self.chance, ANSWER_MEAN_S, TALK_SIGMA);
        let at_s = if answer.is_some() { now_s + delay_s } else { f64::INFINITY };
        self.doing = Doing::Ringing { offer: offer.to_owned(), answer, at_s };
    }

    /// The offer is over.
    pub fn recalled(&mut self, offer: &str) {
        if matches!(&self.doing, Doing::Ringing { offer: known, .. } if known == offer) {
            self.doing = Doing::Idle;
        }
    }

    /// How the server says that the agent stands (`GET /agents/{id}`); true: an offer was missed.
    pub fn hear(&mut self, now_s: f64, agent: &Value) -> bool {
        let contact = |at_work: &dyn Fn(&Value) -> bool| {
            let work = agent["work"].as_array().map_or(&[][..], Vec::as_slice);
            let found = work.iter().find(|leg| at_work(&leg["state"]));
            found.and_then(|leg| leg["contact"].as_str()).unwrap_or_default().to_owned()
        };
        match agent["state"].as_str().unwrap_or_default() {
            "signed_out" => {
                self.has_left = self.leave_at_s.is_some();
                if !matches!(self.doing, Doing::Out { .. }) {
                    let at_s = now_s + self.chance.random_range(0.0..COME_WITHIN_S);
                    self.doing = Doing::Out { at_s };
                }
            }
            "ready" => self.doing = Doing::Idle,
            "busy" => self.talk(now_s, contact(&|state| state != "wrap_up")),
            "wrap_up" => self.wrap_up(now_s, contact(&|state| state == "wrap_up")),
            "not_ready" => return self.away(now_s, agent["reason"].as_str().unwrap_or_default()),
            // The offer itself comes in a frame of its own.
            "offered" => (),
            _ => self.doing = Doing::Unknown,
        }
        false
    }

    fn talk(&mut self, now_s: f64, contact: String) {
        if matches!(&self.doing, Doing::Talking { contact: known, .. } if *known == contact) {
            return;
        }
        let line = LINES.iter().find(|line| line.id == self.queue);
        let mean_s = line.map_or(TALK_MEAN_S, |line| line.talk_mean_s) * EITHER_SIDE;
        let span_s = lognormal_s(&mut self.chance, mean_s, TALK_SIGMA);
        let at_s = if self.is_leaving() { now_s } else { now_s + span_s };
        self.doing = Doing::Talking { contact, at_s };
    }

    fn wrap_up(&mut self, now_s: f64, contact: String) {
        if matches!(&self.doing, Doing::Wrapping { contact: known, .. } if *known == contact) {
            return;
        }
        let span_s = lognormal_s(&mut self.chance, WRAP_UP_MEAN_S, TALK_SIGMA);
        let at_s = if self.is_leaving() { now_s } else { now_s + span_s };
        self.doing = Doing::Wrapping { contact, at_s };
    }

    /// True where it is for an offer that was just missed.
    fn away(&mut self, now_s: f64, reason: &str) -> bool {
        if matches!(&self.doing, Doing::Away { reason: known, .. } if known == reason) {
            return false;
        }
        let span = match reason {
            "break" => BREAK_S,
            "missed_offer" | "rejected_offer" => RETURN_S,
            _ => AWAY_S,
        };
        let at_s = now_s + self.chance.random_range(span);
        self.doing = Doing::Away { reason: reason.to_owned(), at_s };
        reason == "missed_offer"
    }

    /// What was said was refused, or may not have arrived: it is said again a little later, if it
    /// still applies.
    pub fn refused(&mut self, now_s: f64) {
        let again_s = now_s + AGAIN_S;
        match &mut self.doing {
            Doing::Unknown | Doing::Idle | Doing::Ringing { answer: None, .. } => (),
            Doing::Ringing { at_s, .. }
            | Doing::Out { at_s }
            | Doing::Talking { at_s, .. }
            | Doing::Wrapping { at_s, .. }
            | Doing::Away { at_s, .. } => *at_s = at_s.min(again_s),
        }
        self.leave_at_s = self.leave_at_s.map(|at_s| at_s.min(again_s));
    }

    /// The day is over: brings what is in hand to its end, and signs out.
    pub fn leave(&mut self, now_s: f64) {
        self.leave_at_s.get_or_insert(now_s);
        if let Doing::Talking { at_s, .. } | Doing::Wrapping { at_s, .. } = &mut self.doing
            && at_s.is_finite()
        {
            *at_s = now_s;
        }
    }

    /// Whether the day is over for it.
    pub fn is_leaving(&self) -> bool {
        self.leave_at_s.is_some()
    }

    /// Whether it has signed out for good.
    pub fn has_left(&self) -> bool {
        self.has_left
    }

    /// When the next thing is to be said; infinite: not before something is heard.
    pub fn next_s(&self) -> f64 {
        let doing_s = match &self.doing {
            Doing::Idle => self.break_at_s,
            Doing::Out { at_s } if self.leave_at_s.is_none() => *at_s,
            Doing::Unknown | Doing::Out { .. } => f64::INFINITY,
            Doing::Ringing { at_s, .. }
            | Doing::Talking { at_s, .. }
            | Doing::Wrapping { at_s, .. }
            | Doing::Away { at_s, .. } => *at_s,
        };
        doing_s.min(self.leave_at_s.unwrap_or(f64::INFINITY))
    }

    /// What is due, one thing at a time.
    pub fn due(&mut self, now_s: f64) -> Option<Say> {
        if self.leave_at_s.is_some_and(|at_s| at_s <= now_s) {
            self.leave_at_s = Some(f64::INFINITY);
            return Some(presence(&json!("signed_out"), None));
        }
        if now_s < self.next_s() {
            return None;
        }
        let said_s = f64::INFINITY;
        match &mut self.doing {
            Doing::Unknown => None,
            Doing::Out { at_s } | Doing::Away { at_s, .. } => {
                *at_s = said_s;
                Some(presence(&json!("ready"), None))
            }
            Doing::Idle => {
                self.break_at_s = now_s + self.chance.random_range(WORK_S);
                Some(presence(&json!("not_ready"), Some("break")))
            }
            Doing::Ringing { offer, answer, at_s } => {
                *at_s = said_s;
                let mut args = json!({ "offer": offer });
                let command = (*answer)?;
                if command == "reject" {
                    args["reason"] = "busy_elsewhere".into();
                }
                Some(Say { command, args })
            }
            Doing::Talking { contact, at_s } => {
                *at_s = said_s;
                Some(Say { command: "complete", args: json!({ "contact": contact }) })
            }
            Doing::Wrapping { contact, at_s } => {
                *at_s = said_s;
                let outcome = OUTCOMES[self.chance.random_range(0..OUTCOMES.len())];
                let mut args = json!({ "contact": contact, "outcome": outcome });
                // Not known of what a former life left.
                if !self.queue.is_empty() {
                    args["topic"] = self.queue.as_str().into();
                }
                Some(Say { command: "wrap_up", args })
            }
        }
    }
}

/// Offers that are out stand, and it takes effect when work has ended.
fn presence(state: &Value, reason: Option<&str>) -> Say {
    let mut args = json!({ "state": state });
    match reason {
        Some(reason) => {
            args["reason"] = reason.into();
            args["after"] = true.into();
        }
        None if state == "signed_out" => args["after"] = true.into(),
        None => (),
    }
    Say { command: "presence", args }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The agent of the first seed whose first offer is answered so.
    fn who_answers(answer: Option<&str>) -> Mind {
        let minds = (0..10_000).map(|seed| {
            let mut mind = Mind::new(seed, 1);
            mind.hear(0.0, &json!({"state": "ready", "work": []}));
            mind.offered(0.0, "o1", "pensions");
            mind
        });
        let is_so = |mind: &Mind| matches!(&mind.doing, Doing::Ringing { answer: found, .. } if *found == answer);
        minds.into_iter().find(is_so).unwrap()
    }

    /// What it says next, once nothing else is heard.
    fn next(mind: &mut Mind) -> Option<(&'static str, Value)> {
        let at_s = mind.next_s();
        (at_s < 1_000.0).then(|| mind.due(at_s)).flatten().map(|say| (say.command, say.args))
    }

    #[test]
    fn a_call_is_accepted_spoken_completed_and_written_up() {
        let mut mind = who_answers(Some("accept"));
        assert_eq!(next(&mut mind), Some(("accept", json!({"offer": "o1"}))));
        assert_eq!(next(&mut mind), None, "said once");
        let busy = json!({"state": "busy", "work": [{"contact": "c1", "state": "active"}]});
        mind.hear(5.0, &busy);
        let hangs_up_s = mind.next_s();
        mind.hear(6.0, &busy);
        assert_eq!(mind.next_s().to_bits(), hangs_up_s.to_bits(), "hearing it again changes it");
        assert_eq!(next(&mut mind), Some(("complete", json!({"contact": "c1"}))));
        mind.hear(
            9.0,
            &json!({"state": "wrap_up", "work": [{"contact": "c1", "state": "wrap_up"}]}),
        );
        let (command, args) = next(&mut mind).unwrap();
        assert_eq!(
            (command, &args["contact"], &args["topic"]),
            ("wrap_up", &json!("c1"), &json!("pensions"))
        );
    }

    #[test]
    fn a_missed_offer_is_counted_once_and_followed_by_ready() {
        let mut mind = who_answers(None);
        assert_eq!(next(&mut mind), None);
        let missed = json!({"state": "not_ready", "reason": "missed_offer", "work": []});
        assert!(mind.hear(20.0, &missed));
        assert!(!mind.hear(21.0, &missed));
        assert_eq!(next(&mut mind), Some(("presence", json!({"state": "ready"}))));
    }

    #[test]
    fn an_offer_recalled_is_not_answered() {
        let mut mind = who_answers(Some("accept"));
        mind.recalled("another");
        assert!(mind.next_s() < 1_000.0);
        mind.recalled("o1");
        assert_eq!(next(&mut mind), None);
    }

    #[test]
    fn what_was_refused_is_said_again() {
        let mut mind = who_answers(Some("accept"));
        let said = next(&mut mind);
        assert!(said.is_some());
        mind.refused(10.0);
        assert_eq!(next(&mut mind), said);
    }

    #[test]
    fn who_leaves_first_ends_what_is_in_hand() {
        let work = |state: &str, leg: &str| json!({"state": state, "work": [{"contact": "c1", "state": leg}]});
        let mut mind = Mind::new(1, 1);
        mind.hear(0.0, &work("busy", "active"));
        mind.leave(1.0);
        let says = |mind: &mut Mind, now_s| mind.due(now_s).map(|say| say.command);
        assert_eq!(says(&mut mind, 1.0), Some("presence"));
        assert_eq!(says(&mut mind, 1.0), Some("complete"));
        mind.hear(1.0, &work("wrap_up", "wrap_up"));
        assert_eq!(says(&mut mind, 1.0), Some("wrap_up"));
        assert_eq!(says(&mut mind, 1.0), None);
    }

    #[test]
    fn who_leaves_signs_out_and_does_not_come_back() {
        let mut mind = Mind::new(1, 1);
        mind.hear(0.0, &json!({"state": "ready", "work": []}));
        mind.leave(1.0);
        let said = next(&mut mind);
        assert_eq!(said, Some(("presence", json!({"state": "signed_out", "after": true}))));
        mind.hear(2.0, &json!({"state": "signed_out", "work": []}));
        assert!(mind.has_left());
        assert_eq!(next(&mut mind), None);
    }
}
