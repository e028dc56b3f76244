//! Backup, verify and export beside a server under load. Three backups; `ATALAYA_LONG=1`: twelve.

use std::cell::Cell;
use std::rc::Rc;

use crate::fold::{entries_of, holds, last_seq};
use crate::house::{Place, board, furnish, segments};
use crate::ledger::Clerk;
use crate::support;

/// Segments so small that some are closed under each backup.
const CONFIG: &str = "[limits]\nlog_segment = \"16KiB\"\n";
const CALLERS: usize = 6;
const AGENTS: usize = 4;
/// Commands that are acknowledged before the first backup, at the least.
const WARM: usize = 150;
/// Wallboards that are noted before each backup.
const BOARDS: usize = 4;

#[actix_web::test]
async fn a_backup_under_load_is_whole_and_the_same_at_every_number() {
    let rounds = if support::long() { 12 } else { 3 };
    let place = Place::new(CONFIG);
    let server = place.serve("data", &[]);
    let mut wire = server.wire(&place.token());
    furnish(&mut wire, AGENTS).await;
    let mut clerks = Vec::new();
    for number in 0..CALLERS {
        clerks.push(Clerk::caller(format!("c{number}"), wire.another()));
    }
    for number in 0..AGENTS {
        let name = format!("agent-{number}");
        clerks.push(Clerk::agent(name.clone(), &name, wire.another()));
    }
    let ledgers: Vec<_> = clerks.iter().map(|clerk| clerk.ledger.clone()).collect();
    let broken = Rc::new(Cell::new(0));
    for (number, mut clerk) in clerks.into_iter().enumerate() {
        let broken = broken.clone();
        actix_web::rt::spawn(async move {
            let done =
                if number < CALLERS { clerk.call_on().await } else { clerk.serve_on().await };
            broken.set(broken.get() + usize::from(done.is_err()));
        });
    }
    let told = || {
        let told = |ledger: &crate::ledger::Ledger| {
            ledger.borrow().iter().filter(|line| line.told.is_some()).count()
        };
        ledgers.iter().map(told).sum::<usize>()
    };
    support::wait_for_async("load", async || (told() > WARM).then_some(())).await;

    let (mut shown, mut compared, mut beside) = (Vec::new(), 0, 0);
    for round in 0..rounds {
        for _ in 0..BOARDS {
            shown.push(board(&mut wire).await);
        }
        let (backup, back) = (format!("backup-{round}"), format!("back-{round}"));
        let before = told();
        let made = place.run_beside(&["backup", &backup, "--data", "data"]).await.good();
        let during = told() - before;
        assert!(made.starts_with(&format!("backed up to {backup}, and verified: ")), "{made}");
        let before = told();
        let sound = place.run_beside(&["verify", "--data", "data"]).await.good();
        assert!(sound.starts_with("sound: ") && !sound.contains("no whole batch"), "{sound}");
        let exported = place.run_beside(&["export", "--data", "data"]).await.good();
        let during_reads = told() - before;
        assert!(during > 0 && during_reads > 0, "nobody was served meanwhile");
        beside += during + during_reads;
        let sound = place.run_beside(&["verify", "--data", &backup]).await.good();
        assert!(sound.starts_with("sound, a backup: "), "{sound}");
        let restored = place.run_beside(&["restore", &backup, "--data", &back]).await.good();
        assert!(restored.starts_with(&format!("restored to {back}, and verified: ")), "{restored}");

        let entries = entries_of(&place.path(&back));
        let last = last_seq(&entries);
        assert!(made.contains(&format!("last seq {last}, ")), "{made}");
        let known = shown.iter().filter(|board| board["seq"].as_u64().unwrap() <= last);
        for board in known {
            holds(&entries, board);
            compared += 1;
        }
        let copied = place.run_beside(&["export", "--data", &back]).await.good();
        assert_eq!(copied.lines().count() as u64, last);
        assert!(exported.starts_with(&copied), "what was copied is not what was there");
    }
    assert_eq!(broken.get(), 0, "a client was cut off");
    let events = board(&mut wire).await["seq"].as_u64().unwrap();
    drop(server);
    let segments = segments(&place.path("data")).len();
    eprintln!(
        "{rounds} backups of {events} events in {segments} segments, {beside} commands beside them, \
         {compared} wallboards equal"
    );
    assert!(compared >= rounds * BOARDS, "only {compared} wallboards lay before a backup's end");
    assert!(segments > rounds, "{segments} segments only: make them smaller");
}
