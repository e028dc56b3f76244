//! What holds after each entry, whatever was asked (one owner a fact, one commit an entry), and once nothing is left
//! to be matched. Written from the states alone: the intake's own bookkeeping is not trusted here.

use std::collections::{BTreeMap, BTreeSet};

use atalaya_domain::agent::{Event as AgentEvent, Kind, Work};
use atalaya_domain::contact::{self, Contact};
use atalaya_domain::entry::Entry;
use atalaya_domain::ids::{AgentId, ContactId, OfferId};
use atalaya_domain::matching::Pair;
use atalaya_domain::time::{Now, Timestamp};
use atalaya_domain::{EntityId, Event, State};

use crate::world::World;

type States = BTreeMap<EntityId, State>;

/// A stage of one contact in one agent's hands.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Offered(OfferId),
    Active,
    WrapUp(Option<Timestamp>),
}

/// Looks at one entry and at the states after it.
pub(crate) fn check(before: &States, entry: &Entry, now: Now, after: &States) {
    assert!(!entry.is_unfit(), "one thread's states always fit: {entry:?}");
    versions_chain(before, entry);
    presence_is_told(before, entry, after);
    nothing_is_left_due(before, entry, now, after);
    only_the_free_are_reserved(before, entry);
    let told = entry.events.iter().filter(|told| !is_presence(&told.event));
    let instants: Vec<_> = told.map(|told| told.at).collect();
    assert!(instants.is_sorted(), "what was due later is told before: {entry:?}");
    assert_eq!(by_contact(after), by_agent(after), "contacts and agents disagree: {entry:?}");
    for (id, state) in after {
        let State::Agent(agent) = state else { continue };
        let most = agent.facts.as_ref().map_or(0, |facts| usize::from(facts.profile.voice));
        assert!(agent.work.len() <= most, "{id} has more than {most} in hand: {entry:?}");
        let idle = agent.work.is_empty();
        assert!(!idle || agent.pending.is_none(), "{id} waits for no work: {entry:?}");
        assert!(idle || agent.signed_in.is_some(), "{id} left work behind: {entry:?}");
    }
}

fn versions_chain(before: &States, entry: &Entry) {
    let mut versions: BTreeMap<&EntityId, u64> = BTreeMap::new();
    let had = |id: &EntityId| before.get(id).map_or(0, State::version);
    for (id, version) in &entry.versions {
        assert_eq!(*version, had(id), "{id} was read at another version: {entry:?}");
    }
    assert!(entry.versions.contains_key(&entry.leader), "led, and not read: {entry:?}");
    for told in &entry.events {
        let had = had(&told.entity);
        assert!(entry.versions.contains_key(&told.entity), "touched, and not read: {entry:?}");
        let version = versions.entry(&told.entity).or_insert(had);
        *version += 1;
        assert_eq!(told.version, *version, "a gap in the versions of {}", told.entity);
    }
}

fn is_presence(event: &Event) -> bool {
    matches!(event, Event::Agent(AgentEvent::PresenceChanged { .. }))
}

/// `presence_changed` is there if and only if presence or reason is other than before, once, last.
fn presence_is_told(before: &States, entry: &Entry, after: &States) {
    for (id, state) in after {
        let State::Agent(agent) = state else { continue };
        let blank = State::blank(id);
        let State::Agent(was) = before.get(id).unwrap_or(&blank) else { continue };
        let (was, is) = (was.presence(), agent.presence());
        let told: Vec<_> =
            entry.events.iter().filter(|told| told.entity == *id).map(|told| &told.event).collect();
        let told_times = told.iter().filter(|event| is_presence(event)).count();
        let changed = (was.state, &was.reason) != (is.state, &is.reason);
        assert_eq!(told_times, usize::from(changed), "{id} from {was:?} to {is:?}: {told:?}");
        if changed {
            let (state, reason, since) = (is.state, is.reason, is.since);
            let last = Event::Agent(AgentEvent::PresenceChanged { state, reason, since });
            assert_eq!(told.last(), Some(&&last), "{id} does not say last what it is: {told:?}");
        }
    }
}

/// A past deadline would spin the timer; and a refusal commits lapses only.
fn nothing_is_left_due(before: &States, entry: &Entry, now: Now, after: &States) {
    let due = |states: &States, id: &EntityId| {
        let deadline = states.get(id).and_then(State::deadline);
        deadline.is_some_and(|deadline| deadline <= (now.at, now.phase))
    };
    let theirs = |states: &States| match states.get(&entry.leader) {
        Some(State::Agent(agent)) => agent.work.keys().map(|id| EntityId::Contact(*id)).collect(),
        _ => vec![entry.leader.clone()],
    };
    for id in theirs(after).into_iter().chain(entry.events.iter().map(|told| told.entity.clone())) {
        assert!(!due(after, &id), "{id} is still due at {now:?}: {entry:?}");
    }
    if entry.verdict.is_err() && !theirs(before).iter().any(|id| due(before, id)) {
        assert!(entry.events.is_empty(), "refused, and yet something happened: {entry:?}");
    }
}

/// Nothing new is offered to one who is away, lost, or waits to be: not even with room left.
fn only_the_free_are_reserved(before: &States, entry: &Entry) {
    for told in &entry.events {
        let reserved = matches!(told.event, Event::Agent(AgentEvent::Reserved { .. }));
        if let (true, Some(State::Agent(agent))) = (reserved, before.get(&told.entity)) {
            let lost = agent.lost.is_some() || agent.unheard.is_some();
            let free = agent.signed_in.is_some() && !lost && agent.not_ready.is_none();
            assert!(free && agent.pending.is_none(), "not free, and offered: {entry:?}");
        }
    }
}

fn by_contact(states: &States) -> BTreeSet<(ContactId, AgentId, Stage)> {
    let held = |(id, state): (&EntityId, &State)| {
        let (EntityId::Contact(id), State::Contact(contact)) = (id, state) else { return None };
        let stage = match &contact.state {
            contact::State::Offered { offer, .. } => Stage::Offered(*offer),
            contact::State::Active { .. } | contact::State::Held { .. } => Stage::Active,
            contact::State::WrapUp { until, .. } => Stage::WrapUp(*until),
            contact::State::Unborn
            | contact::State::Queued
            | contact::State::Closed { .. }
            | contact::State::Abandoned
            | contact::State::Refused { .. } => return None,
        };
        Some((*id, contact.agent()?.clone(), stage))
    };
    states.iter().filter_map(held).collect()
}

fn by_agent(states: &States) -> BTreeSet<(ContactId, AgentId, Stage)> {
    let mut all = BTreeSet::new();
    for (id, state) in states {
        let (EntityId::Agent(id), State::Agent(agent)) = (id, state) else { continue };
        all.extend(agent.work.iter().map(|(contact, work)| {
            let stage = match work {
                Work::Offered { offer, .. } => Stage::Offered(*offer),
                Work::Active { .. } => Stage::Active,
                Work::WrapUp { until, .. } => Stage::WrapUp(*until),
            };
            (*contact, id.clone(), stage)
        }));
    }
    all
}

/// No free agent beside a waiting contact that it may take, and is not spared.
pub(crate) fn check_quiet(world: &World) {
    for (id, contact) in queued(&world.states) {
        let free = free_takers(&world.states, contact);
        assert!(free.is_empty(), "{free:?} free, and {id} waits at {:?}", world.now);
    }
}

/// The pair is the first contact in the order of service that anybody can take, and of those who
/// can the one with least in hand, then longest idle, then by id.
pub(crate) fn check_pair(states: &States, pair: &Pair) {
    let can_go = |(_, contact): &(ContactId, &Contact)| !free_takers(states, contact).is_empty();
    let first = queued(states).filter(can_go).map(|(_, contact)| contact.order_key).min();
    let State::Contact(contact) = &states[&pair.contact.into()] else { return };
    assert_eq!(Some(contact.order_key), first, "another was before: {pair:?}");
    let place = |name: &AgentId| match &states[&name.clone().into()] {
        State::Agent(agent) => (agent.work.len(), agent.idle_since, name.clone()),
        other => panic!("{name} is {other:?}"),
    };
    let best = free_takers(states, contact).into_iter().min_by_key(place);
    assert_eq!(Some(&pair.agent), best.as_ref(), "another agent was before: {pair:?}");
}

fn queued(states: &States) -> impl Iterator<Item = (ContactId, &Contact)> {
    states.iter().filter_map(|(id, state)| match (id, state) {
        (EntityId::Contact(id), State::Contact(contact)) => {
            (contact.state == contact::State::Queued).then_some((*id, contact))
        }
        _ => None,
    })
}

/// Who can be given the contact now.
fn free_takers(states: &States, contact: &Contact) -> Vec<AgentId> {
    let takers = takers(states, contact);
    let spared = |name: &AgentId| contact.back_off.contains_key(name);
    let another = takers.iter().any(|(name, _)| !spared(name));
    let free = takers.into_iter().filter(|(name, free)| *free && !(spared(name) && another));
    free.map(|(name, _)| name).collect()
}

/// Agents at work who fit the contact, and whether each is free now.
fn takers(states: &States, contact: &Contact) -> Vec<(AgentId, bool)> {
    let entered = contact.entered.as_ref().unwrap();
    let taker = |(id, state): (&EntityId, &State)| {
        let (EntityId::Agent(id), State::Agent(agent)) = (id, state) else { return None };
        let profile = &agent.facts.as_ref()?.profile;
        let fits = entered.requirement.unfit(&entered.queue, profile).is_none();
        let here = !matches!(agent.presence().state, Kind::SignedOut | Kind::Lost);
        (fits && here && agent.not_ready.is_none()).then(|| {
            let full = agent.work.len() >= usize::from(profile.voice);
            (id.clone(), agent.pending.is_none() && !full)
        })
    };
    states.iter().filter_map(taker).collect()
}
