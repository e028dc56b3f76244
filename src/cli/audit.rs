//! `atalaya audit-live`: what is asked on the command line, and how the outcome is told.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::audit::{self, AuditError, Options, Summary};

/// What a command line that cannot be used exits with.
const WRONG_USAGE: u8 = 2;

/// What is asked for.
#[derive(Debug, Clone, Args)]
pub struct Wanted {
    /// The server, like `http://127.0.0.1:8080`
    pub url: String,
    /// Holds an administrator's token
    #[arg(long)]
    pub token_file: PathBuf,
    /// How long, once the log so far is read, like `10m`; left out: until Ctrl-C
    #[arg(long = "for", value_parser = super::length)]
    pub run_for: Option<Duration>,
    /// The zone of the centre's days, like `Europe/Madrid` [default: what the server says]
    #[arg(long)]
    pub time_zone: Option<String>,
    /// How the outcome is printed
    #[arg(long, default_value = "text")]
    pub format: Format,
}

/// The form of the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One object
    Json,
}

/// Audits; 0: nothing was found, 1: violations, or no audit to the end, 2: wrong usage.
pub fn run(wanted: &Wanted, out: &mut impl Write) -> ExitCode {
    let token = match std::fs::read_to_string(&wanted.token_file) {
        Ok(token) => token.trim().to_owned(),
        Err(error) => {
            let file = wanted.token_file.display();
            return fail(&format!("cannot read the token in {file}: {error}"), WRONG_USAGE);
        }
    };
    let options = Options {
        server: wanted.url.clone(),
        token,
        run_for: wanted.run_for,
        time_zone: wanted.time_zone.clone(),
    };
    let summary = match audit::run(&options) {
        Ok(summary) => summary,
        Err(error) => {
            let usage = matches!(error, AuditError::Address(_) | AuditError::Zone(_));
            return fail(&error.to_string(), if usage { WRONG_USAGE } else { 1 });
        }
    };
    let told = match wanted.format {
        Format::Text => writeln!(out, "{summary}"),
        Format::Json => writeln!(out, "{}", summary.to_json()),
    };
    match told {
        Ok(()) => match shortfall(&summary) {
            Some(why) => fail(&format!("cannot say that all is well: {why}"), 1),
            None if summary.count() == 0 => ExitCode::SUCCESS,
            None => ExitCode::FAILURE,
        },
        Err(error) => fail(&format!("cannot print the outcome: {error}"), 1),
    }
}

/// Why an audit without violations says nothing.
fn shortfall(summary: &Summary) -> Option<String> {
    if let Some(why) = &summary.cut_short {
        let advice = "look at the server's log lines and at the token, then audit again";
        return Some(format!("the server was not seen to the end: {why}; {advice}"));
    }
    (summary.compared == 0).then(|| "no view was compared; give it more time".to_owned())
}

fn fail(why: &str, code: u8) -> ExitCode {
    // Nothing is left to do when standard error is gone.
    let _ = writeln!(std::io::stderr(), "atalaya: {why}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_compared_to_the_end_is_well() {
        let whole = Summary { compared: 3, ..Summary::default() };
        assert_eq!(shortfall(&whole), None);
        let why = Some("it was away at the end".to_owned());
        let cut = shortfall(&Summary { cut_short: why, ..whole }).unwrap();
        assert!(cut.contains("away at the end; look at"), "{cut}");
        assert!(shortfall(&Summary::default()).unwrap().starts_with("no view was compared"));
    }
}
