//! `atalaya audit-live`: checks a running server from outside, with an administrator's token.
//!
//! ```text
//! /events ─► terms, picture (a fold of its own) ─┐
//! /ws, /wallboard, /metrics ─► looks, each at its own number ─► expect, compare ─► report
//! ```
//!
//! Written from the contract; it uses nothing else of this crate, so that a mistake of the server
//! is not made here too. `listen` is a thread that hears everything; `judge` folds event after
//! event, no further than a look may still be under way, and compares every look at the sequence
//! number that it names. `counts` states how windows and days are cut.

mod calls;
mod compare;
mod counts;
mod expect;
mod gauges;
mod judge;
mod listen;
mod looks;
mod people;
mod picture;
mod report;
mod rules;
mod scrape;
mod terms;
mod topic;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use tokio::sync::mpsc;

pub use self::report::{AROUND, KEPT_PER_KIND_MAX, Sizes, Summary, Violation, Watched};

use self::judge::Judge;
use self::listen::{Asked, Heard, Wanted};
use self::wire::Place;

/// The zone of the centre's days where neither the server nor the caller names one.
pub const TIME_ZONE: &str = "Europe/Madrid";
/// What was heard and is not judged yet; past it the readers wait.
const HEARD_MAX: usize = 4_096;

/// What is audited, and how long.
#[derive(Clone)]
pub struct Options {
    /// `http://HOST:PORT`.
    pub server: String,
    /// An administrator's token.
    pub token: String,
    /// Once the log so far is read; none: until Ctrl-C.
    pub run_for: Option<Duration>,
    /// The zone of the centre's days; none: what the server says, else [`TIME_ZONE`].
    pub time_zone: Option<String>,
}

impl fmt::Debug for Options {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, run_for, time_zone, .. } = self;
        let mut shown = f.debug_struct("Options");
        shown.field("server", server).field("run_for", run_for).field("time_zone", time_zone);
        shown.finish_non_exhaustive()
    }
}

/// Why there was no audit.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Wrong usage.
    #[error("cannot use `{0}` as a server: give http://HOST:PORT, without a path")]
    Address(String),
    /// Wrong usage.
    #[error("cannot use `{0}` as a time zone: give a name like Europe/Madrid")]
    Zone(String),
    /// Nothing came, or it was refused.
    #[error("cannot audit {server}: {why}; check that it runs, and the token")]
    Failed {
        /// Which server.
        server: String,
        /// What happened.
        why: String,
    },
    /// A thread could not be started.
    #[error("cannot start to listen: {0}")]
    Start(#[from] std::io::Error),
}

/// How far an audit has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Sequence numbers at which a view was compared.
    pub compared: u64,
    /// Times that the server was away and is back.
    pub returns: u64,
    /// Whether it is away just now.
    pub is_away: bool,
    /// How often each rule was broken.
    pub violations: &'a BTreeMap<&'static str, u64>,
}

/// Audits until the time is over, Ctrl-C comes, or there is no going on.
pub fn run(options: &Options) -> Result<Summary, AuditError> {
    run_while(options, |_| true)
}

/// The same, and no longer than `wanted` says so.
pub fn run_while(
    options: &Options,
    mut wanted: impl FnMut(Progress<'_>) -> bool,
) -> Result<Summary, AuditError> {
    let zone = options.time_zone.as_deref().map(zone).transpose()?;
    let place = Place::new(&options.server, &options.token)
        .ok_or_else(|| AuditError::Address(options.server.clone()))?;
    let asked = Arc::new(Asked::default());
    let (to, mut from) = mpsc::channel(HEARD_MAX);
    let what = Wanted { place, run_for: options.run_for, asked: asked.clone() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = thread::Builder::new().name("audit-listen".to_owned());
    let listener = listener.spawn(move || runtime.block_on(listen::listen(what, to)))?;
    let begun = Instant::now();
    let mut judge = Judge::new(zone, asked);
    let mut failed = None;
    while let Some(heard) = from.blocking_recv() {
        match heard {
            Heard::Stop => break,
            Heard::Failed(why) => {
                failed = Some(why);
                break;
            }
            heard => judge.hear(heard),
        }
        if !wanted(judge.progress()) {
            break;
        }
    }
    drop(from);
    // A listener that panicked has said so.
    let _ = listener.join();
    let mut summary = judge.end(begun.elapsed());
    match failed {
        Some(why) if summary.folded == 0 => {
            Err(AuditError::Failed { server: options.server.clone(), why })
        }
        Some(why) => {
            summary.cut_short = Some(why);
            Ok(summary)
        }
        None => Ok(summary),
    }
}

/// The zone of a name.
fn zone(name: &str) -> Result<TimeZone, AuditError> {
    TimeZone::get(name).map_err(|_| AuditError::Zone(name.to_owned()))
}
