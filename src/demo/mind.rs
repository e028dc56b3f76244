//! What an agent of the demo does next: no socket, no clock, only what was heard and the chance.
//!
//! The server's word is what counts: the mind never supposes what a command brought about, it asks
//! how the agent stands ([`Mind::hear`]) and plans from there. Times are centre seconds since the
//! Unix epoch. One mind lives for one turn of work (`rota`). The same mind plays the hours that lie
//! behind an opening (`past`).

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::callers::{EITHER_SIDE, TALK_SIGMA, lognormal_s};
use super::centre::WRAP_UP_MEAN_S;
use super::rota::Duty;

/// The share of offers that nobody answers, and of those rejected.
const MISSES: f64 = 0.02;
const REJECTS: f64 = 0.015;
/// Mean seconds until an offer is answered; of a talk whose queue is not known. Spread of the two.
const ANSWER_MEAN_S: f64 = 3.0;
const TALK_MEAN_S: f64 = 370.0;
const SIGMA: f64 = 0.6;
/// Seconds within which all have come.
const COME_WITHIN_S: f64 = 90.0;
/// Seconds from one break to the next, and of a break: a quarter of the time, as in the model.
const WORK_S: std::ops::Range<f64> = 2_400.0..5_400.0;
const BREAK_S: std::ops::Range<f64> = 600.0..2_000.0;
/// Seconds of one stretch of other work, and before it is gone back to from the telephone.
const OTHER_S: std::ops::Range<f64> = 1_800.0..5_400.0;
const HELP_S: f64 = 900.0;
/// Seconds after which one who missed or rejected an offer is ready again.
const RETURN_S: std::ops::Range<f64> = 15.0..60.0;
/// Seconds that one stays away for another reason (a supervisor's).
const AWAY_S: std::ops::Range<f64> = 300.0..600.0;
/// Seconds after which what was refused, or may not have arrived, is tried again.
const AGAIN_S: f64 = 5.0;
/// Why somebody is away from the telephone, and what those do who are not on it.
const BREAKS: [&str; 6] = ["break", "break", "break", "training", "back_office", "coaching"];
const OTHERS: [&str; 5] = ["email", "mailbox", "campaign", "chat", "training"];
/// What came of the calls.
const OUTCOMES: [&str; 4] = ["resolved", "informed", "request_made", "call_again"];
/// Sets the minds' chance apart from the callers'.
const OWN_CHANCE: u64 = 0x6d69_6e64;

/// What is to be said to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// Ready for calls.
    Ready,
    /// Not, and why.
    NotReady(&'static str),
    /// The turn is over.
    SignOut,
    /// The offer is taken.
    Accept {
        /// Which.
        offer: String,
    },
    /// The offer is turned down.
    Reject {
        /// Which.
        offer: String,
    },
    /// The talk is over.
    Complete {
        /// Which.
        contact: String,
    },
    /// The wrap-up is.
    WrapUp {
        /// Of which.
        contact: String,
        /// What came of it.
        outcome: &'static str,
        /// What it was about; empty: not known.
        topic: String,
    },
}

impl Say {
    /// The socket's command and its arguments.
    pub fn frame(&self) -> (&'static str, Value) {
        match self {
            Self::Ready => ("presence", json!({"state": "ready"})),
            // Offers that are out stand, and it takes effect when work has ended.
            Self::NotReady(reason) => {
                ("presence", json!({"state": "not_ready", "reason": reason, "after": true}))
            }
            Self::SignOut => ("presence", json!({"state": "signed_out", "after": true})),
            Self::Accept { offer } => ("accept", json!({ "offer": offer })),
            Self::Reject { offer } => {
                ("reject", json!({"offer": offer, "reason": "busy_elsewhere"}))
            }
            Self::Complete { contact } => ("complete", json!({ "contact": contact })),
            Self::WrapUp { contact, outcome, topic } => {
                let mut args = json!({"contact": contact, "outcome": outcome});
                // Not known of what a former life left.
                if !topic.is_empty() {
                    args["topic"] = topic.as_str().into();
                }
                ("wrap_up", args)
            }
        }
    }
}

/// How an agent stands, as far as a mind looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Presence by name.
    pub state: String,
    /// Why not ready.
    pub reason: String,
    /// The contact in talk.
    pub talks: String,
    /// The contact in wrap-up.
    pub wraps: String,
}

impl Standing {
    /// Of `GET /agents/{id}`.
    pub fn of(agent: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let leg = |wanted: &dyn Fn(&str) -> bool| {
            let work = agent["work"].as_array().map_or(&[][..], Vec::as_slice);
            let found = work.iter().find(|leg| leg["state"].as_str().is_some_and(wanted));
            found.map(|leg| text(&leg["contact"])).unwrap_or_default()
        };
        Self {
            state: text(&agent["state"]),
            reason: text(&agent["reason"]),
            talks: leg(&|state| state != "wrap_up" && state != "offered"),
            wraps: leg(&|state| state == "wrap_up"),
        }
    }
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
        accepts: Option<bool>,
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
    is_on_phone: bool,
    /// When the turn is over.
    until_s: f64,
    /// When to sign out; none: not yet.
    leave_at_s: Option<f64>,
    in_haste: bool,
    has_left: bool,
    /// The queue of the last offer, and the mean of its talks.
    queue: String,
    talk_mean_s: f64,
}

impl Mind {
    /// One turn of somebody, of a seed, who takes it up at `now_s`.
    pub fn new(seed: u64, duty: &Duty, now_s: f64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed ^ OWN_CHANCE);
        chance.set_stream(duty.stream);
        // The first breaks are spread over the whole of a stretch of work.
        let break_at_s =
            now_s.max(duty.from_s) + chance.random_range(WORK_S.start / 4.0..WORK_S.end);
        Self {
            chance,
            doing: Doing::Unknown,
            break_at_s,
            is_on_phone: duty.is_on_phone,
            until_s: duty.to_s,
            leave_at_s: None,
            in_haste: false,
            has_left: false,
            queue: String::new(),
            talk_mean_s: TALK_MEAN_S,
        }
    }

    /// An offer rings, of a queue whose talks take so long.
    pub fn offered(&mut self, now_s: f64, offer: &str, queue: &str, talk_mean_s: Option<f64>) {
        if matches!(&self.doing, Doing::Ringing { offer: known, .. } if known == offer) {
            return;
        }
        queue.clone_into(&mut self.queue);
        self.talk_mean_s = talk_mean_s.unwrap_or(TALK_MEAN_S);
        let luck: f64 = self.chance.random();
        let accepts = (MISSES <= luck).then_some(MISSES + REJECTS <= luck);
        let delay_s = lognormal_s(&mut self.chance, ANSWER_MEAN_S, SIGMA);
        let at_s = if accepts.is_some() { now_s + delay_s } else { f64::INFINITY };
        self.doing = Doing::Ringing { offer: offer.to_owned(), accepts, at_s };
    }

    /// The offer is over.
    pub fn recalled(&mut self, offer: &str) {
        if matches!(&self.doing, Doing::Ringing { offer: known, .. } if known == offer) {
            self.doing = Doing::Idle;
        }
    }

    /// How the server says that the agent stands; true: an offer was missed.
    pub fn hear(&mut self, now_s: f64, agent: &Standing) -> bool {
        match agent.state.as_str() {
            "signed_out" => {
                self.has_left = self.leave_at_s.is_some();
                if !matches!(self.doing, Doing::Out { .. }) {
                    let at_s = now_s + self.chance.random_range(0.0..COME_WITHIN_S);
                    self.doing = Doing::Out { at_s };
                }
            }
            "ready" => {
                // Sent to the telephone by somebody: a while, then back to what was to be done.
                if !self.is_on_phone && self.doing != Doing::Idle {
                    self.break_at_s = now_s + HELP_S;
                }
                self.doing = Doing::Idle;
            }
            "busy" => self.talk(now_s, &agent.talks),
            "wrap_up" => self.wrap_up(now_s, &agent.wraps),
            "not_ready" => return self.away(now_s, &agent.reason),
            // The offer itself comes in a frame of its own.
            "offered" => (),
            _ => self.doing = Doing::Unknown,
        }
        false
    }

    fn talk(&mut self, now_s: f64, contact: &str) {
        if matches!(&self.doing, Doing::Talking { contact: known, .. } if *known == contact) {
            return;
        }
        let mean_s = self.talk_mean_s * EITHER_SIDE;
        let span_s = lognormal_s(&mut self.chance, mean_s, TALK_SIGMA);
        let at_s = if self.in_haste { now_s } else { now_s + span_s };
        self.doing = Doing::Talking { contact: contact.to_owned(), at_s };
    }

    fn wrap_up(&mut self, now_s: f64, contact: &str) {
        if matches!(&self.doing, Doing::Wrapping { contact: known, .. } if *known == contact) {
            return;
        }
        let span_s = lognormal_s(&mut self.chance, WRAP_UP_MEAN_S, SIGMA);
        let at_s = if self.in_haste { now_s } else { now_s + span_s };
        self.doing = Doing::Wrapping { contact: contact.to_owned(), at_s };
    }

    /// True where it is for an offer that was just missed.
    fn away(&mut self, now_s: f64, reason: &str) -> bool {
        if matches!(&self.doing, Doing::Away { reason: known, .. } if known == reason) {
            return false;
        }
        let span = match reason {
            "missed_offer" | "rejected_offer" => RETURN_S,
            own if !self.is_on_phone && OTHERS.contains(&own) => OTHER_S,
            own if BREAKS.contains(&own) => BREAK_S,
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
            Doing::Unknown | Doing::Idle | Doing::Ringing { accepts: None, .. } => (),
            Doing::Ringing { at_s, .. }
            | Doing::Out { at_s }
            | Doing::Talking { at_s, .. }
            | Doing::Wrapping { at_s, .. }
            | Doing::Away { at_s, .. } => *at_s = at_s.min(again_s),
        }
        self.leave_at_s = self.leave_at_s.map(|at_s| at_s.min(again_s));
    }

    /// The turn ends now, whatever the rota says; what is in hand is cut short and brought to its
    /// end.
    pub fn leave_in_haste(&mut self, now_s: f64) {
        self.leave_at_s.get_or_insert(now_s);
        self.in_haste = true;
        if let Doing::Talking { at_s, .. } | Doing::Wrapping { at_s, .. } = &mut self.doing
            && at_s.is_finite()
        {
            *at_s = now_s;
        }
    }

    /// Whether the turn is over for it, though there may be work in hand.
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
        doing_s.min(self.leave_at_s.unwrap_or(self.until_s))
    }

    /// What is due, one thing at a time.
    pub fn due(&mut self, now_s: f64) -> Option<Say> {
        if self.leave_at_s.unwrap_or(self.until_s) <= now_s {
            self.leave_at_s = Some(f64::INFINITY);
            // Who never came need not leave.
            self.has_left |= matches!(self.doing, Doing::Out { .. });
            return (!self.has_left).then_some(Say::SignOut);
        }
        if now_s < self.next_s() {
            return None;
        }
        let said_s = f64::INFINITY;
        match &mut self.doing {
            Doing::Unknown => None,
            Doing::Out { at_s } | Doing::Away { at_s, .. } => {
                *at_s = said_s;
                if self.is_on_phone { Some(Say::Ready) } else { Some(self.other_work()) }
            }
            Doing::Idle if self.is_on_phone => {
                self.break_at_s = now_s + self.chance.random_range(WORK_S);
                Some(Say::NotReady(BREAKS[self.chance.random_range(0..BREAKS.len())]))
            }
            Doing::Idle => {
                self.break_at_s = now_s + HELP_S;
                Some(self.other_work())
            }
            Doing::Ringing { offer, accepts, at_s } => {
                *at_s = said_s;
                let offer = offer.clone();
                let accepts = (*accepts)?;
                Some(if accepts { Say::Accept { offer } } else { Say::Reject { offer } })
            }
            Doing::Talking { contact, at_s } => {
                *at_s = said_s;
                Some(Say::Complete { contact: contact.clone() })
            }
            Doing::Wrapping { contact, at_s } => {
                *at_s = said_s;
                let (contact, topic) = (contact.clone(), self.queue.clone());
                let outcome = OUTCOMES[self.chance.random_range(0..OUTCOMES.len())];
                Some(Say::WrapUp { contact, outcome, topic })
            }
        }
    }

    /// Another than what is done now.
    fn other_work(&mut self) -> Say {
        let now = match &self.doing {
            Doing::Away { reason, .. } => OTHERS.iter().position(|other| other == reason),
            _ => None,
        };
        let steps = self.chance.random_range(1..OTHERS.len());
        Say::NotReady(OTHERS[(now.unwrap_or(0) + steps) % OTHERS.len()])
    }
}

#[cfg(test)]
#[path = "mind_tests.rs"]
mod tests;
