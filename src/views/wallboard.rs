//! All that the wallboard topic's snapshot holds, folded from the log.
//!
//! Counts follow what the states became, not what events are called: an event that changed nothing
//! (its entity is out of service) counts nothing, so the sums hold. Everything belongs to the day
//! of its own instant: what is told after midnight and happened before changes what was carried
//! over, never today's counts. So the view is a function of the log and of `now`, whenever it was
//! asked to roll.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atalaya_domain::agent::Kind;
use atalaya_domain::contact::{Contact, State as Place};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{AgentId, ContactId, EntityId, QueueId};
use atalaya_domain::kpi::Counts;
use atalaya_domain::queue::{Queue, Rules, Status};
use atalaya_domain::skills::Profile;
use atalaya_domain::time::Timestamp;
use atalaya_domain::{Event, State, system};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::figures::{Day, Window};
use super::json::{rfc3339, target_json};
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
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Line {
    pub(super) rules: Option<Arc<Rules>>,
    pub(super) status: Status,
    /// Offered ones included; the oldest first.
    pub(super) waiting: BTreeSet<(Timestamp, ContactId)>,
    /// In conversation, on hold included.
    pub(super) active: BTreeSet<ContactId>,
    pub(super) today: Day,
    pub(super) window: Window,
}

impl Line {
    /// How many of `ready` may take what waits in the queue `id`, whose line this is.
    pub(super) fn ready(&self, id: &QueueId, ready: &BTreeMap<&Profile, u64>) -> u64 {
        let Some(rules) = self.rules.as_deref() else { return 0 };
        let fit = |profile: &Profile| rules.requirement.unfit(id, profile).is_none();
        ready.iter().filter(|(profile, _)| fit(profile)).map(|(_, count)| count).sum()
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
    /// Contacts out of service: alerted, and no longer among those who wait or talk.
    pub(super) quarantined: BTreeSet<ContactId>,
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
            quarantined: BTreeSet::new(),
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
                self.quarantined.insert(*contact);
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
        if after.is_waiting() && !self.quarantined.contains(&id) {
            line.waiting.insert((after.arrived_at, id));
        }
        if is_active(after) && !self.quarantined.contains(&id) {
            line.active.insert(id);
        } else {
            line.active.remove(&id);
        }
        let change = change(at, before, after);
        match self.today {
            Some((from, _)) if at < from => line.today.amend_carried_over(&change),
            Some(_) | None => line.today.add(&change),
        }
        if change.level != Counts::default() {
            line.window.count(at, &change.level);
        }
    }

    /// Exactly the API's `data`.
    pub fn data(&self, scope: Scope) -> Value {
        json!({
            "totals": self.totals(),
            "queues": self.queues_json(),
            "agents": self.agents_json(scope),
            // No service request is taken yet.
            "requests": { "open": 0, "overdue": 0, "escalated": 0, "by_state": {}, "by_level": {} },
            "alerts": self.alerts_json(),
        })
    }

    /// The live figures of one queue, as the queue's own answer adds them.
    pub fn figures(&self, queue: &QueueId) -> Option<Value> {
        let line = self.queues.get(queue)?;
        Some(self.line_json(queue, line, &self.ready_profiles()))
    }

    fn totals(&self) -> Value {
        let mut presences = Kind::ALL.map(|kind| (kind, 0_u64));
        for (_, _, presence) in self.roster.signed_in() {
            for (kind, count) in &mut presences {
                *count += u64::from(*kind == presence.state);
            }
        }
        let of = |wanted: Kind| {
            presences.iter().find(|(kind, _)| *kind == wanted).map_or(0, |(_, count)| *count)
        };
        let (mut day, mut waiting, mut active) = (Day::default(), 0, 0);
        for line in self.queues.values() {
            day.add(&line.today);
            waiting += line.waiting.len();
            active += line.active.len();
        }
        let signed_in: u64 = presences.iter().map(|(_, count)| count).sum();
        let mut totals = Map::new();
        totals.insert("waiting".to_owned(), json!(waiting));
        totals.insert("active".to_owned(), json!(active));
        totals.insert("signed_in".to_owned(), json!(signed_in));
        let shown = [Kind::Ready, Kind::Offered, Kind::Busy, Kind::WrapUp, Kind::NotReady];
        for kind in shown.into_iter().chain([Kind::Lost]) {
            totals.insert(kind.name().to_owned(), json!(of(kind)));
        }
        day.counters(&mut totals);
        let oldest = self.queues.values().filter_map(oldest).min();
        totals.insert("longest_wait_since".to_owned(), json!(oldest.map(rfc3339)));
        Value::Object(totals)
    }

    fn queues_json(&self) -> Value {
        let ready = self.ready_profiles();
        let queues = self.queues.iter();
        queues.map(|(id, line)| (id.to_string(), self.line_json(id, line, &ready))).collect()
    }

    /// How many ready agents there are of each profile: far fewer profiles than agents.
    pub(super) fn ready_profiles(&self) -> BTreeMap<&Profile, u64> {
        let mut ready = BTreeMap::new();
        for (_, agent, presence) in self.roster.signed_in() {
            if let (Kind::Ready, Some(facts)) = (presence.state, &agent.facts) {
                *ready.entry(&facts.profile).or_default() += 1;
            }
        }
        ready
    }

    fn line_json(&self, id: &QueueId, line: &Line, ready: &BTreeMap<&Profile, u64>) -> Value {
        let rules = line.rules.as_deref();
        let ready = line.ready(id, ready);
        let mut queue = Map::new();
        let mut put = |key: &str, value: Value| queue.insert(key.to_owned(), value);
        put("name", json!(rules.map_or(id.as_str(), |rules| &rules.name)));
        put("short_name", json!(rules.map_or(id.as_str(), |rules| &rules.short_name)));
        put("channel", json!("voice"));
        put("state", json!(line.status.name()));
        put("waiting", json!(line.waiting.len()));
        put("longest_wait_since", json!(oldest(line).map(rfc3339)));
        put("active", json!(line.active.len()));
        put("ready", json!(ready));
        line.today.counters(&mut queue);
        let mut put = |key: &str, value: Value| queue.insert(key.to_owned(), value);
        put("service_level_15m", line.window.level(self.now));
        put("asa_today_s", json!(line.today.asa_s()));
        put("aht_today_s", json!(line.today.aht_s()));
        // Nothing predicts a wait yet.
        put("expected_wait_s", Value::Null);
        put("target", rules.map_or(Value::Null, target_json));
        Value::Object(queue)
    }

    fn agents_json(&self, scope: Scope) -> Value {
        let tile = |id: &AgentId, agent: &atalaya_domain::agent::Agent| {
            let contact = Roster::at_work_on(agent);
            let queue = contact.and_then(|contact| self.contacts.get(&contact));
            (self.roster.name(id, scope), contact, queue.map(QueueId::as_str))
        };
        let signed_in = self.roster.signed_in().map(|(id, agent, presence)| {
            let (name, contact, queue) = tile(id, agent);
            let facts = agent.facts.as_deref();
            let value = json!({
                "name": name,
                "team": facts.map(|facts| facts.team.as_str()),
                "level": facts.map(|facts| facts.profile.level),
                "state": presence.state.name(),
                "reason": presence.reason.as_ref().map(atalaya_domain::ids::Slug::as_str),
                "since": rfc3339(presence.since),
                "queue": queue,
                "contact": contact.map(|contact| contact.to_string()),
            });
            (id.to_string(), value)
        });
        signed_in.collect()
    }

    fn alerts_json(&self) -> Value {
        let mut alerts: Vec<_> = self.alerts.iter().collect();
        alerts.sort_by_key(|(entity, (at, _))| (*at, *entity));
        let alert = |(entity, (at, cause)): (&EntityId, &(Timestamp, String))| {
            json!({
                "id": format!("quarantined:{entity}"),
                "severity": "critical",
                "rule": "quarantined",
                "text": format!("{entity} is out of service: {cause}"),
                "subject": { "entity": entity.to_string() },
                "at": rfc3339(*at),
            })
        };
        let impossible = self.impossible.iter().map(|(kind, (at, text))| {
            json!({
                "id": format!("impossible:{kind}"),
                "severity": "critical",
                "rule": "impossible",
                "text": format!("found what cannot be: {text}; please report it"),
                "subject": { "kind": kind },
                "at": rfc3339(*at),
            })
        });
        alerts.into_iter().map(alert).chain(impossible).collect()
    }
}

/// What a day gains by a contact's change.
pub(super) fn change(at: Timestamp, before: &Contact, after: &Contact) -> Day {
    let mut day = Day::default();
    if before.state == after.state {
        return day;
    }
    let within = after.entered.as_ref().and_then(|entered| entered.terms.within);
    let wait = at.since(after.arrived_at);
    let in_time = within.is_some_and(|within| wait <= within);
    day.offered = u64::from(before.state == Place::Unborn);
    day.refused = u64::from(matches!(after.state, Place::Refused { .. }));
    if before.answered_at.is_none() && after.answered_at.is_some() {
        day.answered = 1;
        day.waited = wait;
        day.level.answered_within = u64::from(in_time);
    }
    if after.state == Place::Abandoned {
        day.abandoned = 1;
        day.short_abandoned = u64::from(before.is_short(at));
        day.level.abandoned_within = u64::from(in_time);
    }
    if within.is_some() {
        day.level.answered = day.answered;
        day.level.abandoned = day.abandoned;
        day.level.short_abandoned = day.short_abandoned;
    }
    if let (Place::Closed { .. }, Some(answered)) = (&after.state, after.answered_at) {
        day.legs = 1;
        day.handled = at.since(answered);
    }
    day
}

const fn is_active(contact: &Contact) -> bool {
    matches!(contact.state, Place::Active { .. } | Place::Held { .. })
}

pub(super) fn oldest(line: &Line) -> Option<Timestamp> {
    line.waiting.first().map(|(arrived_at, _)| *arrived_at)
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
