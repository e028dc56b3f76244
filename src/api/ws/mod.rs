//! `/ws`: what is pushed, and commands on the same socket.
//!
//! ```text
//! events ─► topics (once a tick), desk (at once) ─► channels ─ ring ─► session ─► client
//! ```
//!
//! `Push` is what all sockets share. Nothing is queued for a client but what its session writes;
//! see `session` for how a slow one is held. Not here: what a view holds, and commands themselves.

pub mod commands;
pub mod desk;
pub mod frames;
pub mod limit;
pub mod session;
pub mod topics;

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix::Addr;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use actix_web_actors::ws::WsResponseBuilder;
use atalaya_domain::ids::{AgentId, EntityId};
use bytestring::ByteString;
use uuid::Uuid;

use self::session::{Leave, Say, Session};
use self::topics::{Channel, RING, Reading, Topic, tick_at};
use super::Api;
use super::call::Call;
use super::problem::{Code, Problem};
use crate::views::Scope;

/// The subprotocol.
pub const PROTOCOL: &str = "atalaya.v1.json";
/// Sockets of one server unless configured; one past it is refused (503), so that requests have
/// connections left.
pub const SOCKETS_MAX: usize = 6_144;
/// How long what was sent may lie unacknowledged before the kernel ends the connection.
pub const TCP_PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of the kernel's send buffer: a client that stops reading holds few stale frames.
pub const SEND_BUFFER_BYTES: usize = 64 * 1_024;

type Watched = (Topic, bool);
type Sockets = BTreeMap<Option<AgentId>, Vec<(Uuid, Addr<Session>)>>;

struct Held {
    channel: Arc<Channel>,
    /// When somebody last watched.
    watched: Instant,
}

/// What all sockets share.
#[derive(Default)]
pub struct Push {
    channels: Mutex<HashMap<Watched, Held>>,
    sockets: Mutex<Sockets>,
    closing: AtomicBool,
    skipped_ticks: AtomicU64,
    left_out: AtomicU64,
}

impl Push {
    fn channels(&self) -> MutexGuard<'_, HashMap<Watched, Held>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sockets(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The channel of `topic` for `scope`, which has something to show.
    pub fn channel(&self, api: &Arc<Api>, topic: &Topic, scope: Scope) -> Arc<Channel> {
        let now = Instant::now();
        let channel = {
            let mut channels = self.channels();
            let held = channels.entry(key(topic, scope)).or_insert_with(|| {
                let channel = Arc::new(Channel::new(topic.clone(), api.epoch.clone()));
                Held { channel, watched: now }
            });
            held.watched = now;
            held.channel.clone()
        };
        if channel.is_empty() {
            channel.show(reading(api, topic, scope), now);
        }
        channel
    }

    /// The channel, if it is there.
    pub fn watched(&self, topic: &Topic, scope: Scope) -> Option<Arc<Channel>> {
        self.channels().get(&key(topic, scope)).map(|held| held.channel.clone())
    }

    /// Every channel that is watched, or was within the time that rings are kept.
    fn live(&self, now: Instant) -> Vec<(Arc<Channel>, Scope)> {
        let mut channels = self.channels();
        channels.retain(|_, held| {
            if held.channel.is_watched() {
                held.watched = now;
            }
            now.saturating_duration_since(held.watched) < RING
        });
        let scope = |wall: bool| if wall { Scope::Wall } else { Scope::All };
        channels.iter().map(|((_, wall), held)| (held.channel.clone(), scope(*wall))).collect()
    }

    fn enter(&self, id: Uuid, agent: Option<AgentId>, addr: Addr<Session>) {
        self.sockets().entry(agent).or_default().push((id, addr));
    }

    fn leave(&self, id: Uuid, agent: Option<&AgentId>) {
        let (mut sockets, agent) = (self.sockets(), agent.cloned());
        if let Some(theirs) = sockets.get_mut(&agent) {
            theirs.retain(|(other, _)| *other != id);
            if theirs.is_empty() {
                sockets.remove(&agent);
            }
        }
    }

    /// Whether the agent has a socket.
    pub fn has(&self, agent: &AgentId) -> bool {
        self.sockets().contains_key(&Some(agent.clone()))
    }

    /// How many sockets are open.
    pub fn count(&self) -> usize {
        self.sockets().values().map(Vec::len).sum()
    }

    /// How many subscriptions of open sockets there are, by topic.
    pub fn watchers(&self) -> BTreeMap<&'static str, usize> {
        let mut watchers = BTreeMap::from(topics::NAMES.map(|name| (name, 0)));
        for ((topic, _), held) in self.channels().iter() {
            *watchers.entry(topic.name()).or_default() += held.channel.watchers();
        }
        watchers
    }

    /// Ticks that were left out because the one before took too long.
    pub fn skipped_ticks(&self) -> u64 {
        self.skipped_ticks.load(Ordering::Relaxed)
    }

    /// Frames that a jammed socket did not get.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Says `frame` on every socket of the agent, at once.
    pub fn say(&self, agent: &AgentId, frame: &ByteString) {
        for (id, addr) in self.sockets().get(&Some(agent.clone())).into_iter().flatten() {
            if addr.try_send(Say(frame.clone())).is_err() {
                self.left_out.fetch_add(1, Ordering::Relaxed);
                let entity = EntityId::from(agent.clone());
                tracing::warn!(%entity, socket = %id, "a socket is jammed: a frame was left out");
            }
        }
    }

    /// Whether no socket may open any more.
    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Closes every socket (1001) and lets no other open: the server stops.
    pub fn close_all(&self) {
        self.closing.store(true, Ordering::Release);
        for (id, addr) in self.sockets().values().flatten() {
            if addr.try_send(Leave).is_err() {
                tracing::warn!(socket = %id, "a socket is jammed: it ends with the process");
            }
        }
    }
}

fn key(topic: &Topic, scope: Scope) -> Watched {
    // One's own desk is one for all of one's sockets.
    (topic.clone(), scope == Scope::Wall && !matches!(topic, Topic::Agent(_)))
}

fn reading(api: &Arc<Api>, topic: &Topic, scope: Scope) -> Reading {
    let (seq, data, at) = match topic {
        Topic::Wallboard => api.core.wallboard(scope),
        Topic::Roster => api.core.roster(scope),
        Topic::Agent(agent) => return desk::read(api, agent),
    };
    Reading { seq, at, data }
}

/// Starts what feeds the channels, on the caller's arbiter; it ends with the centre.
pub fn start(api: &Data<Api>) {
    actix_web::rt::spawn(desk::follow(api.clone()));
    actix_web::rt::spawn(tick(api.clone().into_inner()));
}

async fn tick(api: Arc<Api>) {
    let tick = tick_at(api.core.rate());
    let mut ticks = tokio::time::interval(tick);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = Instant::now();
    while !api.core.is_closed() {
        ticks.tick().await;
        let passed = last.elapsed().as_millis() / tick.as_millis();
        last = Instant::now();
        let skipped = u64::try_from(passed.saturating_sub(1)).unwrap_or(u64::MAX);
        api.push.skipped_ticks.fetch_add(skipped, Ordering::Relaxed);
        for (channel, scope) in api.push.live(Instant::now()) {
            // A desk is shown when its own events come; here it only breaks the silence.
            let is_desk = matches!(channel.topic(), Topic::Agent(_));
            let seq = if is_desk { 0 } else { api.core.last_seq() };
            if channel.is_due(seq, Instant::now()) {
                channel.show(reading(&api, channel.topic(), scope), Instant::now());
            }
        }
    }
}

/// Settings of a connection that is accepted.
pub fn on_connect(connection: &dyn Any, _: &mut Extensions) {
    let Some(tcp) = connection.downcast_ref::<TcpStream>() else { return };
    let socket = socket2::SockRef::from(tcp);
    let set = socket
        .set_tcp_user_timeout(Some(TCP_PATIENCE))
        .and_then(|()| socket.set_send_buffer_size(SEND_BUFFER_BYTES));
    if let Err(error) = set {
        tracing::warn!(%error, "cannot set up a connection: a jammed client may hold it longer");
    }
}

/// `GET /ws`.
pub async fn connect(
    call: Call,
    req: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let caller = call.caller()?.clone();
    if caller.session.is_some() && !is_own_page(&req) {
        let detail = "cannot open a socket for a page of another origin";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    if call.api.push.is_closing() || call.api.push.count() >= call.api.limits.sockets {
        return Err(Problem::new(Code::Overloaded, "cannot open another socket; try again later"));
    }
    let over = Arc::new(AtomicBool::new(false));
    let payload = limit::frames(payload, frames::FRAME_BYTES_MAX, over.clone());
    let session = Session::new(call.api.clone(), caller, over);
    WsResponseBuilder::new(session, &req, payload)
        .protocols(&[PROTOCOL])
        .frame_size(frames::FRAME_BYTES_MAX)
        .start()
        .map_err(|error| {
            Problem::new(Code::Malformed, format!("cannot open a socket: {error}").to_lowercase())
        })
}

/// Whether the page that asks came from here.
fn is_own_page(req: &HttpRequest) -> bool {
    let header = |name: &str| req.headers().get(name).and_then(|value| value.to_str().ok());
    let origin = header("Origin").and_then(|origin| origin.split_once("://"));
    let host = header("Host");
    origin.is_some_and(|(_, of)| host.is_some_and(|host| host.eq_ignore_ascii_case(of)))
}
