//! What a mind says, and when.

use super::*;

const DUTY: Duty = Duty { from_s: 0.0, to_s: 1e6, is_on_phone: true, stream: 1 };

fn standing(state: &str) -> Standing {
    Standing { state: state.into(), ..Standing::default() }
}

fn talks() -> Standing {
    Standing { talks: "c1".into(), ..standing("busy") }
}

fn wraps() -> Standing {
    Standing { wraps: "c1".into(), ..standing("wrap_up") }
}

fn away(reason: &str) -> Standing {
    Standing { reason: reason.into(), ..standing("not_ready") }
}

/// The agent of the first seed who answers the first offer so.
fn who_answers(wanted: Option<bool>) -> Mind {
    let minds = (0..10_000).map(|seed| {
        let mut mind = Mind::new(seed, &DUTY, 0.0);
        mind.hear(0.0, &standing("ready"));
        mind.offered(0.0, "o1", "pensions", None);
        mind
    });
    let is_so =
        |mind: &Mind| matches!(&mind.doing, Doing::Ringing { accepts, .. } if *accepts == wanted);
    minds.into_iter().find(is_so).unwrap()
}

/// What it says next, once nothing else is heard.
fn next(mind: &mut Mind) -> Option<Say> {
    let at_s = mind.next_s();
    (at_s < 10_000.0).then(|| mind.due(at_s)).flatten()
}

#[test]
fn a_standing_is_read_from_the_wire() {
    let work = |state: &str| json!([{"contact": "c1", "state": state}]);
    let busy = json!({"state": "busy", "reason": null, "work": work("active")});
    assert_eq!(Standing::of(&busy), talks());
    let wrap_up = json!({"state": "wrap_up", "reason": null, "work": work("wrap_up")});
    assert_eq!(Standing::of(&wrap_up), wraps());
    let not_ready = json!({"state": "not_ready", "reason": "break", "work": []});
    assert_eq!(Standing::of(&not_ready), away("break"));
}

#[test]
fn a_call_is_accepted_spoken_completed_and_written_up() {
    let mut mind = who_answers(Some(true));
    assert_eq!(next(&mut mind), Some(Say::Accept { offer: "o1".into() }));
    assert_eq!(next(&mut mind), None, "said once");
    mind.hear(5.0, &talks());
    let hangs_up_s = mind.next_s();
    mind.hear(6.0, &talks());
    assert_eq!(mind.next_s().to_bits(), hangs_up_s.to_bits(), "hearing it again changes it");
    assert_eq!(next(&mut mind), Some(Say::Complete { contact: "c1".into() }));
    mind.hear(9.0, &wraps());
    let Some(Say::WrapUp { contact, topic, .. }) = next(&mut mind) else { panic!("{mind:?}") };
    assert_eq!((contact.as_str(), topic.as_str()), ("c1", "pensions"));
}

#[test]
fn a_missed_offer_is_counted_once_and_followed_by_ready() {
    let mut mind = who_answers(None);
    assert!(mind.hear(20.0, &away("missed_offer")));
    assert!(!mind.hear(21.0, &away("missed_offer")));
    assert_eq!(next(&mut mind), Some(Say::Ready));
}

#[test]
fn an_offer_recalled_is_not_answered() {
    let mut mind = who_answers(Some(true));
    mind.recalled("another");
    assert!(mind.next_s() < 1_000.0);
    mind.recalled("o1");
    assert!(matches!(next(&mut mind), None | Some(Say::NotReady(_))));
}

#[test]
fn what_was_refused_is_said_again() {
    let mut mind = who_answers(Some(true));
    let said = next(&mut mind);
    assert!(said.is_some());
    mind.refused(10.0);
    assert_eq!(next(&mut mind), said);
}

#[test]
fn who_is_sent_home_first_ends_what_is_in_hand() {
    let mut mind = Mind::new(1, &DUTY, 0.0);
    mind.hear(0.0, &talks());
    mind.leave_in_haste(1.0);
    assert_eq!(mind.due(1.0), Some(Say::SignOut));
    assert_eq!(mind.due(1.0), Some(Say::Complete { contact: "c1".into() }));
    mind.hear(1.0, &wraps());
    assert!(matches!(mind.due(1.0), Some(Say::WrapUp { .. })));
    assert_eq!(mind.due(1.0), None);
}

#[test]
fn a_turn_ends_by_itself_and_a_talk_is_not_cut_short() {
    let mut mind = Mind::new(1, &Duty { to_s: 2.0, ..DUTY }, 0.0);
    mind.hear(0.0, &talks());
    let hangs_up_s = match mind.doing {
        Doing::Talking { at_s, .. } => at_s,
        _ => 0.0,
    };
    assert_eq!(mind.due(2.0), Some(Say::SignOut));
    assert!(mind.is_leaving() && !mind.has_left());
    assert_eq!(mind.next_s().to_bits(), hangs_up_s.to_bits());
    mind.hear(9.0, &standing("signed_out"));
    assert!(mind.has_left());
    assert_eq!(next(&mut mind), None);
    // Who never came leaves without a word.
    let mut late = Mind::new(1, &Duty { to_s: 2.0, ..DUTY }, 0.0);
    late.hear(1.9, &standing("signed_out"));
    late.doing = Doing::Out { at_s: 60.0 };
    assert_eq!((late.due(2.0), late.has_left()), (None, true));
}

#[test]
fn who_is_not_on_the_telephone_does_one_thing_after_the_other() {
    let mut mind = Mind::new(1, &Duty { is_on_phone: false, ..DUTY }, 0.0);
    mind.hear(0.0, &standing("signed_out"));
    let mut done = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let at_s = mind.next_s();
        let Some(Say::NotReady(reason)) = mind.due(at_s) else { panic!("{mind:?}") };
        done.insert(reason);
        mind.hear(at_s, &away(reason));
    }
    assert!(2 < done.len(), "{done:?}");
    // Sent to the telephone it goes back after a while.
    let at_s = mind.next_s();
    mind.hear(at_s - 1_000.0, &standing("ready"));
    assert!(matches!(mind.due(at_s), Some(Say::NotReady(_))));
}
