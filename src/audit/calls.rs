//! What an event of a contact does to the picture, and what it counts.
//!
//! Each event is legal in some states only; a contact is counted in its queue. Not here: the
//! agent's side of the same entry (`people`); that the two fit together is checked where an entry
//! has ended ([`Picture::check_hands`]).

use serde_json::Value;

use super::counts::{Counts, RESULTS};
use super::people::Kind;
use super::picture::{Fault, Measure, Picture};

/// Where a contact is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Queued,
    Offered { offer: String, agent: String },
    Active { agent: String },
    Held { agent: String },
    WrapUp { agent: String },
}

impl Place {
    const fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Offered { .. } => "offered",
            Self::Active { .. } => "active",
            Self::Held { .. } => "held",
            Self::WrapUp { .. } => "wrap_up",
        }
    }

    /// Whose hands it is in, and as what.
    fn hands(&self) -> Option<(&str, Kind)> {
        match self {
            Self::Queued => None,
            Self::Offered { agent, .. } => Some((agent, Kind::Offered)),
            Self::Active { agent } | Self::Held { agent } => Some((agent, Kind::Active)),
            Self::WrapUp { agent } => Some((agent, Kind::WrapUp)),
        }
    }
}

/// One contact that is not over.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub(super) queue: String,
    arrived_at: i64,
    offered_at: i64,
    answered_at: Option<i64>,
    pub(super) place: Place,
    /// None: its queue's text was not known when it came.
    measure: Option<Measure>,
}

impl Contact {
    fn within(&self, wait: i64) -> u64 {
        let within = self.measure.and_then(|measure| measure.within);
        u64::from(within.is_some_and(|within| wait <= within))
    }

    fn has_target(&self) -> bool {
        self.measure.is_some_and(|measure| measure.within.is_some())
    }

    fn answered(&self, at: i64) -> Counts {
        let wait = at - self.arrived_at;
        let mut counts = Counts { answered: 1, waited: wait, ..Counts::default() };
        counts.unknown = u64::from(self.measure.is_none());
        if self.has_target() {
            counts.target = [1, self.within(wait), 0, 0];
        }
        counts
    }

    fn abandoned(&self, at: i64) -> Counts {
        let wait = at - self.arrived_at;
        let short = u64::from(self.measure.is_some_and(|measure| wait <= measure.short));
        let mut counts = Counts { abandoned: 1, short, ..Counts::default() };
        counts.unknown = u64::from(self.measure.is_none());
        if self.has_target() {
            counts.target = [0, 0, 1, short];
        }
        counts
    }
}

/// The new place of a contact, or none where the event is not legal.
fn next(place: &Place, name: &str, data: &Value) -> Option<Place> {
    let word = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
    let (offer, agent) = (word("offer"), word("agent"));
    match (name, place) {
        ("offered", Place::Queued) => Some(Place::Offered { offer, agent }),
        ("offer_accepted", Place::Offered { offer: out, agent: to })
            if *out == offer && *to == agent =>
        {
            Some(place.clone())
        }
        (
            "offer_rejected" | "offer_missed" | "offer_recalled",
            Place::Offered { offer: out, agent: to },
        ) if *out == offer && *to == agent => Some(Place::Queued),
        ("answered", Place::Offered { agent: to, .. }) if *to == agent => {
            Some(Place::Active { agent })
        }
        ("held", Place::Active { agent }) => Some(Place::Held { agent: agent.clone() }),
        ("resumed", Place::Held { agent }) => Some(Place::Active { agent: agent.clone() }),
        ("completed", Place::Active { agent: with } | Place::Held { agent: with })
            if *with == agent =>
        {
            Some(Place::WrapUp { agent })
        }
        ("wrap_up_extended", Place::WrapUp { .. })
        | ("priority_changed", Place::Queued | Place::Offered { .. }) => Some(place.clone()),
        _ => None,
    }
}

impl Picture {
    pub(super) fn of_contact(
        &mut self,
        id: &str,
        at: i64,
        name: &str,
        data: &Value,
        faults: &mut Vec<Fault>,
    ) {
        match name {
            "queued" => self.arrive(id, at, data, false, faults),
            "refused" if data["queue"].is_string() => self.arrive(id, at, data, true, faults),
            "abandoned" | "refused" | "wrap_up_ended" => self.leave(id, at, name, faults),
            // A contact that is over is forgotten here.
            "outcome_given" | "back_off_ended" => (),
            "offered" | "offer_accepted" | "answered" | "offer_rejected" | "offer_missed"
            | "offer_recalled" | "held" | "resumed" | "completed" | "wrap_up_extended"
            | "priority_changed" => self.go_on(id, at, name, data, faults),
            _ => self.strange("contact", name),
        }
    }

    fn arrive(&mut self, id: &str, at: i64, data: &Value, refused: bool, faults: &mut Vec<Fault>) {
        let queue = data["queue"].as_str().unwrap_or_default().to_owned();
        if self.contacts.contains_key(id) {
            faults.push(Fault::new("order", "a contact that is new", format!("{id} came twice")));
            return;
        }
        let measure = self.measure(&queue);
        let day = self.day_began();
        let line = self.queues.entry(queue.clone()).or_default();
        let more = Counts { offered: 1, refused: u64::from(refused), ..Counts::default() };
        line.book.count(at, day, more);
        if refused {
            return;
        }
        line.waiting.insert((at, id.to_owned()));
        let contact = Contact {
            queue,
            arrived_at: at,
            offered_at: at,
            answered_at: None,
            place: Place::Queued,
            measure,
        };
        self.contacts.insert(id.to_owned(), contact);
    }

    /// What ends a contact.
    fn leave(&mut self, id: &str, at: i64, name: &str, faults: &mut Vec<Fault>) {
        let is_out = self.is_out(id);
        let legal = self.contacts.get(id).is_some_and(|contact| match contact.place {
            Place::Queued => name != "wrap_up_ended",
            Place::WrapUp { .. } => name == "wrap_up_ended",
            Place::Offered { .. } | Place::Active { .. } | Place::Held { .. } => false,
        });
        if !legal && !is_out {
            self.illegal(id, name, faults);
        }
        let Some(contact) = self.contacts.remove(id) else { return };
        let more = match name {
            "abandoned" => contact.abandoned(at),
            "refused" => Counts { refused: 1, ..Counts::default() },
            _ => {
                let handled = at - contact.answered_at.unwrap_or(at);
                Counts { legs: 1, handled, ..Counts::default() }
            }
        };
        let day = self.day_began();
        let Some(line) = self.queues.get_mut(&contact.queue) else { return };
        line.waiting.remove(&(contact.arrived_at, id.to_owned()));
        line.active.remove(id);
        line.book.count(at, day, more);
        if more.abandoned > 0 {
            line.book.times.abandoned.observe(&self.bounds.wait, at - contact.arrived_at);
        }
        if more.legs > 0 {
            line.book.times.handle.observe(&self.bounds.handle, more.handled);
        }
    }

    /// What moves a contact on.
    fn go_on(&mut self, id: &str, at: i64, name: &str, data: &Value, faults: &mut Vec<Fault>) {
        let is_out = self.is_out(id);
        let to = self.contacts.get(id).and_then(|contact| next(&contact.place, name, data));
        let Some(to) = to else {
            if !is_out {
                self.illegal(id, name, faults);
            }
            return;
        };
        let day = self.day_began();
        let Some(contact) = self.contacts.get_mut(id) else { return };
        let Some(line) = self.queues.get_mut(&contact.queue) else { return };
        let waited = matches!(contact.place, Place::Queued | Place::Offered { .. });
        contact.place = to;
        let result = name.strip_prefix("offer_");
        if let Some(place) = RESULTS.iter().position(|known| Some(*known) == result) {
            line.book.offers[place] += 1;
        }
        if name == "offered" {
            contact.offered_at = at;
        }
        if name == "answered" && contact.answered_at.is_none() {
            contact.answered_at = Some(at);
            line.book.count(at, day, contact.answered(at));
            let wait = at - contact.arrived_at;
            line.book.times.answered.observe(&self.bounds.wait, wait);
            let taken = at - contact.offered_at;
            line.book.times.offer_to_answer.observe(&self.bounds.offer_to_answer, taken);
        }
        let waits = matches!(contact.place, Place::Queued | Place::Offered { .. });
        let talks = matches!(contact.place, Place::Active { .. } | Place::Held { .. });
        if waited && !waits {
            line.waiting.remove(&(contact.arrived_at, id.to_owned()));
        }
        if !waited && waits && !is_out {
            line.waiting.insert((contact.arrived_at, id.to_owned()));
        }
        if talks && !is_out {
            line.active.insert(id.to_owned());
        } else {
            line.active.remove(id);
        }
    }

    fn illegal(&self, id: &str, name: &str, faults: &mut Vec<Fault>) {
        let place = self.contacts.get(id).map_or("not there, or over", |c| c.place.name());
        let kind = match (name, place) {
            ("offered", "offered") => "two_offers",
            ("offered" | "answered", "active" | "held") => "two_agents",
            _ => "order",
        };
        let found = format!("`{name}` of contact {id}, which is {place}");
        faults.push(Fault::new(kind, "an event that is legal in this state", found));
    }

    fn is_out(&self, contact: &str) -> bool {
        !self.out.is_empty() && self.out.contains_key(&format!("contact:{contact}"))
    }

    /// A contact leaves service: it neither waits nor talks any more, and sums of its queue do not
    /// hold from now on.
    pub(super) fn take_out(&mut self, id: &str) {
        let Some(contact) = self.contacts.get(id) else { return };
        if let Some(line) = self.queues.get_mut(&contact.queue) {
            line.waiting.remove(&(contact.arrived_at, id.to_owned()));
            line.active.remove(id);
            line.broken = true;
        }
    }

    /// Where an entry has ended: a contact is with the agent who has it, and with nobody else.
    pub(super) fn check_hands(&self, faults: &mut Vec<Fault>) {
        if !self.out.is_empty() {
            return;
        }
        for (id, contact) in &self.contacts {
            let hands = contact.place.hands();
            let held = self.held_by.get(id).map(String::as_str);
            if hands.map(|(agent, _)| agent) != held {
                let expected = format!("contact {id} with {:?}", hands.map(|(agent, _)| agent));
                faults.push(Fault::new("hands", expected, format!("an agent's work: {held:?}")));
                continue;
            }
            let Some((agent, kind)) = hands else { continue };
            let work = self.agents.get(agent).and_then(|agent| agent.work.get(id));
            if work.is_none_or(|work| work.kind != kind) {
                let expected = format!("{agent} has contact {id} {}", kind.name());
                let found = format!("{:?}", work.map(|work| work.kind.name()));
                faults.push(Fault::new("hands", expected, found));
            }
        }
        for (contact, agent) in &self.held_by {
            if !self.contacts.contains_key(contact) {
                let found = format!("{agent} still has contact {contact}");
                faults.push(Fault::new("hands", "no work on a contact that is over", found));
            }
        }
    }
}
