//! The key figures: formulas over counts and waits, one implementation for everyone who shows them.
//!
//! Here are the shares, [`Sums`] for whoever counts as things happen, and [`Tally`] for contacts
//! whose outcome is known. What happened to whom is the views' business. Times are whole
//! microseconds until the last division. No traffic gives `None`, never 0 or 1.

mod sums;

pub use sums::Sums;

use crate::time::Span;

/// Which abandons the service level counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Treatment {
    /// Answered in time ÷ (answered + abandoned − short).
    #[default]
    Standard,
    /// Answered in time ÷ (answered + abandoned).
    All,
    /// Answered in time ÷ answered.
    AbandonsIgnored,
    /// (Answered + abandoned in time) ÷ (answered + abandoned).
    AbandonsInTimeCount,
    /// Answered in time ÷ (answered + abandoned − abandoned in time).
    AbandonsWithinIgnored,
}

/// What is counted for a service level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Answered by an agent.
    pub answered: u64,
    /// Of those, within the target, inclusive.
    pub answered_within: u64,
    /// Left while waiting.
    pub abandoned: u64,
    /// Of those, within the target, inclusive.
    pub abandoned_within: u64,
    /// Of those, within the short bound, inclusive.
    pub short_abandoned: u64,
}

/// The bounds that a wait is held against, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The target of the service level.
    pub within: Span,
    /// Who leaves within it is a short abandon.
    pub short_abandon: Span,
}

/// What became of one contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Answered after `wait`; `talk` once it is over.
    Answered {
        /// To the first answer.
        wait: Span,
        /// From the answer to the end of talk.
        talk: Option<Span>,
    },
    /// Left after `wait`.
    Abandoned {
        /// To the leaving.
        wait: Span,
    },
    /// Not admitted.
    Refused,
    /// Nothing yet.
    Waiting,
}

/// Counts outcomes of one group of contacts against the same bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    bounds: Bounds,
    sums: Sums,
    /// Of answered and abandoned.
    waits: Vec<Span>,
    talks: u64,
    talked: i128,
    on_bound_within: u64,
    on_bound_short: u64,
}

/// All figures of one group. Times are in seconds; `None` where there is nothing to divide by.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// All contacts, the refused and the waiting too.
    pub offered: u64,
    /// Not admitted.
    pub refused: u64,
    /// The counts under the service levels.
    pub counts: Counts,
    /// Mean wait of the answered.
    pub asa_s: Option<f64>,
    /// Mean wait of answered and abandoned.
    pub mean_wait_s: Option<f64>,
    /// Mean wait of the abandoned.
    pub mean_wait_abandoned_s: Option<f64>,
    /// Mean talk of those whose talk is over.
    pub talk_mean_s: Option<f64>,
    /// (Abandoned − short) ÷ (offered − short).
    pub abandonment_rate: Option<f64>,
    /// Abandoned ÷ offered.
    pub abandonment: Option<f64>,
    /// Longest wait of answered and abandoned.
    pub max_wait_s: Option<f64>,
    /// Their median.
    pub wait_p50_s: Option<f64>,
    /// Nine of ten waited no longer.
    pub wait_p90_s: Option<f64>,
    /// Answered and abandoned after exactly the target.
    pub on_bound_within: u64,
    /// Abandoned after exactly the short bound.
    pub on_bound_short: u64,
}

impl Tally {
    /// Nothing counted yet.
    pub const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            sums: Sums::NOTHING,
            waits: Vec::new(),
            talks: 0,
            talked: 0,
            on_bound_within: 0,
            on_bound_short: 0,
        }
    }

    /// Counts one contact.
    pub fn count(&mut self, outcome: Outcome) {
        let Bounds { within, short_abandon } = self.bounds;
        self.sums.offered += 1;
        match outcome {
            Outcome::Answered { wait, talk } => {
                self.sums.counts.answered += 1;
                self.sums.counts.answered_within += u64::from(wait <= within);
                self.sums.waited_answered += i128::from(wait.0);
                self.waited(wait);
                if let Some(talk) = talk {
                    self.talks += 1;
                    self.talked += i128::from(talk.0);
                }
            }
            Outcome::Abandoned { wait } => {
                self.sums.counts.abandoned += 1;
                self.sums.counts.abandoned_within += u64::from(wait <= within);
                self.sums.counts.short_abandoned += u64::from(wait <= short_abandon);
                self.on_bound_short += u64::from(wait == short_abandon);
                self.sums.waited_abandoned += i128::from(wait.0);
                self.waited(wait);
            }
            Outcome::Refused => self.sums.refused += 1,
            Outcome::Waiting => (),
        }
    }

    /// The figures of what was counted.
    pub fn figures(mut self) -> Figures {
        self.waits.sort_unstable();
        let Sums { offered, refused, counts, waited_answered, waited_abandoned, .. } = self.sums;
        let Counts { answered, abandoned, .. } = counts;
        let waited = waited_answered + waited_abandoned;
        let quantile_s = |percent| quantile(&self.waits, percent).map(Span::as_seconds);
        Figures {
            offered,
            refused,
            counts,
            asa_s: mean_s(waited_answered, answered),
            mean_wait_s: mean_s(waited, answered + abandoned),
            mean_wait_abandoned_s: mean_s(waited_abandoned, abandoned),
            talk_mean_s: mean_s(self.talked, self.talks),
            abandonment_rate: self.sums.abandonment_rate(),
            abandonment: share(abandoned, offered),
            max_wait_s: quantile_s(100),
            wait_p50_s: quantile_s(50),
            wait_p90_s: quantile_s(90),
            on_bound_within: self.on_bound_within,
            on_bound_short: self.on_bound_short,
        }
    }

    fn waited(&mut self, wait: Span) {
        self.on_bound_within += u64::from(wait == self.bounds.within);
        self.waits.push(wait);
    }
}

/// Share answered in time.
pub fn service_level(counts: &Counts, treatment: Treatment) -> Option<f64> {
    let served = counts.answered + counts.abandoned;
    let (met, of) = match treatment {
        Treatment::Standard => {
            (counts.answered_within, served.saturating_sub(counts.short_abandoned))
        }
        Treatment::All => (counts.answered_within, served),
        Treatment::AbandonsIgnored => (counts.answered_within, counts.answered),
        Treatment::AbandonsInTimeCount => {
            (counts.answered_within + counts.abandoned_within, served)
        }
        Treatment::AbandonsWithinIgnored => {
            (counts.answered_within, served.saturating_sub(counts.abandoned_within))
        }
    };
    share(met, of)
}

/// (Abandoned − short) ÷ (offered − short).
pub fn abandonment_rate(offered: u64, abandoned: u64, short: u64) -> Option<f64> {
    share(abandoned.saturating_sub(short), offered.saturating_sub(short))
}

/// The smallest wait whose share among `sorted` is at least `percent`: the inverse of the
/// empirical distribution.
pub fn quantile(sorted: &[Span], percent: usize) -> Option<Span> {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied()
}

/// `part ÷ whole`; nothing of nothing is no figure.
#[expect(clippy::cast_precision_loss, reason = "counts of contacts stay far below 2^52")]
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Mean of `count` times that sum to so many microseconds, in seconds.
#[expect(clippy::cast_precision_loss, reason = "sums below 285 years fit a double exactly")]
pub fn mean_s(micros: i128, count: u64) -> Option<f64> {
    (count > 0).then(|| micros as f64 / (count as f64 * 1e6))
}
