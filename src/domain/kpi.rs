//! The key figures: formulas over counts, one implementation for everyone who shows them.
//!
//! Counting is the views' business; here are only the shares. No traffic gives `None`, never 0
//! or 1.

/// Which abandons the service level counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Treatment {
    /// Answered in time ÷ (answered + abandoned − short).
    #[default]
    Standard,
    /// Answered in time ÷ answered.
    AbandonsIgnored,
    /// (Answered + abandoned in time) ÷ (answered + abandoned).
    AbandonsInTimeCount,
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

/// Share answered in time.
pub fn service_level(counts: &Counts, treatment: Treatment) -> Option<f64> {
    let (met, of) = match treatment {
        Treatment::Standard => (
            counts.answered_within,
            (counts.answered + counts.abandoned).saturating_sub(counts.short_abandoned),
        ),
        Treatment::AbandonsIgnored => (counts.answered_within, counts.answered),
        Treatment::AbandonsInTimeCount => {
            (counts.answered_within + counts.abandoned_within, counts.answered + counts.abandoned)
        }
    };
    share(met, of)
}

/// `part ÷ whole`; nothing of nothing is no figure.
#[expect(clippy::cast_precision_loss, reason = "counts of contacts stay far below 2^52")]
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
