//! A scenario through the server's actors in lockstep.

use std::collections::BTreeMap;
use std::sync::Arc;

use atalaya::actors::guardian::Faults;
use atalaya::actors::lockstep::play_with;
use atalaya::journal::commit::{Memory, Sealed};
use atalaya::simulation::pure::{Row, row};
use atalaya::simulation::scenario;
use atalaya_domain::entry::Recorded;
use atalaya_domain::machine::State;

/// A scenario over the writer thread and two arbiters.
pub(crate) fn through_the_actors(scenario: &scenario::Scenario) -> (Vec<Row>, Vec<Recorded>) {
    let (rows, entries, _) = through_faulty_actors(scenario, None);
    let events = entries.into_iter().flat_map(|entry| entry.events);
    (rows, events.map(|event| event.recorded).collect())
}

/// The same over lanes that die by `faults`: with the entries, and how many lanes were started
/// anew.
pub(crate) fn through_faulty_actors(
    scenario: &scenario::Scenario,
    faults: Option<Arc<dyn Faults>>,
) -> (Vec<Row>, Vec<Sealed>, BTreeMap<&'static str, u64>) {
    actix::System::new().block_on(async {
        let arbiters = [actix::Arbiter::new(), actix::Arbiter::new()];
        let handles = arbiters.iter().map(actix::Arbiter::handle).collect();
        let memory = Memory::default();
        let (centre, _) =
            play_with(scenario, Box::new(memory.clone()), handles, faults).await.unwrap();
        let rows =
            centre.slots.ids().into_iter().filter_map(|id| match &centre.slots.read(&id).state {
                State::Contact(contact) => Some(row(contact)),
                _ => None,
            });
        let rows = rows.collect();
        for arbiter in &arbiters {
            assert!(arbiter.stop(), "an arbiter was gone");
        }
        (rows, memory.entries(), centre.guardian().restarts())
    })
}
