//! An agent at its desk: one socket, kept open, between the server and the agent's will (`mind`).
//!
//! What is decided is not here. Frames that say that something has changed only make the agent look
//! (`GET /agents/{id}`), so that no frame that is lost or early can lead it astray; it looks from
//! time to time besides.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp1;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::mind::{Mind, Standing};
use super::rota::{self, Duty};
use super::{Count, World, told_to};
use crate::client::{Client, ClientError, Socket, said};

/// Pause before a socket is opened again, from the second time on; it doubles up to the greatest.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A server that says nothing so long is gone: three heartbeats and more.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Patience with one message that is sent.
const SEND_TIME_MAX: Duration = Duration::from_secs(10);
/// Changes within this time are looked at once.
const GATHER: Duration = Duration::from_millis(30);
/// Looks without a cause come so often.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Commands without an answer; past it the server is taken for gone.
const UNANSWERED_MAX: usize = 32;

/// How long, in time here, a desktop falls silent, since the lease is in that time too; and the
/// mean time from one such to the next, of one agent.
const SILENT: std::ops::Range<f64> = 17.0..40.0;
const SILENT_EVERY_MEAN_S: f64 = 6_000.0;
/// Sets the desks' chance apart from that of minds.
const OWN_CHANCE: u64 = 0x6465_736b;

/// Why a socket ended.
enum End {
    /// The agent has signed out, and the turn is over.
    Left,
    /// The desktop's network is gone for a while, as the demo wants.
    Silent,
    /// The connection broke; why.
    Broken(String),
}

struct Desk<'a> {
    world: &'a World,
    client: &'a Client,
    id: &'a str,
    mind: &'a mut Mind,
    /// When to look at the agent next.
    look_at: Instant,
    /// When the network goes.
    silent_at: Instant,
    /// Commands without an answer, by their ids.
    said: BTreeMap<String, &'static str>,
    said_count: u64,
    was_welcome: bool,
}

/// Works turn after turn until told to stop; fails where it never can. `is_here`: somebody left
/// this agent signed in.
pub async fn work(
    world: Arc<World>,
    place: usize,
    is_here: bool,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ClientError> {
    let centre = world.centre.clone();
    let Some(person) = centre.people.get(place) else { return Ok(()) };
    let mut secret: Option<(Client, String)> = None;
    let mut is_here = is_here;
    loop {
        let now_s = world.clock.now_s();
        let next = rota::next_duty(&centre, world.seed, person, now_s);
        let in_turn = next.filter(|duty| duty.from_s <= now_s);
        // Signed in, and not at work: comes to sign out.
        let over = Duty { from_s: now_s, to_s: now_s, is_on_phone: true, stream: person.number };
        let duty = if is_here { Some(in_turn.unwrap_or(over)) } else { next };
        is_here = false;
        let Some(duty) = duty else { return Ok(()) };
        tokio::select! {
            biased;
            () = told_to(&mut stop) => break,
            () = sleep_until(world.clock.at(duty.from_s)) => (),
        }
        if secret.is_none() {
            let grant = json!({"role": "agent", "agent": person.id});
            match world.client.post_without_key("/api/v1/tokens", &grant).await {
                Ok(made) => {
                    let client = world.client.with_token(text(&made["token"]));
                    secret = Some((client, text(&made["id"]).to_owned()));
                }
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => {
                    world.tally.error(&person.id, &error);
                    sleep(PAUSE_MAX).await;
                    continue;
                }
            }
        }
        let Some((client, _)) = &secret else { continue };
        turn(&world, client, &person.id, &duty, &mut stop).await?;
        if *stop.borrow() {
            break;
        }
    }
    if let Some((_, token)) = secret
        && let Err(error) = world.client.delete(&format!("/api/v1/tokens/{token}")).await
    {
        world.tally.error(&person.id, &error);
    }
    Ok(())
}

/// One turn, over as many sockets as it takes.
async fn turn(
    world: &World,
    client: &Client,
    id: &str,
    duty: &Duty,
    stop: &mut watch::Receiver<bool>,
) -> Result<(), ClientError> {
    let mut mind = Mind::new(world.seed, duty, world.clock.now_s());
    let mut chance = ChaCha8Rng::seed_from_u64(world.seed ^ OWN_CHANCE);
    chance.set_stream(duty.stream);
    let mut pause = Duration::ZERO;
    let mut silent_at = Instant::now() + silence_after(&mut chance);
    loop {
        match client.socket().await {
            Ok(socket) => {
                let mut desk = Desk {
                    world,
                    client,
                    id,
                    mind: &mut mind,
                    look_at: Instant::now(),
                    silent_at,
                    said: BTreeMap::new(),
                    said_count: 0,
                    was_welcome: false,
                };
                let end = desk.sit(socket, stop).await;
                if desk.was_welcome {
                    pause = Duration::ZERO;
                }
                match end {
                    End::Left => return Ok(()),
                    End::Silent => {
                        world.tally.add(Count::Silence);
                        let silent = Duration::from_secs_f64(chance.random_range(SILENT));
                        tokio::select! {
                            () = sleep(silent) => (),
                            () = told_to(stop) => (),
                        }
                        silent_at = Instant::now() + silence_after(&mut chance);
                        continue;
                    }
                    End::Broken(cause) => {
                        tracing::debug!(agent = id, cause, "an agent's socket is opened again");
                        world.tally.add(Count::Reconnect);
                    }
                }
            }
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => {
                world.tally.error(id, &error);
                // Nobody to sign out from.
                if *stop.borrow() {
                    return Ok(());
                }
            }
        }
        sleep(pause).await;
        pause = (pause * 2).clamp(PAUSE_FIRST, PAUSE_MAX);
    }
}

/// Whether another try is of no use.
fn is_final(error: &ClientError) -> bool {
    matches!(error.status(), Some(401 | 403 | 404 | 501))
}

fn silence_after(chance: &mut ChaCha8Rng) -> Duration {
    let gap: f64 = chance.sample(Exp1);
    Duration::from_secs_f64(gap * SILENT_EVERY_MEAN_S)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Desk<'_> {
    fn now_s(&self) -> f64 {
        self.world.clock.now_s()
    }

    /// One socket, from its opening to its end.
    async fn sit(&mut self, mut socket: Socket, stop: &mut watch::Receiver<bool>) -> End {
        let now_s = self.now_s();
        self.mind.refused(now_s);
        let subscribe = json!({"type": "subscribe", "topic": "agent"});
        if let Err(cause) = send(&mut socket, &subscribe).await {
            return End::Broken(cause);
        }
        let mut heard_at = Instant::now();
        let mut in_haste = false;
        loop {
            if let Err(cause) = self.act(&mut socket).await {
                return End::Broken(cause);
            }
            if self.mind.has_left() {
                let _ = timeout(SEND_TIME_MAX, socket.close(None)).await;
                return End::Left;
            }
            if self.silent_at <= Instant::now() && !self.mind.is_leaving() {
                return End::Silent;
            }
            let due = self.world.clock.at(self.mind.next_s());
            let silent_at = if self.mind.is_leaving() { due } else { self.silent_at };
            let wake = due.min(self.look_at).min(heard_at + SILENCE_MAX).min(silent_at);
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
                () = sleep_until(wake) => {
                    if heard_at + SILENCE_MAX <= Instant::now() {
                        return End::Broken("the server is silent".into());
                    }
                }
                () = told_to(stop), if !in_haste => {
                    in_haste = true;
                    let now_s = self.now_s();
                    self.mind.leave_in_haste(now_s);
                }
            }
        }
    }

    /// Looks if it is time to, and says what is due.
    async fn act(&mut self, socket: &mut Socket) -> Result<(), String> {
        if self.look_at <= Instant::now() {
            self.look_at = Instant::now() + LOOK_EVERY;
            match self.client.get(&format!("/api/v1/agents/{}", self.id)).await {
                Ok(agent) => {
                    let now_s = self.now_s();
                    if self.mind.hear(now_s, &Standing::of(&agent)) {
                        self.world.tally.add(Count::Missed);
                    }
                }
                Err(error) => self.world.tally.error(self.id, &error),
            }
        }
        let now_s = self.now_s();
        while let Some(say) = self.mind.due(now_s) {
            let (command, args) = say.frame();
            if self.said.len() >= UNANSWERED_MAX {
                return Err("the server answers no commands".into());
            }
            self.said_count += 1;
            let id = format!("c{}", self.said_count);
            let frame = json!({"type": "command", "id": id, "command": command, "args": args});
            self.said.insert(id, command);
            send(socket, &frame).await?;
        }
        Ok(())
    }

    async fn read(&mut self, socket: &mut Socket, text: &str) -> Result<(), String> {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            return Err("the server sent no JSON".into());
        };
        match frame["type"].as_str().unwrap_or_default() {
            "welcome" => {
                self.was_welcome = true;
                self.world.clock.hear(&frame["clock"]);
            }
            "ping" => send(socket, &json!({"type": "pong"})).await?,
            "offer" => self.ring(&frame),
            "recall" => {
                self.mind.recalled(frame["offer"].as_str().unwrap_or_default());
                self.look_soon();
            }
            "snapshot" => {
                for offer in frame["data"]["offers"].as_array().map_or(&[][..], Vec::as_slice) {
                    self.ring(offer);
                }
                self.look_soon();
            }
            "delta" if is_news(&frame) => self.look_soon(),
            "ack" => {
                match self.said.remove(frame["id"].as_str().unwrap_or_default()) {
                    Some("accept") => self.world.tally.add(Count::Accepted),
                    Some("reject") => self.world.tally.add(Count::Rejected),
                    Some(_) | None => (),
                }
                self.look_soon();
            }
            "nack" => self.refused(&frame),
            "error" => {
                let detail = frame["problem"]["detail"].as_str().unwrap_or("no detail");
                self.world.tally.error(self.id, &detail);
            }
            // What a later server says besides.
            _ => (),
        }
        Ok(())
    }

    fn ring(&mut self, frame: &Value) {
        let (offer, queue) = (text(&frame["offer"]), text(&frame["contact"]["queue"]));
        let talk_mean_s = self.world.centre.line(queue).map(|line| line.talk_mean_s);
        let now_s = self.now_s();
        self.mind.offered(now_s, offer, queue, talk_mean_s);
    }

    /// That somebody was first (409, 404) is a day like any other; all else is an error.
    fn refused(&mut self, frame: &Value) {
        let command = self.said.remove(frame["id"].as_str().unwrap_or_default());
        let problem = &frame["problem"];
        if !matches!(problem["status"].as_u64(), Some(404 | 409)) {
            let detail = problem["detail"].as_str().unwrap_or("no detail");
            let told = format!("{}: {detail}", command.unwrap_or("a command"));
            self.world.tally.error(self.id, &told);
        }
        let now_s = self.now_s();
        self.mind.refused(now_s);
        self.look_soon();
    }

    fn look_soon(&mut self) {
        self.look_at = self.look_at.min(Instant::now() + GATHER);
    }
}

/// Whether a delta says anything: an empty one only shows that the server lives.
fn is_news(frame: &Value) -> bool {
    let sets = frame["set"].as_object().is_some_and(|set| !set.is_empty());
    sets || frame["remove"].as_array().is_some_and(|remove| !remove.is_empty())
}

async fn send(socket: &mut Socket, frame: &Value) -> Result<(), String> {
    match timeout(SEND_TIME_MAX, socket.send(Message::text(frame.to_string()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the server reads nothing".into()),
    }
}
