//! States as bytes: what was written once is read for ever, and nothing read can panic.
//!
//! `golden/states_v1.txt` has a line for every sample as version 1 was released: a line that does
//! not match any more is a format changed. `ATALAYA_GOLDEN=write` adds lines that are missing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use atalaya::journal::states::{STATE_BYTES_MAX, STATE_KINDS, decode_state, encode_state};
use atalaya_domain::agent::{Agent, Tally, Wish, Work};
use atalaya_domain::contact::{Choice, Contact, State as Place};
use atalaya_domain::credential::{Credential, Grant};
use atalaya_domain::ids::{ContactId, CredentialId, OfferId};
use atalaya_domain::priority::OrderKey;
use atalaya_domain::queue::{Queue, Status};
use atalaya_domain::system::System;
use atalaya_domain::time::Span;
use atalaya_domain::{Event, State, agent, contact};
use proptest::prelude::*;

use crate::life::Life;
use crate::samples::{AT, ana, rules, samples, slug, uuid};

fn contact_in(name: &'static str, state: Place) -> (String, State) {
    let entered = samples().into_iter().find_map(|event| match event {
        Event::Contact(contact::Event::Queued(entered)) => Some(entered),
        _ => None,
    });
    let choice = Choice { candidates: 4, idle_since: AT, next: vec![ana()] };
    let contact = Contact {
        version: 300,
        entered: entered.map(|entered| Arc::new(*entered)),
        priority: Some(slug("urgent")),
        order_key: OrderKey { rank: 1, at: AT },
        arrived_at: AT,
        state,
        offered_at: Some(AT),
        answered_at: Some(AT),
        ended_at: Some(AT),
        closed_at: Some(AT),
        held: Span::seconds(3),
        extended: true,
        back_off: BTreeMap::from([(ana(), AT)]),
        choice: Some((AT, ana(), choice)),
        outcome: Some("resolved".into()),
        topic: Some("pensión".into()),
    };
    (format!("contact.{name}"), State::Contact(contact))
}

fn agent_with(name: &str, pending: Option<Wish>, work: Work) -> (String, State) {
    let facts = samples().into_iter().find_map(|event| match event {
        Event::Agent(agent::Event::Changed { facts, .. }) => Some(facts),
        _ => None,
    });
    let agent = Agent {
        version: 3,
        facts,
        text_hash: [7; 16],
        signed_in: Some(AT),
        signed_out_at: AT,
        start: 4,
        not_ready: Some(slug("lunch")),
        intent_since: AT,
        pending,
        lost: Some(AT),
        unheard: Some(AT),
        work: BTreeMap::from([(ContactId(uuid(2)), work)]),
        idle_since: AT,
        was_idle: true,
        misses: 2,
        tally: Tally {
            offered: 9,
            accepted: 8,
            handled: 7,
            missed: 6,
            rejected: 5,
            not_ready: Span::seconds(60),
        },
    };
    (format!("agent.{name}"), State::Agent(agent))
}

/// Every kind and every word of its enumerations, each field with something in it. A golden file
/// holds them: add to them at the end, change none.
fn all() -> Vec<(String, State)> {
    let (agent, since, offer) = (ana(), AT, OfferId(uuid(1)));
    let away = Wish::NotReady(slug("lunch"));
    let mut all = vec![
        agent_with("offered", Some(Wish::Ready), Work::Offered { offer, since, until: AT }),
        agent_with("active", Some(away), Work::Active { since }),
        agent_with("wrap_up", Some(Wish::SignedOut), Work::WrapUp { since, until: Some(AT) }),
        contact_in("unborn", Place::Unborn),
        contact_in("queued", Place::Queued),
        contact_in(
            "offered",
            Place::Offered { offer, agent: agent.clone(), since, expires_at: AT },
        ),
        contact_in("active", Place::Active { agent: agent.clone(), since }),
        contact_in("held", Place::Held { agent: agent.clone(), since }),
        contact_in("wrap_up", Place::WrapUp { agent: agent.clone(), since, until: Some(AT) }),
        contact_in("closed", Place::Closed { agent: agent.clone(), since }),
        contact_in("abandoned", Place::Abandoned),
        contact_in("refused", Place::Refused { reason: slug("full") }),
    ];
    for status in [Status::Open, Status::Closed, Status::EmergencyClosed] {
        let rules = Some(Arc::new(*rules()));
        let queue = Queue { version: 2, rules, text_hash: [7; 16], status };
        all.push((format!("queue.{}", status.name()), State::Queue(queue)));
    }
    let grant = Grant {
        hash: [9; 16],
        role: slug("agent"),
        agent: Some(agent),
        scope: Some(slug("read")),
        token: Some(CredentialId(uuid(4))),
        expires_at: Some(AT),
    };
    let credential = Credential { version: 2, grant: Some(grant), ended: true };
    all.push(("credential".into(), State::Credential(credential)));
    let quarantined = BTreeMap::from([(ana().into(), "no fit".to_owned())]);
    let system = System { version: 5, start: 3, rate: 1.5, quarantined };
    all.push(("system".into(), State::System(system)));
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn what_was_released_is_written_and_read_as_it_was() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/states_v1.txt");
    let mut text = std::fs::read_to_string(&file).unwrap_or_default();
    if std::env::var_os("ATALAYA_GOLDEN").is_some_and(|word| word == "write") {
        for (name, state) in all().iter().skip(text.lines().count()) {
            writeln!(text, "{name} {}", hex(&encode_state(state).unwrap())).unwrap();
        }
        std::fs::write(&file, &text).unwrap();
    }
    assert_eq!(text.lines().count(), all().len(), "a line for every sample");
    for (line, (name, state)) in text.lines().zip(all()) {
        let (told, bytes) = line.split_once(' ').unwrap();
        assert_eq!(told, name);
        let bytes = unhex(bytes);
        assert_eq!(decode_state(&bytes).as_ref(), Ok(&state), "{name}");
        let newest = STATE_KINDS.iter().find(|kind| kind.number == bytes[0]).unwrap().newest;
        if newest == 1 {
            assert_eq!(hex(&encode_state(&state).unwrap()), hex(&bytes), "{name} was changed");
        }
    }
}

/// A queue's second version, with thresholds.
#[test]
fn a_queue_with_thresholds_is_written_and_read_as_released() {
    let mut rules = *rules();
    rules.thresholds.waiting.critical = Some(20);
    rules.thresholds.longest_wait.warning = Some(Span::seconds(120).into());
    let rules = Some(Arc::new(rules));
    let queue = Queue { version: 2, rules, text_hash: [7; 16], status: Status::Open };
    let state = State::Queue(queue);
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/states_v2.txt");
    let line = format!("queue.open {}\n", hex(&encode_state(&state).unwrap()));
    if std::env::var_os("ATALAYA_GOLDEN").is_some_and(|word| word == "write") && !file.exists() {
        std::fs::write(&file, &line).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), line);
    let bytes = unhex(line.trim_end().split_once(' ').unwrap().1);
    assert_eq!((bytes[1], decode_state(&bytes)), (2, Ok(state)));
}

#[test]
fn bytes_too_many_too_few_or_of_a_newer_program_are_refused() {
    for (name, state) in all() {
        let bytes = encode_state(&state).unwrap();
        let longer = decode_state(&[&bytes[..], &[0]].concat()).unwrap_err().to_string();
        assert!(longer.contains("1 bytes follow its end"), "{longer}");
        for end in 0..bytes.len() {
            assert!(decode_state(&bytes[..end]).is_err(), "{name} cut at {end}");
        }
        for newer in [[bytes[0], 3], [bytes[0], 0], [6, 1]] {
            let error = decode_state(&[&newer, &bytes[2..]].concat()).unwrap_err().to_string();
            assert!(error.contains("a newer program wrote it"), "{error}");
        }
    }
}

#[test]
fn what_would_not_come_back_is_not_written() {
    let with_topic = |bytes: usize| {
        let topic = Some("x".repeat(bytes));
        State::Contact(Contact { topic, ..Contact::default() })
    };
    let large = with_topic(STATE_BYTES_MAX - 1_000);
    assert_eq!(decode_state(&encode_state(&large).unwrap()), Ok(large));
    let error = encode_state(&with_topic(STATE_BYTES_MAX)).unwrap_err().to_string();
    assert!(error.starts_with("cannot write the state of a contact: its "), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn states_of_any_life_come_back(steps in prop::collection::vec(any::<(u8, u8, u8)>(), 1..120)) {
        let mut life = Life::new();
        for step in steps {
            life.step(step);
        }
        for folded in &life.log {
            let read = decode_state(&encode_state(&folded.after).unwrap());
            prop_assert_eq!(read.as_ref(), Ok(&folded.after));
        }
    }

    #[test]
    fn bytes_that_are_not_ours_never_panic(
        sample in any::<prop::sample::Index>(),
        change in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let all = all();
        let mut bytes = encode_state(&all[sample.index(all.len())].1).unwrap();
        for (at, byte) in change {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(state) = decode_state(&bytes) {
            let _ = encode_state(&state);
        }
    }
}
