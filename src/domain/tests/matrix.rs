//! Every state of every machine against every command, so that no pair is left to
//! chance. A column is a state, a row a command; `-` is a rejection.
//!
//! Commands that only another machine sends are led here by their receiver, to show what it does
//! with them; that both sides agree is `lives`'s business.

use atalaya_domain::agent::{Command as ToAgent, OfferResult, Released, Wish};
use atalaya_domain::contact::{Choice, Command as ToContact, Who};
use atalaya_domain::credential::{Command as ToCredential, Grant};
use atalaya_domain::ids::CredentialId;
use atalaya_domain::priority::Credit;
use atalaya_domain::queue::{Command as ToQueue, OnReject};
use atalaya_domain::system::Command as ToSystem;
use atalaya_domain::time::{Now, Span};
use atalaya_domain::{Command, EntityId, State};
use expect_test::expect;

use crate::world::{
    World, agent_id, arrival, away, configured, contact_id, offer_id, profile, queue_id, rules,
    second, slug, wishes,
};

type Scene = (&'static str, World);

/// What `state_of` says after each command on each scene.
fn table(
    to: &EntityId,
    scenes: &[Scene],
    commands: Vec<(&str, Command)>,
    state_of: fn(&World) -> String,
) -> String {
    let mut rows = vec![vec![String::new()]];
    rows[0].extend(scenes.iter().map(|(title, _)| (*title).to_owned()));
    for (title, command) in commands {
        let cell = |(_, world): &Scene| {
            let mut world = world.clone();
            world.tell(to, &command).map_or_else(|_| "-".to_owned(), |()| state_of(&world))
        };
        rows.push([title.to_owned()].into_iter().chain(scenes.iter().map(cell)).collect());
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=scenes.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// At 0: queue `q`, agent `ana` signed in and ready since −10, contact 1 waiting since −5.
fn scene() -> World {
    let mut world = World::new();
    world.whole = false;
    world.at(-10);
    world.has_queue("q", rules());
    world.has_agent("ana", profile());
    world.at(-5);
    world.arrives(1, "q");
    world.at(0);
    world
}

fn offer(number: u128) -> ToContact {
    let choice = Choice { candidates: 1, idle_since: second(-10), next: vec![] };
    ToContact::Offer { offer: offer_id(number), agent: agent_id("ana"), choice }
}

fn after(mut world: World, steps: Vec<ToContact>) -> World {
    for step in steps {
        world.tell_contact(1, step).unwrap();
    }
    world
}

fn when(mut world: World, steps: Vec<ToAgent>) -> World {
    for step in steps {
        world.tell_agent("ana", step).unwrap();
    }
    world
}

fn accept() -> ToContact {
    ToContact::Accept { offer: offer_id(1), agent: agent_id("ana") }
}

fn complete() -> ToContact {
    ToContact::Complete { by: Who::Citizen }
}

fn busy() -> World {
    after(scene(), vec![offer(1), accept()])
}

fn wrapping() -> World {
    after(busy(), vec![complete()])
}

fn release(result: Released) -> ToAgent {
    ToAgent::Release { offer: offer_id(1), contact: contact_id(1), result }
}

fn agent_scenes() -> Vec<Scene> {
    vec![
        ("unborn", World::new()),
        ("signed_out", when(scene(), vec![wishes(Wish::SignedOut)])),
        ("ready", scene()),
        ("not_ready", when(scene(), vec![wishes(away("lunch"))])),
        ("offered", after(scene(), vec![offer(1)])),
        ("busy", busy()),
        ("busy>out", when(busy(), vec![wishes(Wish::SignedOut)])),
        ("wrap_up", wrapping()),
        ("lost", when(scene(), vec![ToAgent::Lost])),
        ("unheard", when(scene(), vec![ToAgent::Unheard])),
        ("busy,lost", when(busy(), vec![ToAgent::Lost])),
    ]
}

fn agent_commands() -> Vec<(&'static str, Command)> {
    let said = |wish, after| ToAgent::Presence { wish, after, start: 1 };
    let force = |wish, session| ToAgent::Force { wish, session };
    let (contact, until) = (contact_id(1), second(20));
    let commands = [
        ("configure", configured(profile())),
        ("ready", said(Wish::Ready, false)),
        ("lunch", said(away("lunch"), false)),
        ("lunch after", said(away("lunch"), true)),
        ("out", said(Wish::SignedOut, false)),
        ("out after", said(Wish::SignedOut, true)),
        ("force ready", force(Wish::Ready, true)),
        ("no session", force(Wish::Ready, false)),
        ("force lunch", force(away("lunch"), true)),
        ("force out", force(Wish::SignedOut, false)),
        ("lost", ToAgent::Lost),
        ("heard", ToAgent::Heard { start: 2 }),
        ("unheard", ToAgent::Unheard),
        ("reserve", ToAgent::Reserve { offer: offer_id(2), contact: contact_id(2), until }),
        ("accepted", release(Released::Accepted)),
        ("rejected", release(Released::Rejected(OnReject::NotReady))),
        ("spared", release(Released::Rejected(OnReject::Ready))),
        ("missed", release(Released::Missed { max_misses: 1 })),
        ("missed of 2", release(Released::Missed { max_misses: 2 })),
        ("recalled", release(Released::Recalled)),
        ("wrap", ToAgent::Wrap { contact, until: Some(until) }),
        ("end leg", ToAgent::EndLeg { contact }),
    ];
    commands.map(|(title, command)| (title, Command::Agent(command))).to_vec()
}

#[test]
fn agent() {
    let (scenes, commands) = (agent_scenes(), agent_commands());
    let table = table(&agent_id("ana").into(), &scenes, commands, |world| {
        let agent = world.agent("ana");
        let waits = match &agent.pending {
            None => "",
            Some(Wish::Ready) => ">ready",
            Some(Wish::NotReady(_)) => ">away",
            Some(Wish::SignedOut) => ">out",
        };
        format!("{}{waits}", agent.presence().state.name())
    });
    expect![[r#"
                     unborn      signed_out  ready       not_ready   offered       busy       busy>out     wrap_up       lost        unheard     busy,lost
        configure    signed_out  signed_out  ready       not_ready   offered       busy       busy>out     wrap_up       lost        lost        lost
        ready        -           ready       ready       ready       offered       busy       busy         wrap_up       ready       ready       busy
        lunch        -           not_ready   not_ready   not_ready   not_ready     busy>away  busy>away    wrap_up>away  not_ready   not_ready   busy>away
        lunch after  -           not_ready   not_ready   not_ready   offered>away  busy>away  busy>away    wrap_up>away  not_ready   not_ready   busy>away
        out          -           -           signed_out  signed_out  signed_out    busy>out   busy>out     wrap_up>out   signed_out  signed_out  busy>out
        out after    -           -           signed_out  signed_out  offered>out   busy>out   busy>out     wrap_up>out   signed_out  signed_out  busy>out
        force ready  -           -           ready       ready       offered       busy       busy         ready         -           -           -
        no session   -           -           -           -           -             -          -            -             -           -           -
        force lunch  -           -           not_ready   not_ready   not_ready     busy       busy         not_ready     lost        lost        lost
        force out    -           -           signed_out  signed_out  signed_out    busy>out   busy>out     signed_out    signed_out  signed_out  lost>out
        lost         -           -           lost        lost        lost          lost       lost>out     lost          lost        lost        lost
        heard        -           -           ready       not_ready   offered       busy       busy>out     wrap_up       ready       ready       busy
        unheard      -           signed_out  lost        lost        lost          lost       lost>out     lost          lost        lost        lost
        reserve      -           -           offered     -           -             -          -            -             -           -           -
        accepted     -           -           -           -           busy          -          -            -             -           -           -
        rejected     -           -           -           -           not_ready     -          -            -             -           -           -
        spared       -           -           -           -           ready         -          -            -             -           -           -
        missed       -           -           -           -           not_ready     -          -            -             -           -           -
        missed of 2  -           -           -           -           ready         -          -            -             -           -           -
        recalled     -           -           -           -           ready         -          -            -             -           -           -
        wrap         -           -           -           -           -             wrap_up    wrap_up>out  wrap_up       -           -           lost
        end leg      -           -           -           -           -             ready      signed_out   ready         -           -           lost"#]].assert_eq(&table);
}

fn contact_scenes() -> Vec<Scene> {
    let none = scene();
    let hold = ToContact::Hold { by: Who::Citizen };
    let end = ToContact::EndWrapUp { by: Who::Supervisor, outcome: None, topic: None };
    let mut lapsed = after(scene(), vec![offer(1)]);
    lapsed.now = Now::live(second(20));
    let mut unborn = none.clone();
    unborn.states.remove(&contact_id(1).into());
    vec![
        ("unborn", unborn),
        ("queued", none),
        ("offered", after(scene(), vec![offer(1)])),
        ("lapsed", lapsed),
        ("active", busy()),
        ("held", after(busy(), vec![hold.clone()])),
        ("wrap_up", wrapping()),
        ("closed", after(wrapping(), vec![end.clone()])),
        ("abandoned", after(scene(), vec![ToContact::Abandon])),
        ("refused", after(scene(), vec![ToContact::Refuse { reason: slug("emergency") }])),
    ]
}

fn contact_commands() -> Vec<(&'static str, Command)> {
    let (one, ana) = (offer_id(1), agent_id("ana"));
    let by = Who::Agent(ana.clone());
    let credit = Credit::HeadStart(Span::seconds(300));
    let withdraw = |result| ToContact::Withdraw { offer: one, result, reason: "forced" };
    let topic = Some("jubilación".to_owned());
    let commands = [
        ("arrive", arrival("q", credit, 1)),
        ("arrive nowhere", arrival("none", credit, 1)),
        ("offer", offer(2)),
        ("accept", accept()),
        ("accept old", ToContact::Accept { offer: offer_id(9), agent: ana.clone() }),
        ("accept other", ToContact::Accept { offer: one, agent: agent_id("eva") }),
        ("reject", ToContact::Reject { offer: one, agent: ana, reason: None }),
        ("rejected", withdraw(OfferResult::Rejected)),
        ("recalled", withdraw(OfferResult::Recalled)),
        ("abandon", ToContact::Abandon),
        ("refuse", ToContact::Refuse { reason: slug("emergency") }),
        ("hold", ToContact::Hold { by: by.clone() }),
        ("resume", ToContact::Resume { by: by.clone() }),
        ("complete", ToContact::Complete { by: by.clone() }),
        ("other's", ToContact::Complete { by: Who::Agent(agent_id("eva")) }),
        ("end wrap-up", ToContact::EndWrapUp { by: by.clone(), outcome: None, topic: None }),
        ("give topic", ToContact::EndWrapUp { by: by.clone(), outcome: None, topic }),
        ("extend", ToContact::ExtendWrapUp { by, span: Span::seconds(30) }),
        ("reprioritise", ToContact::Reprioritise { priority: slug("high"), credit }),
        ("tick", ToContact::Tick),
    ];
    commands.map(|(title, command)| (title, Command::Contact(command))).to_vec()
}

#[test]
fn contact() {
    let (scenes, commands) = (contact_scenes(), contact_commands());
    let state_of = |world: &World| world.contact(1).state.name().to_owned();
    let table = table(&contact_id(1).into(), &scenes, commands, state_of);
    expect![[r#"
                        unborn  queued     offered    lapsed     active   held     wrap_up  closed  abandoned  refused
        arrive          queued  -          -          -          -        -        -        -       -          -
        arrive nowhere  -       -          -          -          -        -        -        -       -          -
        offer           -       offered    -          -          -        -        -        -       -          -
        accept          -       -          active     -          -        -        -        -       -          -
        accept old      -       -          -          -          -        -        -        -       -          -
        accept other    -       -          -          -          -        -        -        -       -          -
        reject          -       -          queued     -          -        -        -        -       -          -
        rejected        -       -          queued     -          -        -        -        -       -          -
        recalled        -       -          queued     -          -        -        -        -       -          -
        abandon         -       abandoned  abandoned  abandoned  -        -        -        -       -          -
        refuse          -       refused    refused    refused    -        -        -        -       -          -
        hold            -       -          -          -          held     -        -        -       -          -
        resume          -       -          -          -          -        active   -        -       -          -
        complete        -       -          -          -          wrap_up  wrap_up  -        -       -          -
        other's         -       -          -          -          -        -        -        -       -          -
        end wrap-up     -       -          -          -          -        -        closed   -       -          -
        give topic      -       -          -          -          -        -        closed   closed  -          -
        extend          -       -          -          -          -        -        wrap_up  -       -          -
        reprioritise    -       queued     offered    queued     -        -        -        -       -          -
        tick            unborn  queued     offered    queued     active   held     wrap_up  closed  abandoned  refused"#]].assert_eq(&table);
}

#[test]
fn queue() {
    let told = |command: ToQueue| {
        let mut world = scene();
        world.tell_queue("q", command).unwrap();
        world
    };
    let close = |emergency| ToQueue::Close { emergency, reason: None };
    let scenes = [
        ("unborn", World::new()),
        ("open", scene()),
        ("closed", told(close(false))),
        ("emergency", told(close(true))),
    ];
    let commands = [
        ("configure", ToQueue::Configure { rules: Box::new(rules()), text_hash: [1; 16] }),
        ("open", ToQueue::Open { reason: None }),
        ("close", close(false)),
        ("emergency", close(true)),
    ];
    let commands = commands.map(|(title, command)| (title, Command::Queue(command))).to_vec();
    let state_of = |world: &World| world.queue("q").status.name().to_owned();
    let table = table(&queue_id("q").into(), &scenes, commands, state_of);
    expect![[r#"
                   unborn  open              closed            emergency
        configure  open    open              closed            emergency_closed
        open       -       open              open              open
        close      -       closed            closed            closed
        emergency  -       emergency_closed  emergency_closed  emergency_closed"#]]
    .assert_eq(&table);
}

#[test]
fn credential() {
    let id = EntityId::Token(CredentialId(uuid::Uuid::from_u128(7)));
    let (role, hash) = (slug("supervisor"), [1; 16]);
    let grant = Grant { hash, role, agent: None, scope: None, token: None, expires_at: None };
    let make = Command::Credential(ToCredential::Make(grant));
    let end = Command::Credential(ToCredential::End);
    let after = |commands: &[&Command]| {
        let mut world = scene();
        for command in commands {
            world.tell(&id, command).unwrap();
        }
        world
    };
    let scenes =
        [("unborn", after(&[])), ("made", after(&[&make])), ("ended", after(&[&make, &end]))];
    let table = table(&id, &scenes, vec![("make", make), ("end", end)], |world| {
        let id = EntityId::Token(CredentialId(uuid::Uuid::from_u128(7)));
        match world.states.get(&id).unwrap_or(&State::blank(&id)) {
            State::Credential(credential) if credential.ended => "ended".to_owned(),
            State::Credential(credential) if credential.grant.is_none() => "unborn".to_owned(),
            State::Credential(_) => "made".to_owned(),
            other => panic!("{other:?}"),
        }
    });
    expect![[r#"
              unborn  made   ended
        make  made    -      -
        end   -       ended  ended"#]]
    .assert_eq(&table);
}

#[test]
fn system() {
    let told = |commands: &[&Command]| {
        let mut world = World::new();
        for command in commands {
            world.tell(&EntityId::System, command).unwrap();
        }
        world
    };
    let start = Command::System(ToSystem::Start { rate: 1.0, agents: vec![] });
    let set_clock = Command::System(ToSystem::SetClock { to: second(60) });
    let configure = Command::System(ToSystem::Configure { hash: [1; 16], changes: vec![] });
    let (entity, cause, others) = (agent_id("ana").into(), "it failed".to_owned(), vec![]);
    let quarantine = Command::System(ToSystem::Quarantine { entity, cause, others });
    let scenes = [
        ("unborn", World::new()),
        ("started", told(&[&start])),
        ("ana out", told(&[&start, &quarantine])),
    ];
    let commands = vec![
        ("start", start.clone()),
        ("set clock", set_clock),
        ("configure", configure),
        ("quarantine", quarantine),
    ];
    let table = table(&EntityId::System, &scenes, commands, |world| {
        match &world.states[&EntityId::System] {
            State::System(system) => {
                let out = if system.quarantined.is_empty() { "" } else { ", ana out" };
                format!("start {}, version {}{out}", system.start, system.version)
            }
            other => panic!("{other:?}"),
        }
    });
    expect![[r#"
                    unborn                       started                      ana out
        start       start 1, version 1           start 2, version 2           start 2, version 3, ana out
        set clock   start 0, version 1           start 1, version 2           start 1, version 3, ana out
        configure   start 0, version 1           start 1, version 2           start 1, version 3, ana out
        quarantine  start 0, version 1, ana out  start 1, version 2, ana out  start 1, version 2, ana out"#]].assert_eq(&table);
}
