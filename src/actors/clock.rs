//! The clock port: the centre's present, which never goes back.
//!
//! Real and scaled time are an anchor plus monotonic time at a rate; in virtual time each order
//! brings its own instant and this clock stands where the last one put it. Wall time is for what
//! concerns the wire only.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use atalaya_domain::time::{Span, Timestamp};

/// See the module.
#[derive(Debug)]
pub struct Clock {
    anchor: Timestamp,
    started: Instant,
    rate: f64,
    latest: AtomicI64,
}

impl Clock {
    /// A clock that stands at `anchor` now and runs at `rate`; 0 stands still.
    pub fn new(anchor: Timestamp, rate: f64) -> Self {
        let latest = AtomicI64::new(anchor.0);
        Self { anchor, started: Instant::now(), rate, latest }
    }

    /// Centre seconds in a second.
    pub const fn rate(&self) -> f64 {
        self.rate
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        let passed = self.started.elapsed().mul_f64(self.rate.max(0.0));
        let passed = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
        let now = self.anchor.0.saturating_add(passed);
        Timestamp(self.latest.fetch_max(now, Ordering::AcqRel).max(now))
    }

    /// Sets the clock forward; never back.
    pub fn advance_to(&self, to: Timestamp) {
        self.latest.fetch_max(to.0, Ordering::AcqRel);
    }

    /// Wall time until `instant`; `None`: the clock stands still before it.
    pub fn wait(&self, instant: Timestamp) -> Option<Duration> {
        let left = instant.since(self.now());
        if left <= Span::ZERO {
            return Some(Duration::ZERO);
        }
        let micros = Duration::from_micros(left.0.unsigned_abs());
        (self.rate > 0.0).then(|| micros.div_f64(self.rate))
    }
}

/// The wall's present.
pub fn wall_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
