//! One socket: an actor that says what its topics have and carries out what its client asks.
//!
//! It is polled only while its connection has room, so a client that does not read stands still
//! with all its timers; what it misses stays in the rings, and the kernel ends it (`on_connect`).
//! Credit: after a tick no other goes out before the client's Pong to the Ping that went with it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix::prelude::*;
use actix_web_actors::ws::{
    CloseCode, CloseReason, Message, ProtocolError, WebsocketContext as Context,
};
use atalaya_domain::ids::EntityId;
use bytestring::ByteString;
use futures_util::stream::unfold;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::commands::carry_out;
use super::frames::{self, Resume, Said};
use super::topics::{Channel, Cursor, Topic, scope_of};
use crate::api::call::Caller;
use crate::api::problem::{Code, Problem};
use crate::api::{Api, clock, guard, wire};

/// Time between two pings of an agent, and between two looks at whether the credential holds.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// Pings in a row that an agent may leave unanswered; then the socket is closed (1008).
pub const UNANSWERED_MAX: u32 = 3;
/// How long a client may leave a tick's Ping unanswered; then the socket is closed (1008).
pub const CREDIT_WAIT_MAX: Duration = Duration::from_secs(15);
/// Messages within [`ERRORS_WITHIN`] that may be wrong; the last of them closes it (1008).
pub const ERRORS_MAX: usize = 10;
/// See [`ERRORS_MAX`].
pub const ERRORS_WITHIN: Duration = Duration::from_secs(60);
/// Commands of one socket in hand; one past it is refused.
pub const COMMANDS_MAX: usize = 16;
/// What may wait to be said to one socket from outside it; past it offers are seen in the topic.
pub const MAILBOX_MAX: usize = 64;

/// Say this.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Say(pub ByteString);

/// The server stops.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Leave;

/// A channel has news.
struct Moved;

struct Watching {
    channel: Arc<Channel>,
    cursor: Cursor,
    news: SpawnHandle,
}

/// See the module.
pub struct Session {
    api: Arc<Api>,
    caller: Caller,
    id: Uuid,
    /// Whether the client announced a frame that is too large.
    over: Arc<AtomicBool>,
    watching: BTreeMap<Topic, Watching>,
    tick: u64,
    /// The tick whose Pong is not back, and since when.
    in_flight: Option<(u64, Instant)>,
    /// Pings since the client last spoke.
    unanswered: u32,
    errors: VecDeque<Instant>,
    commands: usize,
    closing: bool,
}

impl Session {
    /// A socket of `caller`; `over`: whether a frame was too large.
    pub fn new(api: Arc<Api>, caller: Caller, over: Arc<AtomicBool>) -> Self {
        Self {
            api,
            caller,
            id: Uuid::now_v7(),
            over,
            watching: BTreeMap::new(),
            tick: 0,
            in_flight: None,
            unanswered: 0,
            errors: VecDeque::new(),
            commands: 0,
            closing: false,
        }
    }

    fn end(&mut self, ctx: &mut Context<Self>, code: CloseCode, why: &str) {
        if !self.closing {
            self.closing = true;
            ctx.close(Some(CloseReason { code, description: Some(why.to_owned()) }));
            ctx.stop();
        }
    }

    /// Says all that the topics have, if the client has credit.
    fn flush(&mut self, ctx: &mut Context<Self>) {
        if self.in_flight.is_some() || self.closing {
            return;
        }
        let mut said = false;
        for watching in self.watching.values_mut() {
            for frame in watching.channel.read(&mut watching.cursor) {
                ctx.text(frame);
                said = true;
            }
        }
        if said {
            self.tick += 1;
            self.in_flight = Some((self.tick, Instant::now()));
            ctx.ping(&self.tick.to_be_bytes());
        }
    }

    fn beat(&mut self, ctx: &mut Context<Self>) {
        if !guard::still_holds(&self.api, &self.caller) {
            self.end(ctx, CloseCode::Policy, "the session has ended");
        } else if self.in_flight.is_some_and(|(_, since)| since.elapsed() >= CREDIT_WAIT_MAX) {
            self.end(ctx, CloseCode::Policy, "a Ping was not answered");
        } else if self.caller.agent.is_some() {
            if self.unanswered >= UNANSWERED_MAX {
                self.end(ctx, CloseCode::Policy, "no pong came");
            } else {
                self.unanswered += 1;
                ctx.text(frames::text(&json!({ "type": "ping" })));
            }
        }
    }

    fn heard(&mut self, ctx: &mut Context<Self>) {
        self.unanswered = 0;
        let Some(agent) = self.caller.agent.clone() else { return };
        if self.api.core.renew(&agent) {
            let (api, cause) = (self.api.clone(), self.caller.cause());
            let hear = async move {
                if let Err(error) = api.core.hear(&agent, cause).await {
                    let (entity, seq) = (EntityId::from(agent), api.core.last_seq());
                    tracing::warn!(%entity, seq, %error, "cannot say that an agent is heard");
                }
            };
            ctx.spawn(hear.into_actor(self));
        }
    }

    fn take(&mut self, ctx: &mut Context<Self>, text: &str) {
        let done = Said::read(text).and_then(|said| match said {
            Said::Pong {} => Ok(()),
            Said::Subscribe { topic, resume, .. } => self.subscribe(ctx, &topic, resume),
            Said::Unsubscribe { topic } => self.unsubscribe(ctx, &topic),
            Said::Command { id, command, args } => {
                self.command(ctx, id, command, args);
                Ok(())
            }
        });
        if let Err(problem) = done {
            self.refuse(ctx, &problem);
        }
    }

    fn refuse(&mut self, ctx: &mut Context<Self>, problem: &Problem) {
        ctx.text(frames::error(problem));
        let now = Instant::now();
        self.errors.retain(|at| now.saturating_duration_since(*at) < ERRORS_WITHIN);
        self.errors.push_back(now);
        if self.errors.len() >= ERRORS_MAX {
            self.end(ctx, CloseCode::Policy, "too many messages were not understood");
        }
    }

    fn subscribe(
        &mut self,
        ctx: &mut Context<Self>,
        topic: &str,
        resume: Option<Resume>,
    ) -> Result<(), Problem> {
        let topic = Topic::of(topic, &self.caller)?;
        let channel = self.api.push.channel(&self.api, &topic, scope_of(&self.caller));
        let cursor = match resume {
            Some(resume) if resume.epoch == self.api.epoch => Cursor::Resume(resume.seq),
            Some(_) | None => Cursor::Fresh,
        };
        let news = ctx.add_stream(unfold(channel.follow(), moved));
        let watching = Watching { channel, cursor, news };
        if let Some(old) = self.watching.insert(topic, watching) {
            ctx.cancel_future(old.news);
        }
        self.flush(ctx);
        Ok(())
    }

    fn unsubscribe(&mut self, ctx: &mut Context<Self>, topic: &str) -> Result<(), Problem> {
        let topic = Topic::of(topic, &self.caller)?;
        if let Some(old) = self.watching.remove(&topic) {
            ctx.cancel_future(old.news);
        }
        Ok(())
    }

    fn command(
        &mut self,
        ctx: &mut Context<Self>,
        id: String,
        command: String,
        args: Map<String, Value>,
    ) {
        if self.commands >= COMMANDS_MAX {
            let detail = format!("cannot take more than {COMMANDS_MAX} commands at a time");
            let refused = Err(Problem::new(Code::TooMany, detail));
            ctx.text(frames::answer(&id, &refused));
            return;
        }
        self.commands += 1;
        let work = carry_out(self.api.clone(), self.caller.clone(), command, args);
        let work = work.into_actor(self).map(move |ended, session, ctx| {
            session.commands -= 1;
            ctx.text(frames::answer(&id, &ended));
        });
        ctx.spawn(work);
    }
}

async fn moved(mut news: watch::Receiver<u64>) -> Option<(Moved, watch::Receiver<u64>)> {
    news.changed().await.ok()?;
    Some((Moved, news))
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX_MAX);
        let agent = self.caller.agent.as_ref();
        let welcome = json!({
            "type": "welcome",
            "epoch": self.api.epoch,
            "session": self.id.to_string(),
            "heartbeat": format!("{}s", HEARTBEAT.as_secs()),
            "clock": clock::json(&self.api.core),
            "agent": wire::text_or_null(agent),
        });
        ctx.text(frames::text(&welcome));
        if let Some(agent) = agent {
            self.api.core.open(agent);
        }
        self.api.push.enter(self.id, agent.cloned(), ctx.address());
        if self.api.push.is_closing() {
            // Let in just before the stop, which did not find it among the open ones.
            ctx.notify(Leave);
        }
        ctx.run_interval(HEARTBEAT, Self::beat);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if let Some(agent) = &self.caller.agent {
            self.api.core.close(agent);
        }
        self.api.push.leave(self.id, self.caller.agent.as_ref());
    }
}

impl Handler<Say> for Session {
    type Result = ();

    fn handle(&mut self, Say(frame): Say, ctx: &mut Self::Context) {
        if !self.closing {
            ctx.text(frame);
        }
    }
}

impl Handler<Leave> for Session {
    type Result = ();

    fn handle(&mut self, _: Leave, ctx: &mut Self::Context) {
        self.end(ctx, CloseCode::Away, "the server stops");
    }
}

impl StreamHandler<Moved> for Session {
    fn handle(&mut self, _: Moved, ctx: &mut Self::Context) {
        self.flush(ctx);
    }

    /// A channel ends with its server only.
    fn finished(&mut self, _: &mut Self::Context) {}
}

impl StreamHandler<Result<Message, ProtocolError>> for Session {
    fn handle(&mut self, message: Result<Message, ProtocolError>, ctx: &mut Self::Context) {
        if self.closing {
            return;
        }
        match message {
            Ok(Message::Text(text)) => {
                // Not only at the next beat: who is shut out is shown nothing more, and is not
                // heard of.
                if guard::still_holds(&self.api, &self.caller) {
                    self.heard(ctx);
                    self.take(ctx, &text);
                } else {
                    self.end(ctx, CloseCode::Policy, "the session has ended");
                }
            }
            Ok(Message::Ping(bytes)) => ctx.pong(&bytes),
            Ok(Message::Pong(bytes)) => {
                let answers = |(tick, _): (u64, Instant)| tick.to_be_bytes()[..] == bytes[..];
                if self.in_flight.is_some_and(answers) {
                    self.in_flight = None;
                    self.flush(ctx);
                }
            }
            Ok(Message::Close(reason)) => {
                self.closing = true;
                ctx.close(reason);
                ctx.stop();
            }
            Ok(Message::Binary(_) | Message::Continuation(_)) => {
                let why = "one JSON object in one text frame is taken, nothing else";
                self.end(ctx, CloseCode::Unsupported, why);
            }
            Ok(Message::Nop) => (),
            Err(_) if self.over.load(Ordering::Acquire) => {
                self.end(ctx, CloseCode::Size, "the frame is too large");
            }
            Err(_) => self.end(ctx, CloseCode::Protocol, "cannot read the frame"),
        }
    }
}
