//! The wallboard as it is shown: the API's `data`, and what metrics are made of. What it is folded
//! from is `wallboard`'s.

use std::collections::BTreeMap;

use atalaya_domain::agent::{Agent, Kind};
use atalaya_domain::ids::{AgentId, EntityId, QueueId, Slug};
use atalaya_domain::skills::Profile;
use atalaya_domain::time::{Span, Timestamp};
use serde_json::{Map, Value, json};

use super::figures::{Day, Frame, HOUR, QUARTER, Recent, Window};
use super::json::{rfc3339, target_json, thresholds_json};
use super::meter::{Measures, QueueMeasures};
use super::roster::Roster;
use super::wallboard::{Line, Scope, Wallboard, count};

/// The windows of a queue, in the order in which it has them.
const FRAMES: [Frame; 2] = [QUARTER, HOUR];

impl Wallboard {
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

    /// What metrics are made of, of the same instant as [`Wallboard::data`].
    pub fn measures(&self) -> Measures {
        let queues = self.queues.iter().map(|(id, line)| {
            let since = |arrived_at| self.now.since(arrived_at);
            let measures = QueueMeasures {
                waiting: count(line.waiting.len()),
                longest_wait: oldest(line).map_or(Span::ZERO, since),
                service_level: quarter(line).sum(self.now).service_level(),
                counted: self.meter.counted(id),
            };
            (id.clone(), measures)
        });
        let (queues, agents) = (queues.collect(), self.roster.census());
        Measures { queues, agents }
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
        let mut recent = FRAMES.map(|frame| (frame, Recent::default()));
        for line in self.queues.values() {
            day.add(&line.today);
            waiting += line.waiting.len();
            active += line.active.len();
            for ((_, sum), window) in recent.iter_mut().zip(&line.windows) {
                sum.add(&window.sum(self.now));
            }
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
        for (frame, recent) in recent {
            recent.counters(frame, &mut totals);
        }
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
    fn ready_profiles(&self) -> BTreeMap<&Profile, u64> {
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
        let ready: u64 = rules.map_or(0, |rules| {
            let fit = |profile: &Profile| rules.requirement.unfit(id, profile).is_none();
            ready.iter().filter(|(profile, _)| fit(profile)).map(|(_, count)| count).sum()
        });
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
        for window in &line.windows {
            window.sum(self.now).counters(window.frame, &mut queue);
        }
        let mut put = |key: &str, value: Value| queue.insert(key.to_owned(), value);
        put("asa_today_s", json!(line.today.sums.asa_s()));
        put("aht_today_s", json!(line.today.sums.aht_s()));
        // Nothing predicts a wait yet.
        put("expected_wait_s", Value::Null);
        put("target", rules.map_or(Value::Null, target_json));
        put(
            "thresholds",
            rules.map_or_else(|| json!({}), |rules| thresholds_json(&rules.thresholds)),
        );
        Value::Object(queue)
    }

    fn agents_json(&self, scope: Scope) -> Value {
        let tile = |id: &AgentId, agent: &Agent| {
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
                "reason": presence.reason.as_ref().map(Slug::as_str),
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

const fn quarter(line: &Line) -> &Window {
    let [quarter, _] = &line.windows;
    quarter
}

fn oldest(line: &Line) -> Option<Timestamp> {
    line.waiting.first().map(|(arrived_at, _)| *arrived_at)
}
