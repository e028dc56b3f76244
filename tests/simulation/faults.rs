//! Lanes that die in lockstep: no token is lost, and what the centre itself does is done again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::actors::through_faulty_actors;
use super::random::scenario;
use atalaya::actors::guardian::{APPLY_PANICKED, Faults};
use atalaya::simulation::pure::{Row, run};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::{Command, Event};
use atalaya_domain::{contact, system};

/// The scenarios that are tried.
const SEEDS: std::ops::Range<u64> = 1..31;

/// Each lane dies once, of the first command of this name.
#[derive(Default)]
struct Once {
    of: &'static str,
    dead: Mutex<BTreeSet<EntityId>>,
}

impl Faults for Once {
    fn before_lead(&self, to: &EntityId, command: &Command) {
        let Command::Contact(command) = command else { return };
        let first = command.name() == self.of && self.dead.lock().unwrap().insert(to.clone());
        assert!(!first, "a trap: the lane of {to} dies once");
    }
}

#[test]
fn a_tick_that_dies_with_its_lane_is_sent_again() {
    let mut died = 0;
    for seed in SEEDS {
        let scenario = scenario(seed);
        let once = Arc::new(Once { of: contact::Command::Tick.name(), ..Once::default() });
        let (_, entries, restarts) = through_faulty_actors(&scenario, Some(once));
        let events = entries.into_iter().flat_map(|entry| entry.events);
        let events: Vec<Recorded> = events.map(|event| event.recorded).collect();
        assert_eq!(events, run(&scenario).unwrap().events, "seed {seed}");
        died += restarts.values().sum::<u64>();
    }
    assert!(died > 50, "only {died} lanes died");
}

#[test]
fn an_offer_that_dies_with_its_lane_is_made_again_to_the_same_agent() {
    let mut died = 0;
    for seed in SEEDS {
        let scenario = scenario(seed);
        let once = Arc::new(Once { of: "be offered", ..Once::default() });
        let (mut rows, _, restarts) = through_faulty_actors(&scenario, Some(once));
        let mut wanted = run(&scenario).unwrap().rows();
        let by_contact = |row: &Row| row.contact.clone();
        rows.sort_by_key(by_contact);
        wanted.sort_by_key(by_contact);
        assert_eq!(rows, wanted, "seed {seed}");
        died += restarts.values().sum::<u64>();
    }
    assert!(died > 50, "only {died} lanes died");
}

/// The machine of one agent cannot apply its reservations, and the centre's lane dies of the first
/// word of it.
#[derive(Default)]
struct Unable(Mutex<bool>);

impl Faults for Unable {
    fn before_lead(&self, _to: &EntityId, command: &Command) {
        if matches!(command, Command::System(system::Command::Quarantine { .. })) {
            let again = std::mem::replace(&mut *self.0.lock().unwrap(), true);
            assert!(again, "a trap: the first word of it is lost");
        }
    }

    fn before_apply(&self, recorded: &Recorded) {
        let reserved = recorded.event.name() == "reserved";
        let first = reserved && recorded.entity.to_string() == "agent:a1";
        assert!(!first, "a trap: a1 cannot be reserved");
    }
}

#[test]
fn what_cannot_be_applied_is_told_first_of_all() {
    let mut told = 0;
    for seed in SEEDS {
        let scenario = scenario(seed);
        let unable = Arc::new(Unable::default());
        let (_, entries, restarts) = through_faulty_actors(&scenario, Some(unable));
        let fails = entries.iter().position(|entry| {
            entry.events.iter().any(|event| {
                let recorded = &event.recorded;
                recorded.event.name() == "reserved" && recorded.entity.to_string() == "agent:a1"
            })
        });
        let Some(fails) = fails else { continue };
        told += 1;
        assert_eq!(restarts.get("system"), Some(&1), "seed {seed}: a word that dies is said again");
        let quarantined: Vec<_> = entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| {
                entry.events.iter().any(|event| match &event.recorded.event {
                    Event::System(system::Event::Quarantined { entity, cause }) => {
                        entity.to_string() == "agent:a1" && cause == APPLY_PANICKED
                    }
                    _ => false,
                })
            })
            .map(|(number, _)| number)
            .collect();
        assert_eq!(quarantined, [fails + 1], "seed {seed}: once, in the very next entry");
        let recalled = &entries[fails + 1].events[1].recorded;
        assert_eq!(recalled.event.name(), "offer_recalled", "seed {seed}: the offer is given back");
        let later = entries[fails + 1..].iter().flat_map(|entry| &entry.events);
        let to_a1 = later.filter(|event| match &event.recorded.event {
            Event::Contact(contact::Event::Offered { agent, .. }) => agent.as_str() == "a1",
            _ => false,
        });
        assert_eq!(to_a1.count(), 0, "seed {seed}: out of dispatch");
    }
    assert!(told > 10, "a1 was reserved in {told} scenarios only");
}
