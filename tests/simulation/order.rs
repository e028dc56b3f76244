//! The order of one instant can be seen: a run that swaps two of its phases gives other events.
//!
//! That the actors' events are the pure loop's is shown in `random`; here the pure loop, with two
//! phases swapped, stands for actors that would swap them.

use std::collections::BTreeSet;
use std::path::Path;

use super::random::{number, scenario};
use atalaya::simulation::order::Order;
use atalaya::simulation::pure::{run, run_in_order};
use atalaya::simulation::scenario::parse;
use atalaya_domain::time::Phase;

/// Pairs whose order nothing can show, with the reason. There are none: every phase has events of
/// its own, so that two at one instant stand in the log one way or the other. `Live` is no phase of
/// a scenario.
const HIDDEN: [(Phase, Phase, &str); 0] = [];

/// Random scenarios after which a pair counts as one that no scenario shows.
const SCENARIOS: u64 = 500;

/// A lease ends, and a contact hangs up, as it may be offered again to who rejected it: chance
/// brings these together too seldom.
const BACK_OFF: &str = r#"
[scenario]
name = "a lease and a patience end as a back-off does"
start = "2026-03-02T08:00:00Z"
end = "2026-03-02T08:05:00Z"

[[queue]]
id = "q"
on_reject = "ready"

[[agents]]
id = "ana"

[[agents]]
id = "luis"

[[contact]]
id = "c"
at = "2s"
queue = "q"
service = "10s"
hangs_up_at = "63s"

[[action]]
at = "1s"
agent = "luis"
does = "not_ready"

[[action]]
at = "3s"
agent = "ana"
does = "reject"

[[action]]
at = "48s"
agent = "luis"
does = "disconnect"
"#;

#[test]
fn an_order_that_swaps_two_phases_is_found_out() {
    let phases: Vec<_> = Phase::ALL.into_iter().filter(|phase| *phase != Phase::Live).collect();
    let mut unseen = BTreeSet::new();
    for (place, a) in phases.iter().enumerate() {
        unseen.extend(phases[place + 1..].iter().map(|b| (*a, *b)));
    }
    let pairs = unseen.len();
    let first = number("ATALAYA_SEED", 1);
    let written = parse(BACK_OFF, "here", Path::new(".")).unwrap();
    let mut tried = 0;
    for scenario in [written].into_iter().chain((first..first + SCENARIOS).map(scenario)) {
        if unseen.len() <= HIDDEN.len() {
            break;
        }
        tried += 1;
        let events = run(&scenario).unwrap().events;
        let itself = run_in_order(&scenario, Order::swapping(Phase::Accept, Phase::Accept));
        assert_eq!(itself.unwrap().events, events, "a phase that changes places with itself");
        unseen.retain(|(a, b)| {
            let swapped = run_in_order(&scenario, Order::swapping(*a, *b));
            swapped.is_ok_and(|swapped| swapped.events == events)
        });
    }
    eprintln!("{} of {pairs} pairs seen within {tried} scenarios", pairs - unseen.len());
    let unseen: Vec<_> = unseen.into_iter().collect();
    let hidden: Vec<_> = HIDDEN.iter().map(|(a, b, _)| (*a, *b)).collect();
    assert_eq!(unseen, hidden, "pairs that no scenario shows, and those that none can");
}
