//! The shell: the lane of one entity's commands, the same for every machine.
//!
//! Decide → submit → wait for the outcome → answer: the order exists here and nowhere else. A lane
//! is blocked while it leads a command; the states are read where the projector published them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::prelude::*;
use atalaya_domain::contact;
use atalaya_domain::decision::Rejection;
use atalaya_domain::entry::{Entry, compose};
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::Command;
use atalaya_domain::time::Now;
use tokio::sync::oneshot;

use super::admission::{Place, TooMany};
use super::brain::Flight;
use super::centre::Centre;
use super::depth::Lies;
use super::gate::Token;
use super::receipts::Held;
use super::slots::Published;
use super::writer::{Outcome, Submission};
use crate::journal::commit::Cause;
use crate::telemetry::logging;

/// Commands that may wait in a lane; past it the caller is refused as overloaded.
pub const LANE_MAX: usize = 64;
/// Times that a command is decided anew because others moved first.
pub const ATTEMPTS_MAX: usize = 5;

/// A command on its way to its lane.
#[derive(Debug)]
pub struct Order {
    /// To whom.
    pub to: EntityId,
    /// What.
    pub command: Command,
    /// When; `None`: when it is decided.
    pub now: Option<Now>,
    /// By whom.
    pub cause: Cause,
    /// On what terms.
    pub terms: Terms,
    /// What is in flight until it has ended. Before `token`, which is let go after it.
    pub landing: Landing,
    /// Alive until it has ended.
    pub token: Token,
}

/// What a caller asks for besides the command.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Decide only on such a version of the entity.
    pub expects: Option<Expected>,
    /// Keeps the caller's key in flight until the outcome is known.
    pub held: Option<Held>,
}

/// A condition on the version that a command is decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// That there is one.
    Existing,
    /// One of these.
    OneOf(Vec<u64>),
}

impl Expected {
    fn holds(&self, version: u64) -> bool {
        match self {
            Self::Existing => version > 0,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone)]
pub struct Done {
    /// The entity as it is now.
    pub entity: Arc<Published>,
    /// Number of its last event; 0 when nothing changed.
    pub seq: u64,
}

/// Why a command did not end well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The domain said no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The caller's condition does not hold: nothing was done.
    #[error("cannot write: it is of version {version}; read it again")]
    Moved {
        /// The version that it has.
        version: u64,
    },
    /// Too much is waiting: nothing was done.
    #[error("cannot take the command: too much is waiting; try again in a second")]
    Overloaded,
    /// The log took nothing.
    #[error("{0}")]
    NotCommitted(String),
    /// It may have happened.
    #[error("cannot say whether it happened: {0}; repeat it with the same key")]
    Unknown(String),
    /// It would make one more kind of work or of agents than there may be: nothing was done.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// Others moved first, too often.
    #[error("cannot decide: others moved first {ATTEMPTS_MAX} times; try again")]
    Contended,
    /// Our fault: the machine panicked, or states do not fit.
    #[error("failed to decide: an internal fault, which was logged")]
    Internal,
}

/// Leads one order; the answer goes to `reply`.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Lead {
    /// What.
    pub order: Order,
    /// Where the answer goes, if somebody waits for it.
    pub reply: Option<oneshot::Sender<Result<Done, Failure>>>,
    /// Held while it lies in a mailbox.
    pub lies: Option<Lies>,
}

/// Ends a lane that is idle: the last that was sent to it, if it is the `sent`th of this lane.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Flush {
    /// Which lane is meant; another may have taken its place.
    pub number: u64,
    /// What had been sent to it.
    pub sent: u64,
}

/// The lane.
pub struct Shell {
    centre: Arc<Centre>,
    id: EntityId,
}

impl Shell {
    /// The lane of `id` in `centre`.
    pub const fn new(centre: Arc<Centre>, id: EntityId) -> Self {
        Self { centre, id }
    }
}

impl Drop for Shell {
    /// The obituary: a lane that ends otherwise than by a panic is only let go.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.centre.lane_died(&self.id);
        }
    }
}

impl Actor for Shell {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(LANE_MAX);
    }
}

impl Handler<Lead> for Shell {
    type Result = ();

    fn handle(&mut self, Lead { mut order, reply, lies }: Lead, ctx: &mut Self::Context) {
        drop(lies);
        let centre = self.centre.clone();
        if let Some(faults) = centre.faults() {
            faults.before_lead(&order.to, &order.command);
        }
        let work = async move {
            let answer = lead(&centre, &order).await;
            order.landing.end(answer.is_err());
            if let Err(failure) = &answer {
                let seq = || centre.slots.here(&order.to).map(|here| here.seq);
                logging::refused(&order.to, seq, &order.cause.by, failure);
            }
            let Order { terms, token, .. } = order;
            // Before the answer: who is refused may use the key again at once.
            drop(terms);
            if let Some(reply) = reply {
                // A caller who is gone has lost interest, not the outcome.
                let _ = reply.send(answer);
            }
            drop(token);
        };
        ctx.wait(work.into_actor(self));
    }
}

impl Handler<Flush> for Shell {
    type Result = ();

    fn handle(&mut self, flush: Flush, ctx: &mut Self::Context) {
        if self.centre.directory.flushed(&self.id, flush) {
            ctx.stop();
        }
    }
}

/// Tells the brain that a flight has ended, also when it dies with its lane's mailbox.
pub struct Landing {
    centre: Arc<Centre>,
    flight: Flight,
}

impl Landing {
    /// Of `flight`, which was launched.
    pub const fn new(centre: Arc<Centre>, flight: Flight) -> Self {
        Self { centre, flight }
    }

    /// It has ended; `refused`: without an event.
    pub fn end(&mut self, refused: bool) {
        let flight = std::mem::replace(&mut self.flight, Flight::Nothing);
        if flight != Flight::Nothing {
            self.centre.brain().land(&flight, refused);
            if refused {
                self.centre.wake_timekeeper();
            }
        }
    }
}

impl Drop for Landing {
    /// Nobody led it. In lockstep it is next again at once, since no timekeeper tries again there:
    /// the guardian's budget bounds how often.
    fn drop(&mut self) {
        self.end(!self.centre.is_lockstep());
    }
}

impl fmt::Debug for Landing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.flight.fmt(f)
    }
}

/// Leads to the end, however long a commit takes: who waits for the answer has patience of their
/// own, the lane goes on when the outcome is known.
async fn lead(centre: &Centre, order: &Order) -> Result<Done, Failure> {
    let _place = Place::of(centre, &order.to, &order.command);
    for _ in 0..ATTEMPTS_MAX {
        let Decided { entry, settles } = decide(centre, order)?;
        let verdict = entry.verdict.clone();
        let unchanged = entry.events.is_empty();
        let mut cause = order.cause.clone();
        if settles || verdict.is_err() {
            // Lapses stand, and are nobody's success.
            cause.receipt = None;
        }
        if unchanged && !entry.is_unfit() && cause.receipt.is_none() {
            verdict?;
            return Ok(Done { entity: centre.slots.read(&order.to), seq: 0 });
        }
        let (outcome, waits) = oneshot::channel();
        let submission = Submission { entry, cause, outcome, token: order.token.clone() };
        let writer = centre.writer().ok_or_else(|| {
            Failure::NotCommitted("cannot take the command: the centre is closing".into())
        })?;
        let taken = writer.submit(submission);
        // Kept over the wait it would keep the writer from ending: a stop joins its thread where
        // this lane lives, and would wait for ever for what is in flight.
        drop(writer);
        taken.map_err(|_| Failure::Overloaded)?;
        match waits.await {
            Ok(Outcome::Committed { .. }) if settles => (),
            Ok(Outcome::Committed { seq }) => {
                verdict?;
                let seq = if unchanged { 0 } else { seq };
                return Ok(Done { entity: centre.slots.read(&order.to), seq });
            }
            Ok(Outcome::Stale) => (),
            Ok(Outcome::Unfit) => {
                let (entity, seq) = (&order.to, centre.last_seq());
                tracing::error!(%entity, seq, "states that are current do not fit together");
                return Err(Failure::Internal);
            }
            Ok(Outcome::Refused(why)) => return Err(Failure::NotCommitted(why)),
            Ok(Outcome::Unknown(why)) => return Err(Failure::Unknown(why)),
            Err(_) => return Err(Failure::Unknown("the writer is gone".into())),
        }
    }
    Err(Failure::Contended)
}

/// An entry, and whether it is only what had fallen due before a conditional command.
struct Decided {
    entry: Entry,
    settles: bool,
}

/// Composes on what is published; a panic in a machine costs this command only.
///
/// A caller's condition is held against the version that the writer will check, so that nothing
/// moves between the two. What has fallen due is a newer version: it is committed first.
fn decide(centre: &Centre, order: &Order) -> Result<Decided, Failure> {
    let now = order.now.unwrap_or_else(|| centre.now());
    let read = |id: &EntityId| centre.slots.read(id).seen();
    let settles = order.terms.expects.is_some()
        && matches!(order.command, Command::Contact(_))
        && read(&order.to).state.deadline().is_some_and(|due| due <= (now.at, now.phase));
    let command = if settles {
        Command::Contact(contact::Command::Tick)
    } else {
        centre.admitted(&order.to, &order.command, now.at)?
    };
    let composed = catch_unwind(AssertUnwindSafe(|| compose(&read, now, &order.to, &command)));
    let entry = composed.map_err(|_| {
        let (entity, seq) = (&order.to, centre.last_seq());
        tracing::error!(%entity, seq, "a machine panicked while deciding");
        Failure::Internal
    })?;
    let version = entry.versions.get(&order.to).copied().unwrap_or(0);
    if let Some(expected) = &order.terms.expects
        && !entry.is_unfit()
        && !settles
        && !expected.holds(version)
    {
        return Err(Failure::Moved { version });
    }
    Ok(Decided { entry, settles })
}
