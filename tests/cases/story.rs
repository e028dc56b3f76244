//! A scenario played through the actors, told as lines: `6 c1 offer_accepted ana`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use atalaya::simulation::pure::run;
use atalaya::simulation::scenario::{Scenario, parse};
use atalaya_domain::agent::{Agent, Event as OfAgent};
use atalaya_domain::contact::{Contact, Event as OfContact};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{AgentId, ContactId, EntityId};
use atalaya_domain::machine::{Event, State};
use atalaya_domain::time::Timestamp;

use crate::actors::through_the_actors;

const HEAD: &str = r#"[scenario]
name = "a case"
start = "2026-03-02T08:00:00Z"
end = "2026-03-02T15:00:00Z"
"#;

/// What happened, in order.
pub(crate) struct Story {
    start: Timestamp,
    events: Vec<Recorded>,
    names: BTreeMap<ContactId, String>,
    states: BTreeMap<EntityId, State>,
}

/// Plays the tables that follow `[scenario]`, after holding it against the pure loop.
pub(crate) fn story(tables: &str) -> Story {
    let text = format!("{HEAD}{tables}");
    let scenario: Scenario = parse(&text, "case.toml", Path::new(".")).unwrap();
    let (_, events) = through_the_actors(&scenario);
    assert_eq!(events, run(&scenario).unwrap().events, "the actors do as the pure loop does");
    let (mut names, mut states) = (BTreeMap::new(), BTreeMap::new());
    for recorded in &events {
        let (
            Event::Contact(
                OfContact::Queued(entered) | OfContact::Refused { entered: Some(entered), .. },
            ),
            EntityId::Contact(id),
        ) = (&recorded.event, &recorded.entity)
        else {
            continue;
        };
        names.insert(*id, entered.external_id.clone().unwrap());
    }
    for recorded in &events {
        let state =
            states.entry(recorded.entity.clone()).or_insert_with(|| State::blank(&recorded.entity));
        state.apply(recorded.at, &recorded.event);
    }
    Story { start: scenario.start, events, names, states }
}

impl Story {
    /// A contact by its id in the scenario, as it is at the end.
    pub(crate) fn contact(&self, name: &str) -> &Contact {
        let (id, _) = self.names.iter().find(|(_, known)| *known == name).unwrap();
        match &self.states[&EntityId::Contact(*id)] {
            State::Contact(contact) => contact,
            other => panic!("{other:?}"),
        }
    }

    /// An agent as it is at the end.
    pub(crate) fn agent(&self, name: &str) -> &Agent {
        match &self.states[&EntityId::Agent(AgentId::new(name).unwrap())] {
            State::Agent(agent) => agent,
            other => panic!("{other:?}"),
        }
    }

    /// Microseconds since the scenario's start.
    pub(crate) fn offset(&self, at: Timestamp) -> i64 {
        at.since(self.start).0
    }

    /// The lines of one contact or agent, without those `but` names.
    pub(crate) fn of(&self, name: &str, but: &[&str]) -> Vec<String> {
        let lines = self.events.iter().filter_map(|recorded| self.line(recorded));
        let mine = lines.filter(|(who, what, _)| who == name && !but.contains(what));
        mine.map(|(_, _, line)| line).collect()
    }

    /// How an agent's presence went.
    pub(crate) fn presence_of(&self, agent: &str) -> Vec<String> {
        let told = self.of(agent, &[]);
        told.into_iter()
            .filter_map(|line| line.split_once(" presence ").map(|(at, now)| format!("{at} {now}")))
            .collect()
    }

    fn line(&self, recorded: &Recorded) -> Option<(String, &'static str, String)> {
        let Recorded { entity, at, event, .. } = recorded;
        let who = match entity {
            EntityId::Contact(id) => self.names[id].clone(),
            EntityId::Agent(id) => id.to_string(),
            EntityId::Queue(id) => id.to_string(),
            EntityId::System | EntityId::Token(_) | EntityId::Session(_) => return None,
        };
        let mut line = seconds(self.offset(*at));
        let (name, more) = match event {
            Event::Agent(OfAgent::PresenceChanged { state, reason, .. }) => {
                let reason = reason.as_ref().map_or(String::new(), |reason| format!("({reason})"));
                ("presence", format!(" {}{reason}", state.name()))
            }
            Event::Contact(
                OfContact::Offered { agent, .. }
                | OfContact::OfferAccepted { agent, .. }
                | OfContact::OfferMissed { agent, .. }
                | OfContact::OfferRejected { agent, .. }
                | OfContact::OfferRecalled { agent, .. },
            ) => (event.name(), format!(" {agent}")),
            Event::Contact(OfContact::Refused { reason, .. }) => {
                (event.name(), format!(" {reason}"))
            }
            _ => (event.name(), String::new()),
        };
        write!(line, " {name}{more}").unwrap();
        Some((who, event.name(), line))
    }
}

/// `6`, `14.999`.
fn seconds(micros: i64) -> String {
    let (whole, part) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let text = format!("{whole}.{part:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
