//! `atalaya replay`: a recorded day in lockstep, through a server of its own, or a running one.

use std::io::{IsTerminal, Write, stderr};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use atalaya_domain::time::{MICROS_PER_SECOND, Span, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::configure::Source;
use super::serve::{self, ServeError, Settings};
use crate::client::ClientError;
use crate::config::Config;
use crate::replay::live::{self, LiveError, first};
use crate::replay::raw::{self, RawError};
use crate::replay::report::Report;
use crate::replay::{self, Progress, ReplayError};
use crate::simulation::scenario::{self, Scenario};
use crate::views::rfc3339;

/// Time here that the setting up of a server of its own is given before the day begins; it ends
/// sooner.
const SETTING_UP: Span = Span::seconds(3);
/// The same, for each agent.
const SETTING_UP_AGENT: Span = Span::millis(15);

/// Where the day is played.
#[derive(Debug, Clone)]
pub enum Place {
    /// By the actors in lockstep; with a folder, into its log.
    Lockstep(Option<PathBuf>),
    /// Through a server of its own at this rate, on this folder or one that is removed.
    Own(f64, Option<PathBuf>),
    /// Through a running server, with the token in this file.
    Running(String, PathBuf),
}

/// Why a replay failed.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// In lockstep, or before anything began.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The server of its own.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// While the day was lived.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The folder is no new one.
    #[error("cannot replay into {0}: it holds a log already; name an empty folder")]
    Used(PathBuf),
    /// A file or thread.
    #[error("failed to {what}: {source}")]
    Io {
        /// Completes "failed to …".
        what: String,
        /// Why.
        source: std::io::Error,
    },
}

fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Failed {
    let what = what.into();
    |source| Failed::Io { what, source }
}

/// Plays the day of `file`: a scenario's own, or that `day` of a log of calls.
pub fn run(file: &Path, day: Option<Date>, place: &Place) -> Result<Report, Failed> {
    if !raw::is_log(file) {
        if day.is_some() {
            return Err(ReplayError::from(RawError::OneDay(file.to_owned())).into());
        }
        return play(scenario::read(file).map_err(ReplayError::from)?, place);
    }
    let raw::Recorded { scenario, account } = raw::read(file, day).map_err(ReplayError::from)?;
    let report = play(scenario, place)?;
    let recorded = Some(account.beside(&report.outcomes));
    Ok(Report { recorded, ..report })
}

fn play(scenario: Scenario, place: &Place) -> Result<Report, Failed> {
    match place {
        Place::Lockstep(data) => {
            Ok(telling(|tell| replay::run_day(&scenario, data.as_deref(), tell))?)
        }
        Place::Own(rate, data) => {
            if let Some(dir) = data {
                return through_own(scenario, *rate, dir);
            }
            let dir = std::env::temp_dir().join(format!("atalaya-{}", uuid::Uuid::now_v7()));
            let played = through_own(scenario, *rate, &dir);
            // What is left is the system's to clear, as all in that folder.
            let _ = std::fs::remove_dir_all(&dir);
            played
        }
        Place::Running(server, token_file) => {
            let what = format!("read the token in {}", token_file.display());
            let token = std::fs::read_to_string(token_file).map_err(io(what))?;
            as_client(scenario, server, token.trim(), true)
        }
    }
}

/// Serves `dir` for as long as the day lasts.
fn through_own(scenario: Scenario, rate: f64, dir: &Path) -> Result<Report, Failed> {
    if dir.join("log").exists() {
        return Err(Failed::Used(dir.to_owned()));
    }
    let begins = first(&scenario).ok_or(LiveError::Nobody)?;
    let mut config = Config { priorities: scenario.priorities.clone(), ..Config::default() };
    config.centre.time_zone = TimeZone::UTC;
    let settings = Settings {
        data: dir.to_owned(),
        config: Source::Given(Box::new(config)),
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        rate: Some(rate),
        start: Some(begins.minus(setting_up(&scenario, rate))),
    };
    let token_file = dir.join("admin.token");
    let mut client: Option<std::io::Result<JoinHandle<Result<Report, Failed>>>> = None;
    serve::run(&settings, |address, _, stop| {
        let server = format!("http://{address}");
        let token = std::fs::read_to_string(&token_file).unwrap_or_default();
        let thread = std::thread::Builder::new().name("replay".into());
        let started = thread.spawn(move || {
            let played = as_client(scenario, &server, token.trim(), false);
            stop.now();
            played
        });
        client = Some(started);
    })?;
    let gone = || std::io::Error::other("the server was ended before the day was over");
    let client = client.ok_or_else(gone).map_err(io("start the server"))?;
    let client = client.map_err(io("start the client"))?;
    match client.join().map_err(|_| gone()).map_err(io("play the day"))? {
        // Who ends the process ends its server first.
        Err(Failed::Live(LiveError::Client(ClientError::Unreachable { .. }))) => {
            Err(io("play the day")(gone()))
        }
        played => played,
    }
}

/// How much centre time passes while a server is set up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a float saturates at the ends of time"
)]
fn setting_up(scenario: &Scenario, rate: f64) -> Span {
    let here_s =
        SETTING_UP.as_seconds() + SETTING_UP_AGENT.as_seconds() * scenario.agents.len() as f64;
    Span((here_s * rate * MICROS_PER_SECOND as f64) as i64)
}

fn as_client(
    scenario: Scenario,
    server: &str,
    token: &str,
    checks_priorities: bool,
) -> Result<Report, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(io("start the client"))?;
    Ok(telling(|tell| {
        let wanted = live::Wanted { server, token, checks_priorities, tell };
        runtime.block_on(live::play(scenario, &wanted))
    })?)
}

/// Plays a day, which is told on a line of its own.
fn telling<T>(play: impl FnOnce(&(dyn Fn(&Progress) + Sync)) -> T) -> T {
    let is_terminal = stderr().is_terminal();
    let played = play(&line(is_terminal));
    if is_terminal {
        let _ = writeln!(stderr());
    }
    played
}

/// Tells how far the day is, on one line of a terminal and nowhere else.
fn line(is_terminal: bool) -> impl Fn(&Progress) + Sync {
    move |progress| {
        if is_terminal {
            let Progress { at, arrived, of, answered, abandoned } = progress;
            let at = rfc3339(Timestamp(at.0 - at.0.rem_euclid(MICROS_PER_SECOND)));
            // Nobody need look for the day to be played.
            let _ = write!(
                stderr(),
                "\r{at}  {arrived} of {of} arrived, {answered} answered, {abandoned} abandoned "
            );
        }
    }
}
