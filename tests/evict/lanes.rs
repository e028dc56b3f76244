//! Lanes end only when nothing was sent since: no command is lost on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use atalaya::actors::centre::Asked;
use atalaya::actors::shell::Failure;
use atalaya::journal::commit::Memory;
use atalaya_domain::contact::Command as ContactCommand;
use atalaya_domain::decision::Rejection;
use atalaya_domain::ids::{ContactId, EntityId};
use atalaya_domain::machine::Command;
use uuid::Uuid;

use crate::house::house_over;
use crate::support;

/// Rounds of commands, each of several at once to one of few entities.
const ROUNDS: usize = 3_000;
/// Lanes that are made in that time at least: the rounds go on until they were.
const LANES_MIN: u64 = 300;
const ENTITIES: u128 = 3;
const AT_ONCE: usize = 4;

#[actix_web::test]
async fn no_command_is_lost_while_lanes_end() {
    let arbiters = [actix::Arbiter::new(), actix::Arbiter::new()];
    let handles = arbiters.iter().map(actix::Arbiter::handle).collect();
    let house = house_over(Memory::default(), handles).await;
    let ids: Vec<EntityId> =
        (1..=ENTITIES).map(|id| ContactId(Uuid::from_u128(id)).into()).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let (before, made) = (house.centre.in_memory().1, house.centre.lanes_made());
    let flushing = std::thread::spawn({
        let (centre, ids, stop) = (house.centre.clone(), ids.clone(), stop.clone());
        move || {
            while !stop.load(Ordering::Acquire) {
                for id in &ids {
                    centre.end_lane(id);
                }
                std::thread::yield_now();
            }
        }
    });
    let enough = || LANES_MIN < house.centre.lanes_made() - made;
    for round in (0..).take_while(|round| *round < ROUNDS || !enough()) {
        let tells = (0..AT_ONCE).map(|_| {
            let to = ids[round % ids.len()].clone();
            let command = Command::Contact(ContactCommand::Abandon);
            house.centre.carry_out(Asked::by_system(to, command))
        });
        for answer in futures_util::future::join_all(tells).await {
            let unknown = Failure::Rejected(Rejection::Unknown { entity: "contact" });
            assert_eq!(answer.unwrap_err(), unknown, "in round {round}");
        }
    }
    stop.store(true, Ordering::Release);
    flushing.join().unwrap();
    let made = house.centre.lanes_made() - made;
    eprintln!("{made} lanes were made for {ENTITIES} entities");
    support::wait_for_async("the end of the lanes", async || {
        for id in &ids {
            house.centre.end_lane(id);
        }
        (house.centre.in_memory().1 == before).then_some(())
    })
    .await;
    house.stop();
    for arbiter in arbiters {
        arbiter.stop();
        arbiter.join().unwrap();
    }
}
