//! `atalaya token new`: a token for a data folder that no server has.

use std::path::Path;

use atalaya_domain::credential::Grant;
use atalaya_domain::priority::Priorities;
use atalaya_domain::time::Timestamp;
use jiff::tz::TimeZone;

use super::serve::{ServeError, close, io};
use super::store::Store;
use crate::actors::centre::{Centre, Options};
use crate::actors::clock::Clock;
use crate::actors::following::Following;
use crate::api::{Api, tokens};
use crate::journal::commit::Cause;
use crate::journal::recorder::Sizes;
use crate::simulation::driver::Driver;
use crate::simulation::scenario::Scenario;

/// Who makes it, as the log names it.
const BY: &str = "system:token-new";

/// Makes a token of `grant` in `dir` and gives its secret, which is kept nowhere.
pub fn make(dir: &Path, grant: Grant) -> Result<String, ServeError> {
    actix::System::new().block_on(commit(dir, grant))
}

async fn commit(dir: &Path, grant: Grant) -> Result<String, ServeError> {
    // The picture stays behind: the next start folds the token.
    let Store { recorder, found, following: _ } = Store::open(dir, Sizes::default(), None)
        .map_err(|error| match error {
            ServeError::Held { dir, pid, .. } => {
                ServeError::Held { dir, pid, advice: "use POST /api/v1/tokens" }
            }
            other => other,
        })?;
    // A centre that was never started has no time yet; one that was stands where it ended.
    let stands_at = found.last_now().unwrap_or(Timestamp(0));
    let (secret, epoch) = (recorder.secret(), recorder.epoch());
    let options = Options {
        commit: Box::new(recorder),
        history: Vec::new(),
        arbiters: vec![actix::Arbiter::current()],
        clock: Clock::new(stands_at, 0.0),
        driver: Some(Driver::new(&nobody(stands_at))),
        time_zone: TimeZone::UTC,
    };
    let started = Centre::start_on(options, found, Following::default(), None);
    let (centre, writer) = started.map_err(io("start the writer"))?;
    let api = Api::new(centre.clone(), secret, epoch);
    let made = tokens::make(&api, grant, Cause::of(BY.into(), None)).await;
    close(&centre, writer)?;
    let (_, token, _) = made.map_err(ServeError::Token)?;
    Ok(token)
}

/// In lockstep with people who do nothing, a centre does nothing by itself: no offer, no deadline.
fn nobody(at: Timestamp) -> Scenario {
    Scenario {
        name: String::new(),
        start: at,
        end: at,
        seed: 0,
        priorities: Priorities::default(),
        queues: Vec::new(),
        agents: Vec::new(),
        contacts: Vec::new(),
        actions: Vec::new(),
    }
}
