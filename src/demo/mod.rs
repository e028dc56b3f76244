//! A centre that lives in a running server: callers who call, agents who answer, a supervisor who
//! acts.
//!
//! It is a client like any other: it knows the HTTP interface and the socket, and nothing of the
//! program behind them. What the people do is drawn from a seed; when it happens follows the
//! centre's clock, which the server tells. [`live`] is the way in; the server that it lives in is
//! started by whoever calls. Only [`past`] is no client: it plays the hours that lie behind an
//! opening, with the same callers and minds, before there is a server.
//!
//! Who is at work is the rota's. After 20:00 and on weekends a few keep the night and few call, so
//! that a board that is left alone still lives; at 09:00 the day comes back by itself.

pub mod agents;
pub mod callers;
pub mod centre;
pub mod clock;
pub mod exchange;
pub mod mind;
pub mod past;
pub mod rota;
pub mod supervisor;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::client::{Client, ClientError};
use centre::Centre;
use clock::Clock;
use exchange::Exchange;

/// Patience with those who still speak when the run is over; after it they are cut off.
const CLOSING_TIME_MAX: Duration = Duration::from_secs(10);
/// A run without an end: longer than any.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the demo is given.
#[derive(Clone)]
pub struct Options {
    /// `http://HOST:PORT`.
    pub server: String,
    /// An administrator's token with the scope `act_as`.
    pub token: String,
    /// Who lives there.
    pub centre: Arc<Centre>,
    /// What the people's chance grows from.
    pub seed: u64,
    /// How long it lives, in time here; none: until it is dropped.
    pub run_for: Option<Duration>,
}

impl fmt::Debug for Options {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, centre, seed, run_for, .. } = self;
        let mut shown = f.debug_struct("Options");
        shown.field("server", server).field("people", &centre.people.len());
        shown.field("seed", seed).field("run_for", run_for).finish_non_exhaustive()
    }
}

/// What has happened, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Those who called.
    pub callers: u64,
    /// Those who were there when it began, waiting or talking.
    pub taken_over: u64,
    /// Those of both who spoke with an agent.
    pub answered: u64,
    /// Those who hung up while they waited.
    pub abandoned: u64,
    /// Those whom a queue refused.
    pub refused: u64,
    /// Those who found the demo's own lines engaged, and never called.
    pub engaged: u64,
    /// Offers that an agent accepted.
    pub offers_accepted: u64,
    /// Offers that an agent rejected.
    pub offers_rejected: u64,
    /// Offers that an agent let pass.
    pub offers_missed: u64,
    /// Sockets that were opened again after they broke.
    pub reconnects: u64,
    /// Desktops that fell silent, as the demo wanted.
    pub silences: u64,
    /// What the supervisor did.
    pub interventions: u64,
    /// What went wrong and is no part of a centre's day.
    pub errors: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { callers, taken_over, answered, abandoned, refused, errors, .. } = self;
        let (accepted, missed) = (self.offers_accepted, self.offers_missed);
        write!(
            f,
            "{callers} callers, {taken_over} taken over, {answered} answered, {abandoned} \
             abandoned, {refused} refused; offers: {accepted} accepted, {} rejected, {missed} \
             missed; {} silences, {} interventions, {} reconnects, {errors} errors",
            self.offers_rejected, self.silences, self.interventions, self.reconnects
        )
    }
}

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Nobody can live by a clock that stands still.
    #[error("cannot live at {0} centre seconds a second: give a rate above 0")]
    Rate(f64),
    /// The centre's text is none.
    #[error("cannot read the centre of config/atalaya.toml: {0}; mend it and build again")]
    Centre(String),
    /// The server cannot be used.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// The counters behind [`Summary`].
#[derive(Debug, Default)]
pub struct Tally([AtomicU64; 13]);

/// One thing that is counted.
#[derive(Debug, Clone, Copy)]
pub enum Count {
    /// [`Summary::callers`].
    Caller,
    /// [`Summary::taken_over`].
    TakenOver,
    /// [`Summary::answered`].
    Answered,
    /// [`Summary::abandoned`].
    Abandoned,
    /// [`Summary::refused`].
    Refused,
    /// [`Summary::engaged`].
    Engaged,
    /// [`Summary::offers_accepted`].
    Accepted,
    /// [`Summary::offers_rejected`].
    Rejected,
    /// [`Summary::offers_missed`].
    Missed,
    /// [`Summary::reconnects`].
    Reconnect,
    /// [`Summary::silences`].
    Silence,
    /// [`Summary::interventions`].
    Intervention,
    /// [`Summary::errors`].
    Error,
}

impl Tally {
    /// One more.
    pub fn add(&self, count: Count) {
        self.cell(count).fetch_add(1, Ordering::Relaxed);
    }

    /// One more error, told.
    pub fn error(&self, who: &str, error: &dyn fmt::Display) {
        tracing::warn!(who, %error, "the demo could not do something");
        self.add(Count::Error);
    }

    /// As it stands.
    pub fn summary(&self) -> Summary {
        let read = |count| self.cell(count).load(Ordering::Relaxed);
        Summary {
            callers: read(Count::Caller),
            taken_over: read(Count::TakenOver),
            answered: read(Count::Answered),
            abandoned: read(Count::Abandoned),
            refused: read(Count::Refused),
            engaged: read(Count::Engaged),
            offers_accepted: read(Count::Accepted),
            offers_rejected: read(Count::Rejected),
            offers_missed: read(Count::Missed),
            reconnects: read(Count::Reconnect),
            silences: read(Count::Silence),
            interventions: read(Count::Intervention),
            errors: read(Count::Error),
        }
    }

    fn cell(&self, count: Count) -> &AtomicU64 {
        let Self([callers, taken_over, answered, abandoned, refused, engaged, rest @ ..]) = self;
        let [accepted, rejected, missed, reconnects, silences, acts, errors] = rest;
        match count {
            Count::Caller => callers,
            Count::TakenOver => taken_over,
            Count::Answered => answered,
            Count::Abandoned => abandoned,
            Count::Refused => refused,
            Count::Engaged => engaged,
            Count::Accepted => accepted,
            Count::Rejected => rejected,
            Count::Missed => missed,
            Count::Reconnect => reconnects,
            Count::Silence => silences,
            Count::Intervention => acts,
            Count::Error => errors,
        }
    }
}

/// What all the people share.
pub struct World {
    /// The server, as the administrator sees it.
    pub client: Client,
    /// The centre's time.
    pub clock: Clock,
    /// What has happened.
    pub tally: Tally,
    /// Who lives here.
    pub centre: Arc<Centre>,
    /// What the people's chance grows from.
    pub seed: u64,
    /// What tells callers of their calls.
    pub exchange: Exchange,
}

/// Sets the centre up and lives in it until `run_for` is over; then talks are brought to an end and
/// everybody signs out.
///
/// Dropping it ends everything at once: who spoke is cut off, and the server finds out by the
/// leases. The next life takes up what is left.
pub async fn live(options: Options) -> Result<Summary, DemoError> {
    let Options { server, token, centre, seed, run_for } = options;
    let client = Client::new(&server, &token)?;
    let clock = Clock::of(&client).await?;
    centre::set_up(&client, &centre).await?;
    let here = client.list("/api/v1/agents").await?;
    let here = here.into_iter().filter(|agent| agent["state"] != "signed_out");
    let here: BTreeSet<String> =
        here.filter_map(|agent| agent["id"].as_str().map(str::to_owned)).collect();
    let (tally, exchange) = (Tally::default(), Exchange::default());
    let world = Arc::new(World { client, clock, tally, centre, seed, exchange });
    let until = Instant::now() + run_for.unwrap_or(FOREVER).min(FOREVER);
    let (stop, stopped) = watch::channel(false);
    let mut staff = JoinSet::new();
    for place in 0..world.centre.people.len() {
        let is_here = here.contains(&world.centre.people[place].id);
        staff.spawn(agents::work(world.clone(), place, is_here, stopped.clone()));
    }
    let mut others = JoinSet::new();
    others.spawn(exchange::follow(world.clone(), stopped.clone()));
    others.spawn(ring(world.clone(), stopped.clone()));
    others.spawn(supervisor::watch_over(world.clone(), stopped.clone()));
    let (stop_callers, hurry) = watch::channel(false);
    let mut calls = JoinSet::new();
    calls.spawn(callers::arrive(world.clone(), hurry));
    let failed = tokio::select! {
        () = sleep_until(until) => None,
        error = first_failure(&world, &mut staff) => Some(error),
    };
    stop_callers.send_replace(true);
    let _ = timeout(CLOSING_TIME_MAX, async { while calls.join_next().await.is_some() {} }).await;
    stop.send_replace(true);
    let _ = timeout(CLOSING_TIME_MAX, async { while staff.join_next().await.is_some() {} }).await;
    let _ = timeout(CLOSING_TIME_MAX, async { while others.join_next().await.is_some() {} }).await;
    failed.map_or_else(|| Ok(world.tally.summary()), Err)
}

/// The first agent who cannot work at all; none ever: waits for ever.
async fn first_failure(world: &World, staff: &mut JoinSet<Result<(), ClientError>>) -> DemoError {
    while let Some(ended) = staff.join_next().await {
        match ended {
            Ok(Ok(())) => (),
            Ok(Err(error)) => return error.into(),
            // A panic: the others work on.
            Err(error) => world.tally.error("an agent", &error),
        }
    }
    std::future::pending().await
}

/// Says when the centre opens and closes: who looks at a board of a few people wants to know why.
async fn ring(world: Arc<World>, mut stop: watch::Receiver<bool>) {
    loop {
        let (is_open, until_s) = rota::hours(&world.centre.time_zone, world.clock.now_s());
        let until = rota::instant(until_s);
        if is_open {
            tracing::info!(%until, "the centre is open");
        } else {
            tracing::info!(%until, "it is night in the centre: a few keep it, and few call");
        }
        tokio::select! {
            () = sleep_until(world.clock.at(until_s)) => (),
            () = told_to(&mut stop) => return,
        }
    }
}

/// Waits until told to stop; nobody left to tell it is the same.
async fn told_to(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
