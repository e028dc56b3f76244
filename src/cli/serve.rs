//! `atalaya serve`: the data folder, the centre on its log, and the server in front of it.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use atalaya_domain::time::{Span, Timestamp};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::configure::{self, Running, Source};
use super::store::Store;
use crate::actors::centre::{Centre, Options};
use crate::actors::clock::{Clock, wall_now};
use crate::actors::shell::Failure;
use crate::api::problem::Problem;
use crate::api::secrets::Secrets;
use crate::api::{Api, Limits, Room, routes, tokens};
use crate::config::{self, Config, Mistakes};
use crate::journal::commit::Cause;
use crate::journal::recorder::{OpenError, Sizes};
use crate::journal::timed::Timed;
use crate::journal::{Disk as _, RESERVE_BYTES_DEFAULT, RealDisk};
use crate::telemetry::Meters;
use crate::views::rfc3339;

/// How far the last record of a store may lie ahead of the wall at a start in real time.
pub const AHEAD_MAX: Span = Span::seconds(300);
/// How long a stop waits for the sockets to be gone; with what `routes` waits for requests, under
/// the 10 s that whoever stops it grants.
pub const SOCKETS_GONE_MAX: Duration = Duration::from_secs(4);
/// Time between two looks at the sockets of a server that stops.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What is asked of `serve`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder; made when it is missing.
    pub data: PathBuf,
    /// The configuration file.
    pub config: Source,
    /// Where to listen; goes before the configuration.
    pub listen: Option<SocketAddr>,
    /// Centre seconds in a second; `None`: real time.
    pub rate: Option<f64>,
    /// Where a new store's clock starts, or, at rate 0, goes on.
    pub start: Option<Timestamp>,
}

/// Why the server did not start, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration has mistakes.
    #[error("cannot start: {0}")]
    Config(#[from] Mistakes),
    /// Tokens would go over the wire for all to read.
    #[error(
        "cannot listen on {0}: plain http off this machine shows tokens to whoever listens; listen \
         on 127.0.0.1 behind a proxy, or set insecure_http = true in [server] of the configuration"
    )]
    Insecure(SocketAddr),
    /// A server has the folder.
    #[error("{} has {dir}; {advice}", holder(*pid))]
    Held {
        /// The data folder.
        dir: String,
        /// Who has it, where it had time to say so.
        pid: Option<u32>,
        /// What to do.
        advice: &'static str,
    },
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

impl ServeError {
    /// Whoever has `dir` keeps it.
    pub(super) fn held(dir: &Path, pid: Option<u32>) -> Self {
        let advice = "stop it first, or name another folder with --data";
        Self::Held { dir: dir.display().to_string(), pid, advice }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("a server (pid {pid})"))
}

pub(super) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> ServeError {
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
    // From here on a signal that comes too early waits; without this it would end the process.
    let on = |kind, name: &str| signal(kind).map_err(io(format!("listen to {name}")));
    let reloads = on(SignalKind::hangup(), "SIGHUP")?;
    let mut term = on(SignalKind::terminate(), "SIGTERM")?;
    let mut int = on(SignalKind::interrupt(), "SIGINT")?;
    let config = settings.config.read()?;
    let listen = settings.listen.or(config.server.listen).unwrap_or(config::LISTEN);
    if !config.server.insecure_http && !listen.ip().is_loopback() {
        return Err(ServeError::Insecure(listen));
    }
    let dir = &settings.data;
    let sizes = Sizes {
        segment_bytes: config.limits.log_segment,
        reserve_bytes: config.limits.disk_reserve,
    };
    let time_zone = config.centre.time_zone.clone();
    let store = Store::open(dir, sizes, Some(&time_zone))?;
    let clock = clock(settings, &store)?;
    let has_token = store.has_token();
    let Store { recorder, found, following } = store;
    let (secret, epoch) = (recorder.secret(), recorder.epoch());
    let arbiters = vec![actix::Arbiter::current()];
    let meters = Arc::new(Meters::default());
    let commit = Box::new(Timed::new(Box::new(recorder), meters.clone()));
    let history = Vec::new();
    let options = Options { commit, history, arbiters, clock, driver: None, time_zone };
    let started = Centre::start_on(options, found, following, None);
    let (centre, writer) = started.map_err(io("start the writer"))?;
    centre.announce_start().await?;
    let mut api = api(centre.clone(), secret, epoch, &config).counting_in(meters);
    api.room = Some(room(dir.clone(), sizes.reserve_bytes.unwrap_or(RESERVE_BYTES_DEFAULT)));
    let api = Data::new(api);
    configure::apply(&api, &config).await?;
    if !has_token {
        first_token(dir, &api).await?;
    }
    let listener = TcpListener::bind(listen).map_err(io(format!("listen on {listen}")))?;
    let address = listener.local_addr().map_err(io("learn the address"))?;
    let server = routes::serve(api.clone(), listener).map_err(io("start the server"))?;
    let handle = server.handle();
    let stop = Stop::default();
    tracing::info!(centre = config.centre.name, %address, data = %dir.display(), "started");
    let running = Running::new(settings.config.clone(), config);
    actix::spawn(reload_at(reloads, running, api.clone()));
    ready(address, &api, stop.clone());
    actix::spawn(async move {
        tokio::select! {
            _ = term.recv() => (),
            _ = int.recv() => (),
            () = stop.0.notified() => (),
        }
        // Sockets first: an open one would hold the stop for its whole time-out.
        api.push.close_all();
        if tokio::time::timeout(SOCKETS_GONE_MAX, sockets_gone(&api)).await.is_err() {
            tracing::warn!(open = api.push.count(), "sockets did not close: they are cut off");
        }
        handle.stop(true).await;
    });
    server.await.map_err(io("serve"))?;
    close(&centre, writer)
}

fn api(centre: Arc<Centre>, secret: [u8; 32], epoch: String, config: &Config) -> Api {
    let mut api = Api::new(centre, secret, epoch);
    let or = |given: Option<u64>, default: usize| {
        given.and_then(|given| usize::try_from(given).ok()).unwrap_or(default)
    };
    let Limits { body_bytes, sockets } = api.limits;
    api.limits = Limits {
        body_bytes: or(config.limits.max_body, body_bytes),
        sockets: or(config.limits.max_sockets, sockets),
    };
    api.open_metrics = config.server.metrics_open;
    api.set_priorities(config.priorities.clone());
    api
}

/// Asks how much is free where the log lies.
fn room(dir: PathBuf, reserve: u64) -> Room {
    Box::new(move || Ok((RealDisk.free_space(&dir)?, reserve)))
}

/// Reads the configuration again at each SIGHUP.
async fn reload_at(mut reloads: Signal, mut running: Running, api: Data<Api>) {
    while reloads.recv().await.is_some() {
        running.reload(&api).await;
    }
}

/// Waits until no socket is open.
async fn sockets_gone(api: &Api) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    while api.push.count() > 0 {
        looks.tick().await;
    }
}

pub(super) fn close(
    centre: &Arc<Centre>,
    writer: std::thread::JoinHandle<()>,
) -> Result<(), ServeError> {
    centre.close();
    let gone = |_| std::io::Error::other("the writer panicked");
    writer.join().map_err(gone).map_err(io("end the writer"))?;
    centre.let_go();
    Ok(())
}

/// The clock that goes on where the store's last record stands.
fn clock(settings: &Settings, store: &Store) -> Result<Clock, ServeError> {
    let (last, kept) = (store.found.last_now(), store.rate());
    // A centre that was never started has had no time, whatever was made beside it.
    let last = last.filter(|_| kept.is_some());
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
        (None, last) => Ok(Clock::real(last)),
        (Some(rate), Some(last)) if rate <= 0.0 => match settings.start {
            Some(start) if start < last => Err(ServeError::Time(format!(
                "the store's clock stands at {}, which is later than --clock-start: name a later \
                 instant, or none",
                rfc3339(last)
            ))),
            // The time between was spent down: what fell due in it is done at the start.
            start => Ok(Clock::new(start.unwrap_or(last), rate)),
        },
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
