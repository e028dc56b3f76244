//! A board that was kept comes back equal, and goes on as the one that was not.

use atalaya::views::{Scope, Wallboard};
use atalaya_domain::EntityId;
use atalaya_domain::agent::Wish;
use atalaya_domain::time::Span;
use proptest::prelude::*;

use crate::life::{Life, START, agent_id, madrid};
use crate::support;

fn life_of(steps: &[(u8, u8, u8)]) -> Life {
    let mut life = Life::new();
    for (place, step) in steps.iter().enumerate() {
        life.step(*step);
        if place % 16 == 7 {
            life.board.set_name(&agent_id("ana"), "Ana García");
            let out = if place % 32 == 7 {
                EntityId::Agent(agent_id("bea"))
            } else {
                life.contacts().next().map_or(EntityId::System, |(id, _)| id.into())
            };
            life.board.alert(&out, "its machine panicked", life.now);
        }
    }
    life
}

/// The board that `kept` is, told the contacts that a start finds.
fn restored(kept: &[u8], life: &Life) -> Wallboard {
    let mut board = Wallboard::restore(kept, madrid()).unwrap();
    for (id, contact) in life.contacts() {
        board.found(id, contact);
    }
    board
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_kept_board_comes_back_and_goes_on(
        steps in prop::collection::vec(any::<(u8, u8, u8)>(), 1..160),
        more in prop::collection::vec(any::<(u8, u8, u8)>(), 1..60),
    ) {
        let mut life = life_of(&steps);
        let kept = life.board.keep();
        let mut again = restored(&kept, &life);
        prop_assert_eq!(&again, &life.board);
        prop_assert_eq!(again.keep(), kept);
        let told = life.log.len();
        for step in more {
            life.step(step);
        }
        for folded in &life.log[told..] {
            again.fold(folded.seq, &folded.recorded, &folded.before, &folded.after);
        }
        prop_assert_eq!(&again, &life.board);
        let later = life.now.plus(Span::seconds(100_000));
        again.roll_to(later);
        life.board.roll_to(later);
        prop_assert_eq!(again.data(Scope::All), life.board.data(Scope::All));
        prop_assert_eq!(again.roster().data(Scope::All), life.board.roster().data(Scope::All));
    }

    #[test]
    fn bytes_that_are_no_board_do_not_come_back(
        change in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let kept = life_of(&[(0, 1, 1); 40]).board.keep();
        let end = cut.index(kept.len());
        prop_assert!(Wallboard::restore(&kept[..end], madrid()).is_none());
        let mut other = kept;
        for (at, byte) in change {
            let at = at.index(other.len());
            other[at] = byte;
        }
        // Another board or none; never a panic.
        let _ = Wallboard::restore(&other, madrid());
    }
}

#[test]
fn a_board_of_another_time_zone_or_version_does_not_come_back() {
    let life = life_of(&[(0, 1, 1); 40]);
    let kept = life.board.keep();
    assert_eq!(&restored(&kept, &life), &life.board);
    assert_eq!(Wallboard::restore(&kept, jiff::tz::TimeZone::UTC), None);
    let longer = [&kept[..], &[0]].concat();
    assert_eq!(Wallboard::restore(&longer, madrid()), None);
    for version in [0, 1, 3] {
        let other = [&[version], &kept[1..]].concat();
        assert_eq!(Wallboard::restore(&other, madrid()), None);
    }
    let mut utc = Wallboard::new(jiff::tz::TimeZone::UTC);
    assert_eq!(Wallboard::restore(&utc.keep(), jiff::tz::TimeZone::UTC).as_ref(), Some(&utc));
    utc.roll_to(START);
    assert_eq!(Wallboard::restore(&utc.keep(), jiff::tz::TimeZone::UTC), Some(utc));
}

/// Of an older version there is no board, and the log is folded again.
#[test]
fn a_board_of_the_first_version_does_not_come_back() {
    let kept = std::fs::read(support::root().join("tests/golden/board_v1.bin")).unwrap();
    assert_eq!(kept[0], 1);
    assert_eq!(Wallboard::restore(&kept, madrid()), None);
}

/// What an older program kept is read: a struct that changed without a new version is found out.
#[test]
fn what_was_released_comes_back_as_it_was() {
    let file = support::root().join("tests/golden/board_v2.bin");
    if std::env::var_os("ATALAYA_GOLDEN").is_some_and(|word| word == "write") && !file.exists() {
        let mut seed = 1_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()[0]
        };
        let steps: Vec<_> = (0..300).map(|_| (next(), next(), next() % 6)).collect();
        let mut life = life_of(&steps);
        for agent in ["ana", "carla"] {
            life.presence(agent, Wish::Ready);
            let contact = life.arrive("late", false);
            life.answer(contact, agent);
        }
        std::fs::write(&file, life.board.keep()).unwrap();
    }
    let kept = std::fs::read(file).unwrap();
    let board = Wallboard::restore(&kept, madrid()).unwrap();
    assert_eq!(board.keep(), kept);
    let totals = &board.data(Scope::All)["totals"];
    expect_test::expect![[r#"{"waiting":21,"active":2,"signed_in":3,"ready":0,"offered":1,"busy":2,"wrap_up":0,"not_ready":0,"lost":0,"offered_today":71,"answered_today":2,"abandoned_today":22,"short_abandoned_today":1,"refused_today":26,"overflowed_out_today":0,"transferred_out_today":0,"callbacks_today":0,"carried_over_today":0,"service_level_today":0.11764705882352941,"offered_15m":22,"answered_15m":2,"abandoned_15m":5,"short_abandoned_15m":1,"service_level_15m":0.4,"offered_1h":55,"answered_1h":2,"abandoned_1h":16,"short_abandoned_1h":1,"service_level_1h":0.16666666666666666,"longest_wait_since":"2026-03-02T08:03:14Z"}"#]].assert_eq(&totals.to_string());
}
