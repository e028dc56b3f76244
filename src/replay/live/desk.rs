//! An agent of the day at its socket: it comes, accepts, talks as long as was recorded, and leaves.
//!
//! What follows from an answer is reckoned from the server's own instant of it, so that the ways of
//! the messages do not add up. A socket that breaks is opened again, and what stood open is read
//! from the desk's snapshot. Who gets which contact is the server's to decide.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use atalaya_domain::time::Timestamp;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::world::{World, instant};
use crate::client::{Client, ClientError, Socket, said};
use crate::simulation::scenario::{ActionKind, Does, ScenarioAgent};

/// A socket is opened so long before the agent comes.
const AHEAD: Duration = Duration::from_secs(1);
/// A server that says nothing so long is gone: three heartbeats and more.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Patience with one message that is sent.
const SEND_TIME_MAX: Duration = Duration::from_secs(10);
/// Pause before a command is given again that the server was too busy for, and before a socket is
/// opened again.
const AGAIN: Duration = Duration::from_millis(250);
/// Tries of one command and of one socket; after them the last failure stands.
const TRIES_MAX: u32 = 5;

/// Something that the agent is to do.
#[derive(Debug, Clone)]
enum Todo {
    /// Says ready.
    Come,
    /// Signs out as soon as its work has ended.
    Leave,
    /// Looks whether it is signed out.
    Look,
    /// Does what the day says.
    Act(Does),
    /// Takes this offer.
    Accept(String),
    /// Ends the conversation with this contact.
    Complete(String),
}

/// A command on the wire.
struct Said {
    todo: Todo,
    name: &'static str,
    sent: Instant,
    tries: u32,
}

/// Why a socket ended.
enum End {
    Left,
    Broken(String),
}

struct Desk<'a> {
    world: &'a World,
    agent: &'a ScenarioAgent,
    /// What is to be done when, with the tries before; the number keeps the order of planning.
    due: BTreeMap<(Timestamp, u64), (Todo, u32)>,
    /// Commands without an answer, by their ids.
    said: BTreeMap<String, Said>,
    count: u64,
    /// The offer that is out.
    offer: Option<String>,
    /// Contacts in hand, and in wrap-up, in the order of taking.
    active: Vec<String>,
    wrapping: Vec<String>,
    /// Those whose end is planned.
    planned: BTreeSet<String>,
    is_leaving: bool,
    has_left: bool,
}

/// Works through the day of the agent with this `number`; ends when it has signed out.
pub(super) async fn work(
    world: Arc<World>,
    number: usize,
    client: Client,
    mut over: watch::Receiver<bool>,
) -> Result<(), ClientError> {
    let Some(agent) = world.scenario.agents.get(number) else { return Ok(()) };
    let mut desk = Desk::new(&world, agent);
    let Some(first) = desk.due.first_key_value().map(|((at, _), _)| *at) else { return Ok(()) };
    let opens = world.clock.when(first).checked_sub(AHEAD).unwrap_or_else(Instant::now);
    tokio::select! {
        () = sleep_until(opens) => (),
        () = told(&mut over) => return Ok(()),
    }
    let mut failures = 0;
    loop {
        let error = match client.socket().await {
            Ok(socket) => match desk.sit(socket, failures > 0, &mut over).await {
                End::Left => return Ok(()),
                End::Broken(cause) => {
                    tracing::warn!(agent = %agent.id, cause, "a socket is opened again");
                    world.leave_out("a socket broke and was opened again");
                    desk.say_again();
                    failures = 1;
                    continue;
                }
            },
            Err(error) => error,
        };
        failures += 1;
        if failures > TRIES_MAX {
            return Err(error);
        }
        sleep(AGAIN).await;
    }
}

/// Waits until the day is over; nobody left to tell is the same.
pub(super) async fn told(over: &mut watch::Receiver<bool>) {
    let _ = over.wait_for(|over| *over).await;
}

impl<'a> Desk<'a> {
    fn new(world: &'a World, agent: &'a ScenarioAgent) -> Self {
        let mut desk = Self {
            world,
            agent,
            due: BTreeMap::new(),
            said: BTreeMap::new(),
            count: 0,
            offer: None,
            active: Vec::new(),
            wrapping: Vec::new(),
            planned: BTreeSet::new(),
            is_leaving: false,
            has_left: false,
        };
        let (from, to) = agent.shift.map_or((world.scenario.start, None), |(a, b)| (a, Some(b)));
        desk.plan(world.clock.on_server(from), Todo::Come);
        if let Some(to) = to {
            desk.plan(world.clock.on_server(to), Todo::Leave);
        }
        for action in &world.scenario.actions {
            match &action.what {
                ActionKind::Agent(id, Does::Disconnect | Does::Reconnect) if *id == agent.id => {
                    world.leave_out("a silent desktop: a lease runs in real time");
                }
                ActionKind::Agent(id, does) if *id == agent.id => {
                    desk.plan(world.clock.on_server(action.at), Todo::Act(does.clone()));
                }
                ActionKind::Agent(..) | ActionKind::Queue(..) | ActionKind::Priority(..) => (),
            }
        }
        desk
    }

    fn plan(&mut self, at: Timestamp, todo: Todo) {
        self.count += 1;
        self.due.insert((at, self.count), (todo, 0));
    }

    /// What was on the wire when a socket broke is given again.
    fn say_again(&mut self) {
        let now = self.world.clock.now();
        for said in std::mem::take(&mut self.said).into_values() {
            self.plan(now, said.todo);
        }
        self.planned.clear();
    }

    /// One socket, from its opening to its end.
    async fn sit(
        &mut self,
        mut socket: Socket,
        is_back: bool,
        over: &mut watch::Receiver<bool>,
    ) -> End {
        if is_back
            && let Err(cause) =
                send(&mut socket, &json!({"type": "subscribe", "topic": "agent"})).await
        {
            return End::Broken(cause);
        }
        let mut heard_at = Instant::now();
        loop {
            if let Err(cause) = self.act(&mut socket).await {
                return End::Broken(cause);
            }
            if self.has_left {
                let _ = timeout(SEND_TIME_MAX, socket.close(None)).await;
                return End::Left;
            }
            let silent_at = heard_at + SILENCE_MAX;
            let next = self.due.first_key_value().map(|((at, _), _)| self.world.clock.when(*at));
            tokio::select! {
                frame = socket.next() => {
                    heard_at = Instant::now();
                    let read = match said(frame) {
                        Ok(Some(text)) => self.read(&mut socket, &text).await,
                        Ok(None) => Ok(()),
                        Err(cause) => Err(cause),
                    };
                    if let Err(cause) = read {
                        return End::Broken(cause);
                    }
                }
                () = sleep_until(next.unwrap_or(silent_at).min(silent_at)) => {
                    if silent_at <= Instant::now() {
                        return End::Broken("the server is silent".into());
                    }
                }
                () = told(over), if !self.is_leaving => {
                    self.is_leaving = true;
                    self.plan(self.world.clock.now(), Todo::Leave);
                }
            }
        }
    }

    /// Does what is due.
    async fn act(&mut self, socket: &mut Socket) -> Result<(), String> {
        while let Some(entry) = self.due.first_entry() {
            if entry.key().0 > self.world.clock.now() {
                break;
            }
            let (todo, tries) = entry.remove();
            if matches!(todo, Todo::Look) {
                self.look().await;
                continue;
            }
            let Some((name, args)) = self.command(&todo) else { continue };
            self.count += 1;
            let id = format!("c{}", self.count);
            let frame = json!({"type": "command", "id": id, "command": name, "args": args});
            self.said.insert(id, Said { todo, name, sent: Instant::now(), tries });
            send(socket, &frame).await?;
        }
        Ok(())
    }

    /// What is said for something to do; none where it does not apply.
    fn command(&mut self, todo: &Todo) -> Option<(&'static str, Value)> {
        let of = |contact: Option<&String>| Some(json!({"contact": contact?}));
        Some(match todo {
            Todo::Look => return None,
            Todo::Come | Todo::Act(Does::Ready) => ("presence", json!({"state": "ready"})),
            Todo::Leave => {
                self.is_leaving = true;
                ("presence", json!({"state": "signed_out", "after": true}))
            }
            Todo::Accept(offer) => ("accept", json!({"offer": offer})),
            Todo::Complete(contact) => ("complete", json!({"contact": contact})),
            Todo::Act(does) => match does {
                Does::NotReady { reason } => {
                    ("presence", json!({"state": "not_ready", "reason": reason.as_str()}))
                }
                Does::SignOut => ("presence", json!({"state": "signed_out"})),
                Does::Accept => ("accept", json!({"offer": self.offer.as_ref()?})),
                Does::Reject => ("reject", json!({"offer": self.offer.as_ref()?})),
                Does::Complete => ("complete", of(self.active.first())?),
                Does::Hold => ("hold", of(self.active.first())?),
                Does::Resume => ("resume", of(self.active.first())?),
                Does::WrapUpDone => ("wrap_up", of(self.wrapping.first())?),
                Does::Ready | Does::Disconnect | Does::Reconnect => return None,
            },
        })
    }

    async fn look(&mut self) {
        let path = format!("/api/v1/agents/{}", self.agent.id);
        match self.world.client.get(&path).await {
            Ok(agent) if agent["state"] == "signed_out" => self.has_left = true,
            Ok(_) => self.plan(self.soon(), Todo::Look),
            Err(error) => {
                self.world.refused("a look at an agent", &error);
                self.has_left = true;
            }
        }
    }

    /// The pause before something is tried again, on the server's clock.
    fn soon(&self) -> Timestamp {
        self.world.clock.now().plus(self.world.clock.centre(AGAIN))
    }

    async fn read(&mut self, socket: &mut Socket, text: &str) -> Result<(), String> {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            return Err("the server sent no JSON".into());
        };
        match frame["type"].as_str().unwrap_or_default() {
            "ping" => send(socket, &json!({"type": "pong"})).await?,
            "offer" => self.ring(&frame),
            "recall" => {
                let offer = frame["offer"].as_str();
                let is_accept = |todo: &Todo| match todo {
                    Todo::Accept(planned) => Some(planned.as_str()) == offer,
                    _ => false,
                };
                self.due.retain(|_, (todo, _)| !is_accept(todo));
                self.offer.take_if(|out| Some(out.as_str()) == offer);
            }
            "snapshot" => {
                for offer in frame["data"]["offers"].as_array().map_or(&[][..], Vec::as_slice) {
                    self.ring(offer);
                }
                for contact in frame["data"]["contacts"].as_array().map_or(&[][..], Vec::as_slice) {
                    self.answered(contact);
                }
                send(socket, &json!({"type": "unsubscribe", "topic": "agent"})).await?;
            }
            "ack" => self.done(&frame),
            "nack" => self.refused(&frame),
            "error" => self.world.leave_out("a message that the server did not understand"),
            // What a later server says besides.
            _ => (),
        }
        Ok(())
    }

    fn ring(&mut self, frame: &Value) {
        let offer = frame["offer"].as_str().unwrap_or_default().to_owned();
        if !self.agent.manual && self.offer.as_ref() != Some(&offer) {
            let offered = instant(&frame["contact"]["offered_at"]);
            let offered = offered.unwrap_or_else(|| self.world.clock.now());
            self.plan(offered.plus(self.agent.answer_delay), Todo::Accept(offer.clone()));
        }
        self.offer = Some(offer);
    }

    /// A conversation has begun: its end is planned from the server's instant of the answer.
    fn answered(&mut self, contact: &Value) {
        let id = contact["id"].as_str().unwrap_or_default().to_owned();
        let is_open = matches!(contact["state"].as_str(), Some("active" | "held"));
        let Some(at) = instant(&contact["answered_at"]).filter(|_| is_open) else { return };
        let number = self.world.number(contact);
        if let Some(number) = number {
            self.world.notes().answered.insert(number);
        } else {
            self.world.leave_out("a contact of somebody else: answered, and ended at once");
        }
        let service = number.map(|number| self.world.service(number)).unwrap_or_default();
        if self.planned.insert(id.clone()) {
            self.plan(at.plus(service), Todo::Complete(id.clone()));
        }
        if !self.active.contains(&id) {
            self.active.push(id);
        }
    }

    fn done(&mut self, frame: &Value) {
        let id = frame["id"].as_str().unwrap_or_default();
        let Some(said) = self.said.remove(id) else { return };
        self.world.hop(said.sent);
        let entity = &frame["entity"];
        let contact = entity["id"].as_str().unwrap_or_default();
        match said.name {
            "accept" => {
                self.offer = None;
                self.answered(entity);
            }
            "reject" => self.offer = None,
            "complete" => {
                self.active.retain(|active| active != contact);
                self.planned.remove(contact);
                if self.agent.profile.voice == 1 {
                    // The wrap-up before is over: it would not have been offered another.
                    self.wrapping.clear();
                }
                if entity["state"] == "wrap_up" {
                    self.wrapping.push(contact.to_owned());
                }
                if let Some(number) = self.world.number(entity) {
                    self.world.notes().ended.insert(number);
                }
            }
            "wrap_up" => self.wrapping.retain(|wrapping| wrapping != contact),
            "presence" if matches!(said.todo, Todo::Leave) => {
                if entity["state"] == "signed_out" {
                    self.has_left = true;
                } else {
                    self.plan(self.soon(), Todo::Look);
                }
            }
            _ => (),
        }
    }

    /// That an offer was over or a contact had ended is a day like any other; a server that is busy
    /// is asked again; all else is left out.
    fn refused(&mut self, frame: &Value) {
        let id = frame["id"].as_str().unwrap_or_default();
        let Some(said) = self.said.remove(id) else { return };
        let problem = &frame["problem"];
        let status = problem["status"].as_u64().unwrap_or_default();
        if matches!(status, 429 | 503) && said.tries + 1 < TRIES_MAX {
            self.count += 1;
            self.due.insert((self.soon(), self.count), (said.todo, said.tries + 1));
            return;
        }
        let kind = problem["type"].as_str().unwrap_or_default().rsplit(':').next();
        let (name, kind) = (said.name, kind.unwrap_or_default());
        tracing::warn!(agent = %self.agent.id, name, status, kind, "a command was refused");
        self.world.leave_out(&format!("{name}: the server answers {status} {kind}"));
        match said.todo {
            Todo::Accept(offer) => {
                self.offer.take_if(|out| *out == offer);
            }
            Todo::Complete(contact) => self.active.retain(|active| *active != contact),
            Todo::Leave => self.plan(self.soon(), Todo::Look),
            Todo::Come | Todo::Look | Todo::Act(_) => (),
        }
    }
}

async fn send(socket: &mut Socket, frame: &Value) -> Result<(), String> {
    match timeout(SEND_TIME_MAX, socket.send(Message::text(frame.to_string()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the server reads nothing".into()),
    }
}
