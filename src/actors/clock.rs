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
    /// It goes on with the wall after a start; any other from its last event.
    follows_wall: bool,
    latest: AtomicI64,
}

impl Clock {
    /// A clock that stands at `anchor` now and runs at `rate`; 0 stands still.
    pub fn new(anchor: Timestamp, rate: f64) -> Self {
        let latest = AtomicI64::new(anchor.0);
        Self { anchor, started: Instant::now(), rate, follows_wall: false, latest }
    }

    /// The wall's, from `last` on where that lies ahead of it.
    pub fn real(last: Option<Timestamp>) -> Self {
        let anchor = last.unwrap_or_default().max(wall_now());
        Self { follows_wall: true, ..Self::new(anchor, 1.0) }
    }

    /// Up to where a clock will not stand again after a start, where it stands at `now` and the
    /// last event was told at `told`.
    pub fn for_good(&self, now: Timestamp, told: Timestamp) -> Timestamp {
        let wall = if self.follows_wall { wall_now() } else { told };
        now.min(told.max(wall))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_good_is_where_a_start_would_not_stand_before() {
        let (wall, hour) = (wall_now(), Span::seconds(3_600));
        let ago = wall.minus(hour);
        let real = Clock::real(None);
        assert_eq!(real.for_good(ago.plus(Span(1)), ago), ago.plus(Span(1)));
        // Ahead of the wall, a start would stand at the last event.
        let ahead = wall.plus(hour);
        assert_eq!(Clock::real(Some(ahead)).for_good(ahead.plus(hour), ahead), ahead);
        // At the wall's rate and not the wall's: `--clock-rate 1`, a demo at the speed of life.
        for rate in [1.0, 20.0] {
            let clock = Clock::new(ago, rate);
            assert_eq!(clock.for_good(ago.plus(Span::seconds(900)), ago), ago, "{rate}");
        }
    }
}
