//! The checker over random lives: between two entries of any, nothing that cannot be lasts.

use std::time::{Duration, Instant};

use super::actors::through_faulty_actors;
use super::random::scenario;
use atalaya::actors::checker::{Checker, impossible};
use atalaya::actors::slots::Slots;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::State;
use atalaya_domain::matching::Intake;
use atalaya_domain::time::Timestamp;

#[test]
fn nothing_impossible_lasts_in_random_lives() {
    let mut looks = 0;
    for seed in 1..121 {
        let scenario = scenario(seed);
        let (_, entries, _) = through_faulty_actors(&scenario, None);
        let (checker, slots, mut intake) =
            (Checker::default(), Slots::default(), Intake::default());
        let start = Instant::now();
        let wall = |at: Timestamp| {
            let since = at.since(scenario.start).0.max(0);
            start + Duration::from_micros(since.unsigned_abs())
        };
        for entry in &entries {
            let seq = entry.events.last().map_or(0, |event| event.seq);
            for event in &entry.events {
                slots.apply(event);
                let id = &event.recorded.entity;
                match (id, &slots.read(id).state) {
                    (EntityId::Agent(id), State::Agent(agent)) => intake.agent(id, agent),
                    (EntityId::Queue(id), State::Queue(queue)) => intake.queue(id, queue),
                    (EntityId::Contact(id), State::Contact(contact)) => {
                        intake.contact(*id, contact, event.seq);
                    }
                    _ => (),
                }
            }
            let states = slots.all();
            let states = states.iter().map(|(id, published)| (id, &**published));
            let found = impossible(states, &intake, entry.now);
            let told = checker.follow(found, wall(entry.now), seq);
            assert_eq!(told, [], "seed {seed}, event {seq}");
            looks += 1;
        }
    }
    assert!(looks > 5_000, "{looks} looks only");
}
