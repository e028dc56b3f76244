//! `atalaya demo`: a server with a small centre living in it, as a client of its API and sockets.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::web::Data;

use super::configure::Source;
use super::serve::{self, ServeError, Settings, Stop};
use crate::api::Api;
use crate::demo::{self, Options};

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

/// Runs the demo until it ends or is ended.
pub fn run(wanted: &Wanted) -> Result<(), ServeError> {
    if wanted.fresh {
        clear(&wanted.data)?;
    }
    let settings = Settings {
        data: wanted.data.clone(),
        config: Source::Nothing,
        listen: Some(wanted.listen),
        rate: Some(wanted.speed),
        start: None,
    };
    serve::run(&settings, |address, api, stop| {
        let token = std::fs::read_to_string(wanted.data.join("admin.token")).unwrap_or_default();
        let token = token.trim().to_owned();
        welcome(address, api, &token, wanted.speed);
        let options = Options {
            server: format!("http://{address}"),
            token,
            rate: wanted.speed,
            seed: wanted.seed,
            run_for: wanted.run_for,
        };
        actix::spawn(live(options, stop));
    })
}

async fn live(options: Options, stop: Stop) {
    tell(&match demo::live(options).await {
        Ok(summary) => format!("{summary}"),
        Err(error) => format!("The centre stopped: {error}"),
    });
    stop.now();
}

fn welcome(address: SocketAddr, api: &Data<Api>, token: &str, speed: f64) {
    let link = match api.tickets.make(token) {
        Ok(ticket) => format!("http://{address}/enter?ticket={ticket}"),
        Err(_) => format!("http://{address}/wallboard"),
    };
    tell(&format!("A small centre lives here at {speed} times the speed of life."));
    tell(&format!("Its wallboard, signed in (the link holds once): {link}"));
    tell(&format!("Listening on http://{address}"));
}

/// Removes what a demo has left in `dir`, and nothing else.
fn clear(dir: &Path) -> Result<(), ServeError> {
    let io = |source| ServeError::Io { what: format!("empty {}", dir.display()), source };
    for name in ["admin.token", "key", "lock"] {
        match std::fs::remove_file(dir.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            Ok(()) | Err(_) => (),
        }
    }
    for name in ["log", "state"] {
        match std::fs::remove_dir_all(dir.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            Ok(()) | Err(_) => (),
        }
    }
    Ok(())
}

fn tell(line: &str) {
    // Nobody need listen to standard output for the demo to live.
    let _ = writeln!(std::io::stdout(), "{line}");
}
