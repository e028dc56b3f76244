//! `atalaya demo`: a server with a simulated centre living in it, as a client of its API and
//! sockets; or that centre alone, in a server that runs already.

mod behind;
mod clear;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use atalaya_domain::time::Timestamp;
use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;

use super::configure::{Rulings, Source};
use super::serve::{self, ServeError, Settings, Stop, io};
use crate::api::Api;
use crate::config;
use crate::demo::centre::{self, Centre};
use crate::demo::{self, DemoError, Options, rota};
use crate::journal::commit::CommitError;
use crate::journal::recorder::OpenError;
use crate::journal::{Lock, LockError};
use crate::simulation::pure::RunError as RunFailed;
use behind::Making;

/// The hour at which a new demo opens, on a working day of its centre.
const OPENS_AT: (i8, i8) = (11, 30);

/// What is asked of `demo`.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The data folder.
    pub data: PathBuf,
    /// Begin with an empty folder.
    pub fresh: bool,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Centre seconds in a second.
    pub speed: f64,
    /// What the people's chance grows from.
    pub seed: u64,
    /// How long it lives.
    pub run_for: Option<Duration>,
}

/// What is asked of a centre that lives apart from its server.
#[derive(Debug, Clone)]
pub struct Apart {
    /// `http://HOST:PORT`.
    pub server: String,
    /// Holds an administrator's token with the scope `act_as`.
    pub token_file: PathBuf,
    /// What the people's chance grows from.
    pub seed: u64,
    /// How long it lives.
    pub run_for: Option<Duration>,
}

/// Why a demo did not run, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The centre.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The folder.
    #[error("failed to open the data folder: {0}")]
    Folder(OpenError),
    /// The folder is somebody's.
    #[error(
        "cannot empty {}: {why}; name another folder with --data, or take this one away yourself",
        dir.display()
    )]
    Foreign {
        /// The folder.
        dir: PathBuf,
        /// Why it is not a demo's.
        why: &'static str,
    },
    /// The hours behind the opening.
    #[error("failed to make the day behind: {0}")]
    Past(RunFailed),
    /// Their log.
    #[error("failed to make the day behind: {0}")]
    Commit(CommitError),
    /// The token's file.
    #[error("cannot read the token in {}: {source}; name a file that holds it", path.display())]
    Token {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Runs the demo until it ends or is ended.
pub fn run(wanted: &Wanted) -> Result<(), RunError> {
    if wanted.fresh {
        clear::clear(&wanted.data)?;
    }
    let centre = Arc::new(Centre::whole()?);
    let config = config::parse(centre::TEXT, centre::FILE, &Rulings).map_err(ServeError::from)?;
    let opens = opening(&centre.time_zone, Instant::now());
    let (dir, seed, rate) = (&wanted.data, wanted.seed, wanted.speed);
    let making = Making { dir, centre: &centre, config: &config, seed, rate, opens };
    let behind = making.make()?;
    let settings = Settings {
        data: wanted.data.clone(),
        config: Source::Given(Box::new(config)),
        listen: Some(wanted.listen),
        rate: Some(wanted.speed),
        start: Some(opens),
    };
    serve::run(&settings, |address, api, stop| {
        let token = std::fs::read_to_string(wanted.data.join("admin.token")).unwrap_or_default();
        let token = token.trim().to_owned();
        welcome(address, api, &token, wanted.speed, behind);
        let server = format!("http://{address}");
        let (seed, run_for) = (wanted.seed, wanted.run_for);
        move_in(Options { server, token, centre, seed, run_for }, &stop);
    })?;
    Ok(())
}

/// Lives in a running server until the time is over or a signal comes; a signal cuts everybody off,
/// as a network that is gone would.
pub fn run_apart(wanted: &Apart) -> Result<(), RunError> {
    let read = std::fs::read_to_string(&wanted.token_file);
    let path = &wanted.token_file;
    let token = read.map_err(|source| RunError::Token { path: path.clone(), source })?;
    let options = Options {
        server: wanted.server.clone(),
        token: token.trim().to_owned(),
        centre: Arc::new(Centre::whole()?),
        seed: wanted.seed,
        run_for: wanted.run_for,
    };
    tell(&format!("A centre moves into {}.", wanted.server));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(io("start the centre"))?;
    tell(&runtime.block_on(demo::live(options))?.to_string());
    Ok(())
}

/// The centre lives on a thread of its own, as a client that is far away would.
fn move_in(options: Options, stop: &Stop) {
    let told = stop.clone();
    let centre = std::thread::Builder::new().name("demo-centre".into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        tell(&match runtime.map(|runtime| runtime.block_on(demo::live(options))) {
            Ok(Ok(summary)) => summary.to_string(),
            Ok(Err(error)) => format!("The centre stopped: {error}"),
            Err(error) => format!("The centre did not start: {error}"),
        });
        told.now();
    });
    if let Err(error) = centre {
        tell(&format!("The centre did not start: {error}"));
        stop.now();
    }
}

/// When a new demo opens: late in the morning of today, or of the last working day before.
fn opening(zone: &TimeZone, now: Instant) -> Timestamp {
    let mut date = zone.to_datetime(now).date();
    while !rota::is_working_day(date) {
        let Ok(before) = date.yesterday() else { break };
        date = before;
    }
    let (hour, minute) = OPENS_AT;
    let at = zone.to_timestamp(date.at(hour, minute, 0, 0)).unwrap_or(now);
    Timestamp(at.as_microsecond())
}

fn welcome(address: SocketAddr, api: &Data<Api>, token: &str, speed: f64, behind: Option<usize>) {
    let link = match api.tickets.make(token) {
        Ok(ticket) => format!("http://{address}/enter?ticket={ticket}"),
        Err(_) => format!("http://{address}/wallboard"),
    };
    tell(&format!("A centre of 164 people lives here at {speed} times the speed of life."));
    if let Some(contacts) = behind {
        tell(&format!("It opens late in the morning, with {contacts} calls behind it."));
    }
    tell(&format!("Its wallboard, signed in (the link holds once): {link}"));
    tell(&format!("Listening on http://{address}"));
}

/// Has `dir` as a server does.
fn lock(dir: &Path) -> Result<Lock, RunError> {
    Lock::take(dir).map_err(|error| match error {
        LockError::Held { pid, .. } => ServeError::held(dir, pid).into(),
        LockError::Io { .. } => RunError::Folder(error.into()),
    })
}

fn tell(line: &str) {
    // Nobody need listen to standard output for the demo to live.
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_opens_late_in_the_morning_of_a_working_day() {
        let madrid = TimeZone::get("Europe/Madrid").unwrap();
        let opens = |now: &str| {
            let at = opening(&madrid, now.parse().unwrap());
            Instant::from_microsecond(at.0).unwrap().to_string()
        };
        assert_eq!(opens("2026-03-04T03:00:00Z"), "2026-03-04T10:30:00Z");
        assert_eq!(opens("2026-03-08T22:00:00Z"), "2026-03-06T10:30:00Z");
        // Already Saturday there, and in summer time.
        assert_eq!(opens("2026-07-03T22:30:00Z"), "2026-07-03T09:30:00Z");
    }
}
