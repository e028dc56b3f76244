//! `atalaya serve`: the data folder, the centre on its log, and the server in front of it.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::web::Data;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::Event;
use atalaya_domain::priority::Priorities;
use atalaya_domain::system;
use atalaya_domain::time::{Span, Timestamp};
use jiff::tz::TimeZone;

use crate::actors::centre::{Centre, Options};
use crate::actors::clock::{Clock, wall_now};
use crate::actors::shell::Failure;
use crate::api::problem::Problem;
use crate::api::secrets::Secrets;
use crate::api::{Api, routes, tokens};
use crate::journal::commit::{Cause, Sealed};
use crate::journal::recorder::{OpenError, Recorder};

/// How far the last record of a store may lie ahead of the wall at a start in real time.
pub const AHEAD_MAX: Span = Span::seconds(300);
/// Whose midnight turns the day's counters, unless configured.
pub const TIME_ZONE: &str = "Europe/Madrid";

/// What is asked of `serve`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder; made when it is missing.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Centre seconds in a second; `None`: real time.
    pub rate: Option<f64>,
    /// Where a new store's clock starts.
    pub start: Option<Timestamp>,
    /// The classes of priority; `None`: those of API.md.
    pub priorities: Option<Priorities>,
    /// Whose midnight turns the day's counters; `None`: [`TIME_ZONE`].
    pub time_zone: Option<TimeZone>,
}

/// Why the server did not start, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The folder cannot be opened.
    #[error("failed to open the data folder: {0}")]
    Open(#[from] OpenError),
    /// Something of the machine.
    #[error("failed to {what}: {source}")]
    Io {
        /// Completes "failed to …".
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// The store's time does not fit.
    #[error("cannot start: {0}")]
    Time(String),
    /// The centre refused.
    #[error("failed to start the centre: {0}")]
    Centre(#[from] Failure),
    /// The first token could not be made.
    #[error("failed to make the first token: {0:?}")]
    Token(Problem),
}

fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> ServeError {
    let what = what.into();
    |source| ServeError::Io { what, source }
}

/// Serves until SIGTERM or SIGINT; `ready` is told the address once requests are answered, and may
/// end the server by what it is given.
pub fn run(
    settings: &Settings,
    ready: impl FnOnce(SocketAddr, &Data<Api>, Stop),
) -> Result<(), ServeError> {
    actix::System::new().block_on(serve(settings, ready))
}

/// Ends the server as a signal does.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<tokio::sync::Notify>);

impl Stop {
    /// Now.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

async fn serve(
    settings: &Settings,
    ready: impl FnOnce(SocketAddr, &Data<Api>, Stop),
) -> Result<(), ServeError> {
    let dir = &settings.data;
    std::fs::create_dir_all(dir).map_err(io(format!("make {}", dir.display())))?;
    let mut history = Vec::new();
    let recorder = Recorder::open(dir, wall_now, &mut |sealed| history.push(sealed))?;
    let clock = clock(settings, &history)?;
    let (secret, epoch) = (recorder.secret(), recorder.epoch());
    let has_token = history
        .iter()
        .flat_map(|sealed| &sealed.events)
        .any(|numbered| matches!(numbered.recorded.entity, EntityId::Token(_)));
    let named = || TimeZone::get(TIME_ZONE).unwrap_or(TimeZone::UTC);
    let time_zone = settings.time_zone.clone().unwrap_or_else(named);
    let arbiters = vec![actix::Arbiter::current()];
    let commit = Box::new(recorder);
    let options = Options { commit, history, arbiters, clock, driver: None, time_zone };
    let (centre, writer) = Centre::start(options).map_err(io("start the writer"))?;
    centre.announce_start().await?;
    let mut api = Api::new(centre.clone(), secret, epoch);
    if let Some(priorities) = &settings.priorities {
        api.priorities = priorities.clone();
    }
    let api = Data::new(api);
    if !has_token {
        first_token(dir, &api).await?;
    }
    let listener =
        TcpListener::bind(settings.listen).map_err(io(format!("listen on {}", settings.listen)))?;
    let address = listener.local_addr().map_err(io("learn the address"))?;
    let server = routes::serve(api.clone(), listener).map_err(io("start the server"))?;
    let handle = server.handle();
    let stop = Stop::default();
    ready(address, &api, stop.clone());
    actix::spawn(async move {
        tokio::select! {
            () = stopped() => (),
            () = stop.0.notified() => (),
        }
        // Sockets first: an open one would hold the stop for its whole time-out.
        api.push.close_all();
        handle.stop(true).await;
    });
    server.await.map_err(io("serve"))?;
    close(&centre, writer)
}

/// Waits until somebody asks the process to end.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("cannot listen to signals: end the process by SIGKILL, nothing is lost");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => (),
        _ = int.recv() => (),
    }
}

fn close(centre: &Arc<Centre>, writer: std::thread::JoinHandle<()>) -> Result<(), ServeError> {
    centre.close();
    let gone = |_| std::io::Error::other("the writer panicked");
    writer.join().map_err(gone).map_err(io("end the writer"))
}

/// The clock that goes on where the store's last record stands.
fn clock(settings: &Settings, history: &[Sealed]) -> Result<Clock, ServeError> {
    let last = history.last().map(|sealed| sealed.now);
    let kept =
        history.iter().flat_map(|sealed| &sealed.events).rev().find_map(|numbered| match &numbered
            .recorded
            .event
        {
            Event::System(system::Event::Started { rate, .. }) => Some(*rate),
            _ => None,
        });
    let simulated = kept.is_some_and(|rate| (rate - 1.0).abs() > f64::EPSILON);
    match (settings.rate, last) {
        (None, _) if simulated => Err(ServeError::Time(
            "the store was made at another rate than real time: name one with --clock-rate, or \
             start on an empty folder"
                .into(),
        )),
        (None, Some(last)) if last > wall_now().plus(AHEAD_MAX) => Err(ServeError::Time(
            "the last record lies more than 5 min ahead of the machine's clock: set the clock \
             right, or wait until it is past"
                .into(),
        )),
        (None, last) => Ok(Clock::new(last.unwrap_or_default().max(wall_now()), 1.0)),
        (Some(rate), Some(last)) => Ok(Clock::new(last, rate)),
        (Some(rate), None) => Ok(Clock::new(settings.start.unwrap_or_else(wall_now), rate)),
    }
}

/// An administrator's token for whoever has just made the folder: in a file that only they read.
///
/// The file is there before the log knows the token: a start that is killed between finds the file
/// and goes on with it, so that nobody is locked out.
async fn first_token(dir: &Path, api: &Data<Api>) -> Result<(), ServeError> {
    let path = dir.join("admin.token");
    let what = format!("write {}", path.display());
    let secret = match std::fs::read_to_string(&path) {
        Ok(kept) if !kept.trim().is_empty() => kept.trim().to_owned(),
        Ok(_) | Err(_) => {
            let secret = Secrets::make().map_err(ServeError::Token)?;
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&path)
                .map_err(io(what.clone()))?;
            writeln!(file, "{secret}").and_then(|()| file.sync_all()).map_err(io(what))?;
            secret
        }
    };
    let grant = tokens::grant("administrator", None, Some("act_as")).map_err(ServeError::Token)?;
    let cause = Cause::of("system:first-start".into(), None);
    tokens::make_with(api, secret, grant, cause).await.map_err(ServeError::Token)?;
    Ok(())
}
