//! What an event of an agent does to the picture, and presence as it follows from what is in hand.
//!
//! The log tells presence twice: by `presence_changed`, last of its agent in its entry, and by what
//! happened. The two must be the same wherever an entry ends.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use super::picture::{Fault, Picture, instant, written};

/// The seven, in the order of the contract's tiles, `signed_out` last.
pub(super) const STATES: [&str; 7] =
    ["ready", "offered", "busy", "wrap_up", "not_ready", "lost", "signed_out"];

/// What an agent has of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Active,
    Offered,
    WrapUp,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Offered => "offered",
            Self::WrapUp => "wrap_up",
        }
    }
}

/// One contact in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) kind: Kind,
    pub(super) since: i64,
    pub(super) offer: String,
}

/// A state, why, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Presence {
    pub(super) state: &'static str,
    pub(super) reason: Option<String>,
    pub(super) since: i64,
}

impl Presence {
    fn plain(state: &'static str, since: i64) -> Self {
        Self { state, reason: None, since }
    }

    fn said(&self) -> String {
        let reason = self.reason.as_ref().map_or_else(String::new, |reason| format!("({reason})"));
        format!("{}{reason} since {}", self.state, written(self.since))
    }
}

/// What an agent did on the local day of the log's present.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Today {
    pub(super) offered: u64,
    pub(super) accepted: u64,
    pub(super) handled: u64,
    pub(super) missed: u64,
    pub(super) rejected: u64,
    /// Finished pauses, in microseconds.
    pub(super) not_ready: i64,
}

/// One agent.
#[derive(Debug, Clone, Default)]
pub(super) struct Agent {
    pub(super) version: u64,
    /// As configured; none: not known.
    pub(super) text: Option<Rc<Value>>,
    pub(super) signed_in: bool,
    signed_out_at: i64,
    lost: Option<i64>,
    not_ready: Option<String>,
    intent_since: i64,
    pub(super) pending: Option<(String, Option<String>)>,
    pub(super) work: BTreeMap<String, Work>,
    /// End of the last work, or the first sign-in.
    idle_since: Option<i64>,
    /// As `presence_changed` said last.
    told: Presence,
    pub(super) today: Today,
}

impl Agent {
    /// A local day begins.
    pub(super) fn turn(&mut self) {
        self.today = Today::default();
    }

    /// Whether a sign-in or any work has been.
    pub(super) const fn was_here(&self) -> bool {
        self.idle_since.is_some()
    }

    /// What follows from all that happened.
    pub(super) fn presence(&self) -> Presence {
        match (self.signed_in, self.lost) {
            (false, _) => Presence::plain("signed_out", self.signed_out_at),
            (true, Some(since)) => Presence::plain("lost", since),
            (true, None) => self.when_heard(),
        }
    }

    /// What a lost one was.
    pub(super) fn when_heard(&self) -> Presence {
        for (kind, state) in
            [(Kind::Active, "busy"), (Kind::Offered, "offered"), (Kind::WrapUp, "wrap_up")]
        {
            let of_kind = self.work.values().filter(|work| work.kind == kind);
            if let Some(since) = of_kind.map(|work| work.since).min() {
                return Presence::plain(state, since);
            }
        }
        if let Some(reason) = self.not_ready.clone() {
            let since = self.intent_since;
            return Presence { state: "not_ready", reason: Some(reason), since };
        }
        let idle = self.idle_since.unwrap_or(self.intent_since);
        Presence::plain("ready", self.intent_since.max(idle))
    }

    /// The contact that makes the agent what they are.
    pub(super) fn at_work_on(&self) -> Option<&str> {
        let first = self.work.iter().min_by_key(|(_, work)| (work.kind, work.since));
        first.map(|(contact, _)| contact.as_str())
    }

    fn leave_pause(&mut self, at: i64, day: i64) {
        if self.signed_in && self.not_ready.is_some() && at >= day {
            self.today.not_ready += at - self.intent_since.max(day);
        }
    }

    fn intend(&mut self, at: i64, day: i64, reason: Option<&str>) {
        self.leave_pause(at, day);
        self.not_ready = reason.map(str::to_owned);
        (self.intent_since, self.pending) = (at, None);
    }

    fn sign(&mut self, at: i64, day: i64, is_in: bool) {
        if !is_in {
            self.leave_pause(at, day);
            (self.signed_out_at, self.pending) = (at, None);
        } else if self.idle_since.is_none() {
            self.idle_since = Some(at);
        }
        (self.signed_in, self.lost, self.not_ready) = (is_in, None, None);
        if is_in {
            self.intent_since = at;
        }
    }

    /// The offer ended; counted where the event belongs to today.
    fn released(&mut self, at: i64, counts: bool, contact: &str, result: &str) {
        self.work.remove(contact);
        let more = u64::from(counts);
        match result {
            "accepted" => self.today.accepted += more,
            "rejected" => self.today.rejected += more,
            "missed" => self.today.missed += more,
            _ => (),
        }
        if matches!(result, "rejected" | "missed") {
            self.idle_since = Some(at);
        }
    }
}

impl Picture {
    pub(super) fn of_agent(
        &mut self,
        id: &str,
        at: i64,
        name: &str,
        data: &Value,
        text: Option<Rc<Value>>,
        faults: &mut Vec<Fault>,
    ) {
        let day = self.day_began();
        let agent = self.agents.entry(id.to_owned()).or_default();
        agent.version += 1;
        let counts = at >= day;
        let word = |key: &str| data[key].as_str().unwrap_or_default();
        let contact = word("contact").to_owned();
        match name {
            "changed" => agent.text = text,
            "signed_in" => agent.sign(at, day, true),
            "signed_out" => agent.sign(at, day, false),
            "intent_changed" => {
                let reason = data["reason"].as_str().filter(|_| data["state"] == "not_ready");
                agent.intend(at, day, reason);
            }
            "pending_changed" => {
                let reason = data["reason"].as_str().map(str::to_owned);
                agent.pending = data["state"].as_str().map(|state| (state.to_owned(), reason));
            }
            "reserved" => {
                agent.today.offered += u64::from(counts);
                self.take(id, at, &contact, Kind::Offered, word("offer"), faults);
            }
            "released" => self.release(id, at, counts, (word("offer"), word("result")), faults),
            "leg_started" => self.take(id, at, &contact, Kind::Active, "", faults),
            "leg_wrapping" => self.take(id, at, &contact, Kind::WrapUp, "", faults),
            "leg_ended" => {
                agent.today.handled += u64::from(counts);
                agent.idle_since = Some(at);
                if agent.work.remove(&contact).is_none() {
                    faults.push(Fault::new("order", "a leg in hand", format!("none of {contact}")));
                }
                self.held_by.remove(&contact);
            }
            "lost" => agent.lost = Some(at),
            "heard" => agent.lost = None,
            "presence_changed" => return self.presence_told(id, data, faults),
            _ => return self.strange("agent", name),
        }
        self.untold.insert(id.to_owned());
    }

    /// A contact comes into an agent's hands, or goes on in them.
    fn take(
        &mut self,
        id: &str,
        at: i64,
        contact: &str,
        kind: Kind,
        offer: &str,
        faults: &mut Vec<Fault>,
    ) {
        if let Some(other) = self.held_by.insert(contact.to_owned(), id.to_owned())
            && other != id
        {
            let kind = if kind == Kind::Offered { "two_offers" } else { "two_agents" };
            let found = format!("contact {contact} in the hands of {other} and of {id}");
            faults.push(Fault::new(kind, "a contact is with one agent", found));
        }
        let agent = self.agents.entry(id.to_owned()).or_default();
        let since = match agent.work.get(contact) {
            Some(work) if work.kind == kind => work.since,
            Some(_) | None => at,
        };
        let work = Work { kind, since, offer: offer.to_owned() };
        let before = agent.work.insert(contact.to_owned(), work);
        let held = u64::try_from(agent.work.len()).unwrap_or(u64::MAX);
        let most = agent.text.as_ref().and_then(|text| text["capacity"]["voice"].as_u64());
        if let (Kind::Offered, None, Some(most)) = (kind, before, most)
            && held > most
        {
            let (expected, found) = (format!("at most {most} in hand"), format!("{id} has {held}"));
            faults.push(Fault::new("capacity", expected, found));
        }
    }

    fn release(
        &mut self,
        id: &str,
        at: i64,
        counts: bool,
        (offer, result): (&str, &str),
        faults: &mut Vec<Fault>,
    ) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        let held = agent.work.iter().find(|(_, work)| work.offer == offer);
        let Some(contact) = held.map(|(contact, _)| contact.clone()) else {
            let found = format!("offer {offer} ended at {id}, who does not have it");
            faults.push(Fault::new("order", "an offer that is out", found));
            return;
        };
        agent.released(at, counts, &contact, result);
        self.held_by.remove(&contact);
    }

    /// `presence_changed`: what the log says must be what follows from it. A start of the server
    /// shows everybody lost until heard, which follows from nothing else.
    fn presence_told(&mut self, id: &str, data: &Value, faults: &mut Vec<Fault>) {
        let state = STATES.into_iter().find(|state| data["state"] == *state);
        let since = data["since"].as_str().and_then(instant).unwrap_or_default();
        let reason = data["reason"].as_str().map(str::to_owned);
        let told = Presence { state: state.unwrap_or("unknown"), reason, since };
        let Some(agent) = self.agents.get_mut(id) else { return };
        if told.state == "lost" && agent.lost.is_none() && agent.signed_in {
            agent.lost = Some(since);
        }
        let follows = agent.presence();
        agent.told = told;
        self.untold.remove(id);
        if follows != agent.told && !self.out.contains_key(&format!("agent:{id}")) {
            let found = format!("{id} {}", agent.told.said());
            faults.push(Fault::new("presence", follows.said(), found));
        }
    }

    /// Where an entry has ended: nobody's presence is other than the log said last.
    pub(super) fn settle(&mut self, faults: &mut Vec<Fault>) {
        for id in std::mem::take(&mut self.untold) {
            let Some(agent) = self.agents.get(&id) else { continue };
            let (follows, told) = (agent.presence(), &agent.told);
            let same = follows.state == told.state && follows.reason == told.reason;
            let configured_only = !agent.was_here() && !agent.signed_in;
            if !same && !configured_only && !self.out.contains_key(&format!("agent:{id}")) {
                let expected = format!("`presence_changed` to {}", follows.said());
                faults.push(Fault::new("presence", expected, format!("{id} {}", told.said())));
            }
        }
    }

    /// What views show of an agent's presence: one out of service is lost.
    pub(super) fn shown(&self, id: &str, agent: &Agent) -> Presence {
        let out = self.out.get(&format!("agent:{id}")).filter(|_| agent.signed_in);
        out.map_or_else(|| agent.presence(), |since| Presence::plain("lost", *since))
    }

    /// Work as JSON, by contact.
    pub(super) fn work_json(agent: &Agent) -> Value {
        let work = agent.work.iter().map(|(contact, work)| {
            let since = written(work.since);
            json!({ "contact": contact, "state": work.kind.name(), "since": since })
        });
        work.collect()
    }
}
