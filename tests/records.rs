//! The payloads of events: what was written once is read for ever, and nothing read can panic.
//!
//! `golden/events_v1.txt` has a line for every kind as its version 1 was released. A line that
//! does not match any more is a format changed under the feet of every log out there: make a new
//! version, and leave the line alone. `ATALAYA_GOLDEN=write` adds the lines of kinds that are new;
//! it never changes one.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "records/samples.rs"]
mod samples;

use std::fmt::Write as _;
use std::path::PathBuf;

use atalaya::journal::records::{
    KINDS, Kind, RECORD_BYTES_MAX, RecordError, decode, encode, entity_key, entity_of,
};
use atalaya_domain::ids::{CredentialId, EntityId, QueueId};
use atalaya_domain::queue::OnReject;
use atalaya_domain::skills::{Profile, Requirement};
use atalaya_domain::time::{Span, Written};
use atalaya_domain::{Event, agent, contact, credential, queue, system};
use proptest::prelude::*;
use samples::{AT, ana, contact_id, offer, rules, samples, slug, uuid};

/// The number that an event must have. A variant that is new does not compile here: give it a
/// number, a sample above, and its line in the golden file.
fn kind_of(event: &Event) -> Kind {
    match event {
        Event::Agent(event) => kind_of_agent(event),
        Event::Contact(event) => kind_of_contact(event),
        Event::Queue(event) => match event {
            queue::Event::Changed { .. } => Kind(300),
            queue::Event::Opened { .. } => Kind(301),
            queue::Event::Closed { .. } => Kind(302),
        },
        Event::Credential(event) => match event {
            credential::Event::Made(_) => Kind(400),
            credential::Event::Ended => Kind(401),
        },
        Event::System(event) => match event {
            system::Event::Started { .. } => Kind(500),
            system::Event::ClockSet { .. } => Kind(501),
            system::Event::Configured { .. } => Kind(502),
            system::Event::Quarantined { .. } => Kind(503),
        },
    }
}

fn kind_of_agent(event: &agent::Event) -> Kind {
    use agent::Event as E;
    Kind(match event {
        E::Changed { .. } => 100,
        E::SignedIn { .. } => 101,
        E::SignedOut => 102,
        E::IntentChanged { .. } => 103,
        E::PendingChanged { .. } => 104,
        E::Reserved { .. } => 105,
        E::Released { .. } => 106,
        E::LegStarted { .. } => 107,
        E::LegWrapping { .. } => 108,
        E::LegEnded { .. } => 109,
        E::Lost => 110,
        E::Heard { .. } => 111,
        E::PresenceChanged { .. } => 112,
    })
}

fn kind_of_contact(event: &contact::Event) -> Kind {
    use contact::Event as E;
    Kind(match event {
        E::Queued(_) => 200,
        E::Refused { .. } => 201,
        E::Offered { .. } => 202,
        E::OfferAccepted { .. } => 203,
        E::Answered { .. } => 204,
        E::OfferRejected { .. } => 205,
        E::OfferMissed { .. } => 206,
        E::OfferRecalled { .. } => 207,
        E::BackOffEnded { .. } => 208,
        E::Abandoned => 209,
        E::Held => 210,
        E::Resumed => 211,
        E::Completed { .. } => 212,
        E::WrapUpExtended { .. } => 213,
        E::WrapUpEnded { .. } => 214,
        E::OutcomeGiven { .. } => 215,
        E::PriorityChanged { .. } => 216,
    })
}

fn golden_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/events_v1.txt")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 2, 0, "half a byte in the golden file");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn line_of(event: &Event) -> String {
    let (kind, version, payload) = encode(event).unwrap();
    let name = Kind(kind).row().unwrap().name;
    format!("{name} {kind} {version} {}", hex(&payload)).trim_end().to_owned()
}

#[test]
fn every_variant_has_its_row_and_every_row_its_sample() {
    let samples = samples();
    for event in &samples {
        let (kind, version, _) = encode(event).unwrap();
        let row = Kind(kind).row().unwrap();
        assert_eq!(row.kind, kind_of(event), "{event:?} has another number than it had");
        assert_eq!(row.newest, version, "{event:?} is not written in its newest version");
        assert!(row.name.ends_with(&format!(".{}", event.name())), "{} is {event:?}", row.name);
    }
    let shown: Vec<Kind> = samples.iter().map(kind_of).collect();
    let rows: Vec<Kind> = KINDS.iter().map(|row| row.kind).collect();
    assert_eq!(shown, rows, "samples and rows are not the same, one for one");
}

#[test]
fn what_was_released_is_written_and_read_as_it_was() {
    let samples = samples();
    let mut text = std::fs::read_to_string(golden_file()).unwrap_or_default();
    if std::env::var_os("ATALAYA_GOLDEN").is_some_and(|word| word == "write") {
        for event in &samples {
            let line = line_of(event);
            let start: Vec<&str> = line.splitn(4, ' ').take(3).collect();
            let start = start.join(" ");
            if !text.lines().any(|old| old == start || old.starts_with(&format!("{start} "))) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        std::fs::write(golden_file(), &text).unwrap();
    }
    assert_eq!(text.lines().count(), samples.len(), "a line for every kind");
    for (line, event) in text.lines().zip(&samples) {
        if kind_of(event).row().unwrap().newest == 1 {
            assert_eq!(line, line_of(event), "the format of {} was changed", event.name());
        }
        let [name, kind, version, rest @ ..] = &*line.split(' ').collect::<Vec<_>>() else {
            panic!("not a line of the golden file: {line}");
        };
        let payload = unhex(rest.first().unwrap_or(&""));
        let read = decode(kind.parse().unwrap(), version.parse().unwrap(), &payload);
        assert_eq!(read.as_ref(), Ok(event), "{name}");
    }
}

/// A queue's rules with thresholds are its second version; the first is read without them.
#[test]
fn thresholds_are_written_and_read_as_released() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/events_v2.txt");
    let mut rules = rules();
    rules.thresholds = queue::Thresholds {
        longest_wait: queue::Bound {
            warning: Some(Written::parse("2m").unwrap()),
            critical: Some(Written::parse("4m").unwrap()),
        },
        waiting: queue::Bound { warning: Some(10), critical: None },
        service_level: queue::Bound { warning: None, critical: Some(0.7) },
    };
    let event = Event::Queue(queue::Event::Changed { rules, text_hash: [7; 16] });
    let line = line_of(&event);
    if std::env::var_os("ATALAYA_GOLDEN").is_some_and(|word| word == "write") && !file.exists() {
        std::fs::write(&file, format!("{line}\n")).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), format!("{line}\n"));
    let (kind, version, payload) = encode(&event).unwrap();
    assert_eq!((version, decode(kind, version, &payload)), (2, Ok(event)));
}

/// Events that differ in one word of an enumeration: they come back, and the words' numbers are
/// 0, 1, 2 … in the order given.
fn numbered_as_released(events: &[Event]) {
    let written: Vec<_> = events.iter().map(|event| encode(event).unwrap()).collect();
    for ((kind, version, payload), event) in written.iter().zip(events) {
        assert_eq!(decode(*kind, *version, payload).as_ref(), Ok(event));
    }
    let (first, second) = (&written[0].2, &written[1].2);
    let at = first.iter().zip(second).position(|(a, b)| a != b).unwrap();
    let numbers: Vec<usize> = written.iter().map(|(.., payload)| payload[at].into()).collect();
    let wanted: Vec<usize> = (0..events.len()).collect();
    assert_eq!(numbers, wanted, "words of {} have other numbers than they had", events[0].name());
}

#[test]
fn every_word_of_an_enumeration_has_the_number_it_had() {
    use agent::{Kind as Presence, OfferResult, Wish};
    use contact::Who;
    let (offer, contact) = (offer(), contact_id());
    let presences = [
        Presence::SignedOut,
        Presence::Lost,
        Presence::Offered,
        Presence::Busy,
        Presence::WrapUp,
        Presence::NotReady,
        Presence::Ready,
    ];
    assert_eq!(presences.len(), Presence::ALL.len(), "a new word: put it last");
    numbered_as_released(&presences.map(|state| {
        Event::Agent(agent::Event::PresenceChanged { state, reason: None, since: AT })
    }));
    let results =
        [OfferResult::Accepted, OfferResult::Rejected, OfferResult::Missed, OfferResult::Recalled];
    numbered_as_released(
        &results.map(|result| Event::Agent(agent::Event::Released { offer, contact, result })),
    );
    let wishes = [Wish::Ready, Wish::NotReady(slug("x")), Wish::SignedOut];
    numbered_as_released(
        &wishes.map(|wish| Event::Agent(agent::Event::PendingChanged { pending: Some(wish) })),
    );
    let people = [Who::Agent(ana()), Who::Supervisor, Who::Citizen, Who::System];
    numbered_as_released(
        &people.map(|by| Event::Contact(contact::Event::WrapUpExtended { by, until: AT })),
    );
    numbered_as_released(&[OnReject::NotReady, OnReject::Ready].map(|on_reject| {
        let mut rules = rules();
        rules.on_reject = on_reject;
        Event::Queue(queue::Event::Changed { rules, text_hash: [0; 16] })
    }));
}

/// An option that is `None` and a set that is empty are as common as full ones.
#[test]
fn what_holds_little_comes_back() {
    let mut rules = rules();
    rules.requirement = Requirement::default();
    (rules.service_level, rules.max_waiting, rules.wrap_up) = (None, None, None);
    let facts = agent::Facts { team: slug("t"), profile: Profile::default() };
    for event in [
        Event::Queue(queue::Event::Changed { rules, text_hash: [0; 16] }),
        Event::Queue(queue::Event::Opened { reason: None }),
        Event::Agent(agent::Event::Changed { facts: facts.into(), text_hash: [0; 16] }),
        Event::Agent(agent::Event::IntentChanged { not_ready: None }),
        Event::Agent(agent::Event::PendingChanged { pending: None }),
        Event::Contact(contact::Event::Refused { entered: None, reason: slug("gone") }),
        Event::Contact(contact::Event::OutcomeGiven { outcome: None, topic: Some(String::new()) }),
        Event::System(system::Event::Started { number: u64::MAX, rate: -0.0 }),
    ] {
        let (kind, version, payload) = encode(&event).unwrap();
        assert_eq!(decode(kind, version, &payload), Ok(event));
    }
}

#[test]
fn what_a_newer_program_wrote_is_refused_by_name() {
    let unknown = decode(113, 1, &[]).unwrap_err();
    assert_eq!(unknown, RecordError::UnknownKind { kind: 113 });
    let newer = decode(200, 2, &[]).unwrap_err();
    assert_eq!(newer, RecordError::NewerVersion { name: "contact.queued", version: 2, newest: 1 });
    for error in [unknown, newer] {
        assert!(error.to_string().contains("newer program wrote it"), "{error}");
    }
    assert_eq!(decode(200, 0, &[]), Err(RecordError::NoVersion { name: "contact.queued" }));
    let entity = entity_of(7, &[]).unwrap_err();
    assert!(entity.to_string().contains("newer program wrote it"), "{entity}");
}

#[test]
fn bytes_too_many_or_too_few_are_refused() {
    for event in samples() {
        let (kind, version, payload) = encode(&event).unwrap();
        let name = Kind(kind).row().unwrap().name;
        let longer = [&payload[..], &[0]].concat();
        assert_eq!(decode(kind, version, &longer), Err(RecordError::Trailing { name, extra: 1 }));
        for end in 0..payload.len() {
            assert!(decode(kind, version, &payload[..end]).is_err(), "{name} cut at {end}");
        }
    }
}

#[test]
fn what_is_no_value_of_the_domain_is_refused() {
    let refused = |kind: u16, payload: &[u8], part: &str| {
        let error = decode(kind, 1, payload).unwrap_err().to_string();
        assert!(error.contains(part), "{kind} {payload:?}: {error}");
    };
    // A slug: empty, with a blank, not UTF-8, longer than 64 bytes.
    refused(204, b"\x00", "not a slug");
    refused(204, b"\x03a b", "not a slug");
    refused(204, b"\x01\xff", "Utf8");
    refused(204, &[&[65][..], &[b'a'; 65]].concat(), "not a slug");
    // A word of an enumeration, a bool, an option that are none.
    refused(112, b"\x07\x00\x00", "variant");
    refused(302, b"\x02\x00", "Bool");
    refused(301, b"\x02", "Option");
    // A duration; skills and a set out of order, or twice.
    let (kind, version, payload) =
        encode(&Event::Queue(queue::Event::Changed { rules: rules(), text_hash: [7; 16] }))
            .unwrap();
    let changed = |from: &[u8], to: &[u8]| {
        let at = payload.windows(from.len()).position(|bytes| bytes == from).unwrap();
        let mut other = payload.clone();
        other[at..at + to.len()].copy_from_slice(to);
        decode(kind, version, &other).unwrap_err().to_string()
    };
    assert!(changed(b"1.5m", b"1.5x").contains("not a duration"));
    assert!(changed(b"tax", b"abc").contains("not in order"));
    assert!(changed(b"\x01\x02\x01\x02", b"\x01\x02\x01\x01").contains("named twice"));
    // An entity of no kind, the centre with an id.
    refused(503, b"\x07\x00\x00", "newer program");
    refused(503, b"\x01\x01x\x00", "no id");
}

#[test]
fn what_would_not_come_back_is_not_written() {
    let given = |bytes: usize| {
        Event::Contact(contact::Event::OutcomeGiven {
            outcome: Some("x".repeat(bytes)),
            topic: None,
        })
    };
    let (kind, version, payload) = encode(&given(RECORD_BYTES_MAX - 100)).unwrap();
    assert_eq!(decode(kind, version, &payload), Ok(given(RECORD_BYTES_MAX - 100)));
    for bytes in [RECORD_BYTES_MAX - 3, RECORD_BYTES_MAX, 10 * RECORD_BYTES_MAX] {
        let error = encode(&given(bytes)).unwrap_err();
        assert!(matches!(error, RecordError::Unwritable { .. }), "{error}");
    }
    // Many small things weigh more in memory than in the log.
    let mut rules = rules();
    rules.requirement.skills = (0..6_000).map(|n| (slug(&format!("s{n:04}")), 1)).collect();
    let heavy = Event::Queue(queue::Event::Changed { rules: rules.clone(), text_hash: [0; 16] });
    assert!(matches!(encode(&heavy), Err(RecordError::Unwritable { .. })));
    rules.requirement.skills.clear();
    // The one span whose text cannot be read.
    rules.offer_timeout = Span(i64::MIN).into();
    let endless = Event::Queue(queue::Event::Changed { rules, text_hash: [0; 16] });
    let error = encode(&endless).unwrap_err().to_string();
    assert!(error.contains("would not come back"), "{error}");
}

#[test]
fn names_of_entities_are_as_they_were() {
    let credential = CredentialId(uuid(4));
    let all = [
        (EntityId::System, "01:"),
        (EntityId::Queue(QueueId::new("pensions").unwrap()), "02:70656e73696f6e73"),
        (EntityId::Agent(ana()), "03:616e612e676172636961"),
        (EntityId::Contact(contact_id()), "04:01990000000070008000000000000002"),
        (EntityId::Token(credential), "05:01990000000070008000000000000004"),
        (EntityId::Session(credential), "06:01990000000070008000000000000004"),
    ];
    for (entity, key) in all {
        let (kind, id) = entity_key(&entity);
        assert_eq!(format!("{kind:02x}:{}", hex(&id)), key);
        assert_eq!(entity_of(kind, &id), Ok(entity));
    }
}

fn flipped() -> impl Strategy<Value = (u16, u8, Vec<u8>)> {
    let payloads: Vec<_> = samples().iter().map(|event| encode(event).unwrap()).collect();
    let change = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    (prop::sample::select(payloads), change).prop_map(|((kind, version, mut payload), change)| {
        for (at, byte) in change {
            if !payload.is_empty() {
                let at = at.index(payload.len());
                payload[at] = byte;
            }
        }
        (kind, version, payload)
    })
}

/// Never a panic; and what is read can be written, to come back the same.
fn reads_or_refuses(kind: u16, version: u8, payload: &[u8]) {
    if let Ok(event) = decode(kind, version, payload) {
        let (kind, version, again) = encode(&event).unwrap();
        // As text, for a rate may be no number.
        let read = decode(kind, version, &again).unwrap();
        assert_eq!(format!("{read:?}"), format!("{event:?}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_reading_panic(
        kind in prop::sample::select(KINDS.iter().map(|row| row.kind.0).collect::<Vec<_>>()),
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        reads_or_refuses(kind, 1, &payload);
    }

    #[test]
    fn nor_do_numbers_of_kinds_and_entities(
        kind in any::<u16>(), version in any::<u8>(), payload in prop::collection::vec(any::<u8>(), 0..70),
    ) {
        reads_or_refuses(kind, version, &payload);
        if let Ok(entity) = entity_of((kind & 7) as u8, &payload) {
            prop_assert_eq!(entity_key(&entity), ((kind & 7) as u8, payload));
        }
    }

    #[test]
    fn nor_does_a_payload_with_other_bytes((kind, version, payload) in flipped()) {
        reads_or_refuses(kind, version, &payload);
    }
}

/// `ATALAYA_CASES` for the long form.
fn cases() -> u32 {
    std::env::var("ATALAYA_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}
