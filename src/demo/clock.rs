//! The centre's time as a client knows it: an instant that the server told, and its rate.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::{DemoError, FOREVER, rota};
use crate::client::Client;

/// The server's clock is believed anew when it differs by more than it moves in this time.
const DRIFT_MAX: Duration = Duration::from_secs(1);

/// The centre's clock.
#[derive(Debug)]
pub struct Clock {
    rate: f64,
    anchor: Mutex<(Instant, f64)>,
}

impl Clock {
    /// The clock of a server, which tells it before it is ready too.
    pub async fn of(client: &Client) -> Result<Self, DemoError> {
        let ready = client.get("/health/ready").await?;
        let told = &ready["clock"];
        let rate = told["rate"].as_f64().unwrap_or_default();
        Self::new(rate, at_s(told).unwrap_or_default())
    }

    /// A clock that stands at `at_s` and goes `rate` seconds in a second here; one that stands
    /// still, or is no number, is refused.
    pub fn new(rate: f64, at_s: f64) -> Result<Self, DemoError> {
        if !rate.is_finite() || rate <= 0.0 {
            return Err(DemoError::Rate(rate));
        }
        Ok(Self { rate, anchor: Mutex::new((Instant::now(), at_s)) })
    }

    fn anchor(&self) -> (Instant, f64) {
        *self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present, in centre seconds since the Unix epoch.
    pub fn now_s(&self) -> f64 {
        let (since, at_s) = self.anchor();
        at_s + since.elapsed().as_secs_f64() * self.rate
    }

    /// When it will be `at_s` there, in time here; what has been is now.
    pub fn at(&self, at_s: f64) -> Instant {
        let wait_s = ((at_s - self.now_s()) / self.rate).max(0.0);
        let wait = Duration::try_from_secs_f64(wait_s).unwrap_or(FOREVER);
        Instant::now() + wait.min(FOREVER)
    }

    /// What the server says of its clock (`welcome`): one that was started anew goes on where its
    /// last record stands.
    pub fn hear(&self, told: &Value) {
        let Some(at_s) = at_s(told) else { return };
        if (at_s - self.now_s()).abs() > DRIFT_MAX.as_secs_f64() * self.rate {
            let anchor = (Instant::now(), at_s);
            *self.anchor.lock().unwrap_or_else(PoisonError::into_inner) = anchor;
        }
    }
}

fn at_s(told: &Value) -> Option<f64> {
    told["at"].as_str()?.parse::<Timestamp>().ok().map(rota::seconds)
}
