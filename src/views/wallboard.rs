//! All that the wallboard topic's snapshot holds, folded from the log.
//!
//! Counts follow what the states became, not what events are called: an event that changed nothing
//! (its entity is out of service) counts nothing, so the sums hold. Everything belongs to the day
//! of its own instant: what is told after midnight and happened before changes what was carried
//! over, never today's counts. So the view is a function of the log and of `now`, whenever it was
//! asked to roll. How it is shown is `data`'s to say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atalaya_domain::contact::{Contact, State as Place};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{AgentId, ContactId, EntityId, QueueId};
use atalaya_domain::queue::{Queue, Rules, Status};
use atalaya_domain::time::Timestamp;
use atalaya_domain::{Event, State, system};
use jiff::tz::TimeZone;

use super::cells::Cells;
use super::counted::Traces;
use super::figures::{Day, HOUR, QUARTER, Recent, Window, change};
use super::meter::Meter;
use super::roster::Roster;

/// Most alerts shown; what comes past it is counted in none, the oldest stay.
const ALERTS_MAX: usize = 100;

/// How much a reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Names whole.
    All,
    /// On a wall for everyone: names as initials.
    Wall,
}

/// One queue.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) rules: Option<Arc<Rules>>,
    pub(super) status: Status,
    /// Offered ones included; the oldest first.
    pub(super) waiting: BTreeSet<(Timestamp, ContactId)>,
    /// In conversation, on hold included.
    pub(super) active: BTreeSet<ContactId>,
    pub(super) today: Day,
    /// The last 15 min, and the last hour.
    pub(super) windows: [Window; 2],
}

impl Default for Line {
    fn default() -> Self {
        Self {
            rules: None,
            status: Status::default(),
            waiting: BTreeSet::new(),
            active: BTreeSet::new(),
            today: Day::default(),
            windows: [Window::new(QUARTER), Window::new(HOUR)],
        }
    }
}

/// The view.
#[derive(Debug, Clone, PartialEq)]
pub struct Wallboard {
    pub(super) time_zone: TimeZone,
    pub(super) seq: u64,
    pub(super) now: Timestamp,
    /// The local day: its first instant and the next one's; `None`: nothing has happened yet.
    pub(super) today: Option<(Timestamp, Timestamp)>,
    pub(super) queues: BTreeMap<QueueId, Line>,
    pub(super) roster: Roster,
    /// Where each contact that is not over came in.
    pub(super) contacts: BTreeMap<ContactId, QueueId>,
    pub(super) alerts: BTreeMap<EntityId, (Timestamp, String)>,
    pub(super) meter: Meter,
    /// Contacts out of service, and since when: alerted, and no longer among those who wait or
    /// talk.
    pub(super) quarantined: BTreeMap<ContactId, Timestamp>,
    /// Who arrived when, for reports.
    pub(super) cells: Cells,
    /// Whom the figures count.
    pub(super) traces: Traces,
    /// The last of each kind that cannot be: the checker's word, which is not of the log.
    pub(super) impossible: BTreeMap<&'static str, (Timestamp, String)>,
}

impl Wallboard {
    /// Nothing has happened; days turn at the midnights of `time_zone`.
    pub fn new(time_zone: TimeZone) -> Self {
        Self {
            time_zone,
            seq: 0,
            now: Timestamp(i64::MIN),
            today: None,
            queues: BTreeMap::new(),
            roster: Roster::default(),
            contacts: BTreeMap::new(),
            alerts: BTreeMap::new(),
            meter: Meter::default(),
            quarantined: BTreeMap::new(),
            cells: Cells::default(),
            traces: Traces::default(),
            impossible: BTreeMap::new(),
        }
    }

    /// One committed event, with its entity's state before and after it; in log order, an entry
    /// whole before anybody reads. An event that was folded already changes nothing.
    pub fn fold(&mut self, seq: u64, recorded: &Recorded, before: &State, after: &State) {
        if seq <= self.seq {
            return;
        }
        self.seq = seq;
        self.roll_to(recorded.at);
        self.cells.tell(recorded.at);
        match (&recorded.entity, before, after) {
            (EntityId::Agent(id), _, State::Agent(after)) => {
                let from = self.today.map_or(recorded.at, |(from, _)| from);
                self.roster.fold(id, after, recorded.at, from);
            }
            (EntityId::Queue(id), _, State::Queue(after)) => self.queue(id, after),
            (EntityId::Contact(id), State::Contact(before), State::Contact(after)) => {
                self.meter.fold(recorded, before, after);
                self.contact(*id, recorded.at, before, after);
            }
            _ => (),
        }
        if let Event::System(system::Event::Quarantined { entity, cause }) = &recorded.event {
            self.alert(entity, cause, recorded.at);
        }
    }

    /// Goes on to `now`: at local midnight today's counters turn, and who waits is carried over.
    /// An instant that is past already changes nothing.
    pub fn roll_to(&mut self, now: Timestamp) {
        if now <= self.now {
            return;
        }
        self.now = now;
        let Some((_, day_ends)) = self.today else {
            self.today = Some(local_day(&self.time_zone, now));
            return;
        };
        if now < day_ends {
            return;
        }
        let today = local_day(&self.time_zone, now);
        for line in self.queues.values_mut() {
            let carried_over = count(line.waiting.len());
            line.today = Day { carried_over, ..Day::default() };
        }
        self.roster.turn(today.0);
        self.traces.turn(today.0);
        self.today = Some(today);
    }

    /// The name of an agent: personal, so it comes beside the log.
    pub fn set_name(&mut self, agent: &AgentId, name: &str) {
        self.roster.set_name(agent, name);
    }

    /// `entity` is out of service; an agent is shown lost from now on, a contact neither waits
    /// nor is served any more.
    pub fn alert(&mut self, entity: &EntityId, cause: &str, at: Timestamp) {
        match entity {
            EntityId::Agent(agent) => self.roster.quarantine(agent, at),
            EntityId::Contact(contact) => {
                self.quarantined.entry(*contact).or_insert(at);
                for line in self.queues.values_mut() {
                    line.waiting.retain(|(_, id)| id != contact);
                    line.active.remove(contact);
                }
            }
            _ => (),
        }
        if self.alerts.len() < ALERTS_MAX {
            self.alerts.entry(entity.clone()).or_insert_with(|| (at, cause.to_owned()));
        }
    }

    /// Something was found at `at` that cannot be; the last of its kind is shown.
    pub fn impossible(&mut self, kind: &'static str, text: &str, at: Timestamp) {
        self.impossible.insert(kind, (at, text.to_owned()));
    }

    /// Sequence number of the last event folded.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The latest instant that the view has been told of.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Whose midnights turn the days.
    pub const fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// The agents.
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    fn queue(&mut self, id: &QueueId, after: &Queue) {
        let line = self.queues.entry(id.clone()).or_default();
        line.rules.clone_from(&after.rules);
        line.status = after.status;
    }

    fn contact(&mut self, id: ContactId, at: Timestamp, before: &Contact, after: &Contact) {
        let Some(entered) = &after.entered else { return };
        if after.is_over() {
            self.contacts.remove(&id);
        } else {
            self.contacts.entry(id).or_insert_with(|| entered.queue.clone());
        }
        let line = self.queues.entry(entered.queue.clone()).or_default();
        if before.is_waiting() {
            line.waiting.remove(&(before.arrived_at, id));
        }
        if after.is_waiting() && !self.quarantined.contains_key(&id) {
            line.waiting.insert((after.arrived_at, id));
        }
        if is_active(after) && !self.quarantined.contains_key(&id) {
            line.active.insert(id);
        } else {
            line.active.remove(&id);
        }
        let change = change(at, before, after);
        self.cells.fold(&entered.queue, before, after, &change);
        if let Some((midnight, _)) = self.today {
            self.traces.note(id, after, midnight);
        }
        match self.today {
            Some((from, _)) if at < from => line.today.amend_carried_over(&change),
            Some(_) | None => line.today.sums.add(&change),
        }
        for window in &mut line.windows {
            window.count(at, &Recent::of(&change));
        }
    }
}

const fn is_active(contact: &Contact) -> bool {
    matches!(contact.state, Place::Active { .. } | Place::Held { .. })
}

pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// First instants of the local day that holds `now`, and of the next; at the calendar's ends the
/// day has no end.
pub(super) fn local_day(time_zone: &TimeZone, now: Timestamp) -> (Timestamp, Timestamp) {
    let day = jiff::Timestamp::from_microsecond(now.0).and_then(|now| {
        let date = time_zone.to_datetime(now).date();
        let midnight = |date: jiff::civil::Date| time_zone.to_timestamp(date.at(0, 0, 0, 0));
        Ok((midnight(date)?, midnight(date.tomorrow()?)?))
    });
    let micros = |at: jiff::Timestamp| Timestamp(at.as_microsecond());
    day.map_or((now, Timestamp(i64::MAX)), |(from, to)| (micros(from), micros(to)))
}
