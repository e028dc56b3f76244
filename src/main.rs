//! The command line: words to calls, and calls to exit codes.

use std::error::Error;
use std::fs::File;
use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use atalaya::api::tokens;
use atalaya::cli::audit::{self, Wanted as AuditWanted};
use atalaya::cli::configure::Source;
use atalaya::cli::demo::{self, Apart, Wanted};
use atalaya::cli::kpi::{self, Wanted as KpiWanted};
use atalaya::cli::replay::{self, Place};
use atalaya::cli::serve::{self, Settings};
use atalaya::cli::{care, check, export, length, token};
use atalaya::config::{self, Config, DEFAULT_PATH, Mistakes};
use atalaya::replay::report::Report;
use atalaya::telemetry::logging;
use atalaya_domain::ids::AgentId;
use atalaya_domain::time::Timestamp;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

/// What a command line that cannot be read exits with, as clap does.
const WRONG_USAGE: u8 = 2;

/// Two examples of `replay`.
const REPLAYS: &str = "\
Example: atalaya replay 1999-02-09.toml --speed 60 --contacts out.csv
         atalaya replay calls.csv --day 1999-02-09";

#[derive(Parser)]
#[command(version, about = "Supervises a contact centre live")]
struct Line {
    #[command(subcommand)]
    command: Command,
    /// Which log lines go to standard error: `error`, `warn`, `info`, `debug`, `trace`, also by
    /// part, like `info,atalaya::entries=debug` [default: the configuration's, else info]
    #[arg(long, global = true, value_parser = log_level)]
    log_level: Option<String>,
    /// How they are written [default: the configuration's, else text]
    #[arg(long, global = true)]
    log_format: Option<LogFormat>,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server on a data folder
    #[command(after_help = "Example: atalaya serve --config config/atalaya.toml --data data")]
    Serve {
        /// The configuration, read again at SIGHUP [default: config/atalaya.toml, if it is there]
        #[arg(long)]
        config: Option<PathBuf>,
        /// The data folder; made when it is missing
        #[arg(long, default_value = "data")]
        data: PathBuf,
        /// Where to listen [default: the configuration's, else 127.0.0.1:8080]
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// Centre seconds in a second; left out: real time
        #[arg(long, value_parser = rate)]
        clock_rate: Option<f64>,
        /// Where the clock of a new store starts, or, at rate 0, goes on, RFC 3339; needs
        /// `--clock-rate`
        #[arg(long, requires = "clock_rate")]
        clock_start: Option<jiff::Timestamp>,
    },
    /// Runs the server with a simulated centre living in it, or that centre alone
    #[command(after_help = "Example: atalaya demo --speed 20 --fresh\n         \
                            atalaya demo --centre-only --server http://127.0.0.1:8080 \
                            --token-file data/admin.token")]
    Demo {
        /// Centre seconds in a second, 1 to 60
        #[arg(long, default_value = "20", value_parser = pace)]
        speed: f64,
        /// Begin with an empty folder
        #[arg(long)]
        fresh: bool,
        /// The data folder
        #[arg(long, default_value = "demo-data")]
        data: PathBuf,
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// How long it lives, like `10m`; left out: until it is ended
        #[arg(long = "for", value_parser = length)]
        run_for: Option<Duration>,
        /// The same seed gives the same callers
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Only the centre, as a client of a running server and by its clock
        #[arg(long, requires_all = ["server", "token_file"],
              conflicts_with_all = ["speed", "fresh", "data", "listen"])]
        centre_only: bool,
        /// Where that server is, like `http://127.0.0.1:8080`
        #[arg(long, requires = "centre_only")]
        server: Option<String>,
        /// Holds an administrator's token with the scope `act_as`
        #[arg(long, requires = "centre_only")]
        token_file: Option<PathBuf>,
    },
    /// Says what a configuration holds, or everything that is wrong with it
    #[command(after_help = "Example: atalaya check-config config/atalaya.toml")]
    CheckConfig {
        /// The file
        #[arg(default_value = DEFAULT_PATH)]
        file: PathBuf,
    },
    /// Reads a whole log and says whether it is sound, also beside a server
    #[command(after_help = "Example: atalaya verify --data data")]
    Verify {
        /// The data folder
        #[arg(long, default_value = "data")]
        data: PathBuf,
    },
    /// Copies key and log to a new or empty folder, also beside a server
    #[command(after_help = "Example: atalaya backup backups/monday --data data")]
    Backup {
        /// Where to
        dest: PathBuf,
        /// The data folder
        #[arg(long, default_value = "data")]
        data: PathBuf,
    },
    /// Makes a data folder of a backup, under a new epoch; no server may have it
    #[command(after_help = "Example: atalaya restore backups/monday --data data")]
    Restore {
        /// The backup
        src: PathBuf,
        /// The data folder, which is empty or missing
        #[arg(long, default_value = "data")]
        data: PathBuf,
    },
    /// Writes the committed events to standard output, as `/events` gives them, also beside a
    /// server
    #[command(after_help = "Example: atalaya export --data data --after 812 > events.jsonl")]
    Export {
        /// The data folder, or a backup
        #[arg(long, default_value = "data")]
        data: PathBuf,
        /// Only those after this sequence number
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// One JSON object a line; there is no other
        #[arg(long, default_value = "jsonl")]
        format: ExportFormat,
    },
    /// Makes tokens for a data folder that no server has
    #[command(subcommand)]
    Token(TokenCommand),
    /// Every key figure of a contacts file, all variants of the service level side by side
    #[command(
        after_help = "Example: atalaya kpi out.csv --by day,queue --start 1999-02-01T00:00:00Z"
    )]
    Kpi(KpiWanted),
    /// Checks a running server from outside: its views against its events
    #[command(after_help = "Example: atalaya audit-live http://127.0.0.1:8080 --token-file \
                      data/admin.token --for 10m")]
    AuditLive(AuditWanted),
    /// Plays a recorded day through the server
    #[command(after_help = REPLAYS)]
    Replay {
        /// A scenario, like `config/day.toml`, whose contacts may be `[recorded]` in a CSV file; or
        /// a log of calls, whose name ends in `.csv`: queues and staff are inferred from it
        file: PathBuf,
        /// Which day of a log of calls; may be left out where it has one only
        #[arg(long)]
        day: Option<jiff::civil::Date>,
        /// 0: in lockstep, exact; else centre seconds in a second of a server of its own
        #[arg(long, default_value = "0", value_parser = speed, conflicts_with = "server")]
        speed: f64,
        /// Keep the day's log in this folder, which is made when it is missing
        #[arg(long, conflicts_with = "server")]
        data: Option<PathBuf>,
        /// Through a running server at its clock's rate, like `http://127.0.0.1:8080`
        #[arg(long, requires = "token_file")]
        server: Option<String>,
        /// Holds an administrator's token with the scope `act_as`
        #[arg(long, requires = "server")]
        token_file: Option<PathBuf>,
        /// Write one row a contact to this file
        #[arg(long)]
        contacts: Option<PathBuf>,
        /// How the figures are printed
        #[arg(long, default_value = "text")]
        format: Format,
    },
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Makes a token and prints it, this once
    #[command(
        after_help = "Example: atalaya token new --role agent --agent ana.garcia --data data"
    )]
    New {
        /// agent, supervisor, coordinator, administrator, auditor or integrator
        #[arg(long)]
        role: String,
        /// Whose it is, of role agent
        #[arg(long)]
        agent: Option<String>,
        /// `read`: may not write; `act_as`: may act as any agent
        #[arg(long)]
        scope: Option<String>,
        /// The data folder; made when it is missing
        #[arg(long, default_value = "data")]
        data: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum ExportFormat {
    Jsonl,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn main() -> ExitCode {
    let Line { command, log_level, log_format } = Line::parse();
    if let Err(error) = start_lines(&command, log_level, log_format) {
        // Nothing is left to do when standard error is gone.
        let _ = writeln!(std::io::stderr(), "atalaya: {error}");
        return ExitCode::from(WRONG_USAGE);
    }
    let done = match command {
        Command::Serve { config, data, listen, clock_rate: rate, clock_start } => {
            let start = clock_start.map(|at| Timestamp(at.as_microsecond()));
            let config = Source::of(config);
            serve(&Settings { data, config, listen, rate, start })
        }
        Command::CheckConfig { file } => return check_config(&file),
        Command::AuditLive(wanted) => return audit::run(&wanted, &mut stdout().lock()),
        Command::Verify { data } => {
            check::verify(&data).map(|sound| say(&sound.to_string())).map_err(Into::into)
        }
        Command::Backup { dest, data } => {
            care::backup(&data, &dest).map(|made| say(&made.to_string())).map_err(Into::into)
        }
        Command::Restore { src, data } => {
            care::restore(&src, &data).map(|back| say(&back.to_string())).map_err(Into::into)
        }
        Command::Export { data, after, format: ExportFormat::Jsonl } => {
            export::run(&data, after, &mut stdout().lock()).map(drop).map_err(Into::into)
        }
        Command::Token(TokenCommand::New { role, agent, scope, data }) => {
            new_token(&role, agent.as_deref(), scope.as_deref(), &data)
        }
        Command::Kpi(wanted) => kpi::run(&wanted, &mut stdout().lock()).map_err(Into::into),
        Command::Demo {
            server: Some(server), token_file: Some(token_file), seed, run_for, ..
        } => demo::run_apart(&Apart { server, token_file, seed, run_for }).map_err(Into::into),
        Command::Demo { speed, fresh, data, listen, run_for, seed, .. } => {
            demo::run(&Wanted { data, fresh, listen, speed, seed, run_for }).map_err(Into::into)
        }
        Command::Replay { file, day, speed, data, server, token_file, contacts, format } => {
            let place = match server.zip(token_file) {
                Some((server, token_file)) => Place::Running(server, token_file),
                None if speed > 0.0 => Place::Own(speed, data),
                None => Place::Lockstep(data),
            };
            play(&file, day, &place, contacts.as_deref(), format)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when standard error is gone.
            let _ = writeln!(std::io::stderr(), "atalaya: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Sets the log lines up: as the command line says, else as the configuration of a server does.
/// What is wrong with the configuration is said when it is read to be applied.
fn start_lines(
    command: &Command,
    level: Option<String>,
    format: Option<LogFormat>,
) -> Result<(), logging::LogError> {
    let config = match command {
        Command::Serve { config, .. } if level.is_none() || format.is_none() => {
            Source::of(config.clone()).read().unwrap_or_default().server
        }
        _ => Config::default().server,
    };
    let level = level.or(config.log_level).unwrap_or_else(|| "info".to_owned());
    let format = match (format, config.log_format) {
        (Some(LogFormat::Json), _) | (None, Some(config::LogFormat::Json)) => logging::Format::Json,
        (Some(LogFormat::Text), _) | (None, Some(config::LogFormat::Text) | None) => {
            logging::Format::Text
        }
    };
    logging::start(&level, format)
}

/// A line on standard output; nobody need listen.
fn say(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

fn check_config(file: &Path) -> ExitCode {
    match check::config(file) {
        Ok(found) => {
            say(&found);
            ExitCode::SUCCESS
        }
        Err(Mistakes(mistakes)) => {
            for mistake in &mistakes {
                // Nothing is left to do when standard error is gone.
                let _ = writeln!(std::io::stderr(), "{mistake}");
            }
            ExitCode::FAILURE
        }
    }
}

fn new_token(
    role: &str,
    agent: Option<&str>,
    scope: Option<&str>,
    data: &Path,
) -> Result<(), Box<dyn Error>> {
    let usage =
        |what: &str| -> ! { Line::command().error(ErrorKind::ValueValidation, what).exit() };
    let agent = agent.map(AgentId::new).transpose();
    let agent = agent.unwrap_or_else(|error| usage(&format!("--agent: {error}")));
    let grant = tokens::grant(role, agent, scope);
    let grant = grant.unwrap_or_else(|problem| usage(&problem.to_string()));
    say(&token::make(data, grant)?);
    Ok(())
}

/// Most centre seconds in a second: a day is over in less than one. At some higher rate the clock
/// would reach the end of the calendar while somebody looks.
const RATE_MAX: f64 = 100_000.0;

fn pace(text: &str) -> Result<f64, String> {
    let pace = text.parse().ok().filter(|pace| (1.0..=60.0).contains(pace));
    pace.ok_or_else(|| "a demo's speed is a number from 1 to 60".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    rate(text).map_err(|_| format!("a speed is a number from 0 to {RATE_MAX}"))
}

/// Not a number too is a number to a parser.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.0..=RATE_MAX).contains(rate));
    rate.ok_or_else(|| format!("a clock's rate is a number from 0 to {RATE_MAX}"))
}

fn log_level(text: &str) -> Result<String, String> {
    let level = config::is_level(text).then(|| text.to_owned());
    level.ok_or_else(|| "it is no level; write one like `info`, or `info,part=debug`".to_owned())
}

fn serve(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let data = settings.data.display().to_string();
    serve::run(settings, |address, _, _| {
        let out = &mut stdout();
        // Nobody need listen to standard output for the server to serve.
        let _ = writeln!(out, "An administrator's token of a new folder is in {data}/admin.token");
        let _ = writeln!(out, "Listening on http://{address}");
    })?;
    Ok(())
}

fn play(
    file: &Path,
    day: Option<jiff::civil::Date>,
    place: &Place,
    contacts: Option<&Path>,
    format: Format,
) -> Result<(), Box<dyn Error>> {
    let report = replay::run(file, day, place)?;
    if let Some(path) = contacts {
        report.write_contacts(File::create(path)?)?;
    }
    print(&report, format)?;
    Ok(())
}

fn print(report: &Report, format: Format) -> std::io::Result<()> {
    let kpi = serde_json::to_value(report.kpi())?;
    let out = &mut stdout();
    match (format, &kpi) {
        (Format::Text, serde_json::Value::Object(figures)) => {
            writeln!(out, "{}: {} events", report.scenario, report.events)?;
            for (name, value) in figures {
                let value = if value.is_null() { "—".into() } else { value.to_string() };
                writeln!(out, "{name:<18} {value}")?;
            }
            lived(out, report)?;
            report.recorded.as_ref().map_or(Ok(()), |recorded| recorded.write(out))
        }
        (Format::Text | Format::Json, _) => {
            let speed = serde_json::json!({ "events": report.events });
            let mut whole = serde_json::json!({
                "scenario": report.scenario, "runs": 1, "kpi": kpi, "speed": speed
            });
            if let (Some(lived), Some(whole)) = (&report.lived, whole.as_object_mut()) {
                let lived = serde_json::to_value(lived)?;
                whole.extend(lived.as_object().cloned().unwrap_or_default());
            }
            if let Some(recorded) = &report.recorded {
                whole["recorded"] = serde_json::to_value(recorded)?;
            }
            writeln!(out, "{whole}")
        }
    }
}

fn lived(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    let Some(lived) = &report.lived else { return Ok(()) };
    let hop = lived.hop_s.map_or("—".into(), |hop| format!("{hop:.3}"));
    writeln!(out, "{:<18} {hop}", "hop_s")?;
    writeln!(out, "{:<18} {}", "moved_s", lived.moved_s)?;
    for (what, times) in &lived.left_out {
        writeln!(out, "left out {times} times: {what}")?;
    }
    Ok(())
}
