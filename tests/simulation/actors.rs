//! A scenario through the server's actors in lockstep.

use atalaya::actors::centre::play;
use atalaya::journal::commit::Memory;
use atalaya::simulation::pure::{Row, row};
use atalaya::simulation::scenario;
use atalaya_domain::entry::Recorded;
use atalaya_domain::machine::State;

/// A scenario over the writer thread and two arbiters.
pub(crate) fn through_the_actors(scenario: &scenario::Scenario) -> (Vec<Row>, Vec<Recorded>) {
    actix::System::new().block_on(async {
        let arbiters = [actix::Arbiter::new(), actix::Arbiter::new()];
        let handles = arbiters.iter().map(actix::Arbiter::handle).collect();
        let memory = Memory::default();
        let (centre, _) = play(scenario, Box::new(memory.clone()), handles).await.unwrap();
        let rows =
            centre.slots.ids().into_iter().filter_map(|id| match &centre.slots.read(&id).state {
                State::Contact(contact) => Some(row(contact)),
                _ => None,
            });
        let rows = rows.collect();
        let entries = memory.entries();
        let events = entries.into_iter().flat_map(|entry| entry.events);
        let events = events.map(|event| event.recorded).collect();
        for arbiter in &arbiters {
            assert!(arbiter.stop(), "an arbiter was gone");
        }
        (rows, events)
    })
}
