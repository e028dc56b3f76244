//! Instants and spans in whole microseconds, and the order of what happens at one instant.
//!
//! Nothing here reads a clock: `now` is always an argument. RFC 3339 text is the edge's business.

use std::fmt;
use std::sync::Arc;

/// Microseconds in a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;

/// A moment, in microseconds since the Unix epoch (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// A length of time in microseconds. Negative only as a priority's credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub i64);

impl Timestamp {
    /// The moment `span` later; saturates at the ends of time.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The moment `span` earlier; saturates at the ends of time.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// The time from `earlier` to this moment.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many whole seconds.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// So many whole milliseconds.
    #[must_use]
    pub const fn millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// The span in seconds, for figures that people read.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "spans of 285 years fit a double exactly")]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }

    /// Reads `"20s"`, `"2.5m"`, `"-10m"`: a number of at most six decimals and one unit of
    /// `ms`, `s`, `m`, `h`, `d`.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let error = || DurationError { text: text.chars().take(40).collect() };
        let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let at = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(error)?;
        let (number, unit) = rest.split_at(at);
        let unit: i64 = match unit {
            "ms" => 1_000,
            "s" => MICROS_PER_SECOND,
            "m" => 60 * MICROS_PER_SECOND,
            "h" => 3_600 * MICROS_PER_SECOND,
            "d" => 86_400 * MICROS_PER_SECOND,
            _ => return Err(error()),
        };
        let (whole, decimals) = match number.split_once('.') {
            Some((whole, decimals)) if (1..=6).contains(&decimals.len()) => (whole, decimals),
            Some(_) => return Err(error()),
            None => (number, ""),
        };
        let whole: i64 = whole.parse().map_err(|_| error())?;
        let millionths: i64 = format!("{decimals:0<6}").parse().map_err(|_| error())?;
        let micros = whole
            .checked_mul(unit)
            .and_then(|micros| micros.checked_add(millionths.checked_mul(unit)? / 1_000_000))
            .ok_or_else(error)?;
        Ok(Self(sign * micros))
    }
}

impl fmt::Display for Span {
    /// The shortest form that [`Span::parse`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 4] =
            [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s")];
        if self.0 == 0 {
            return f.write_str("0s");
        }
        for (unit, name) in UNITS {
            if self.0 % unit == 0 {
                return write!(f, "{}{name}", self.0 / unit);
            }
        }
        if self.0 % 1_000 == 0 {
            return write!(f, "{}ms", self.0 / 1_000);
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        write!(f, "{sign}{}s", text.trim_end_matches('0'))
    }
}

/// A duration as somebody wrote it: it is reckoned with as a span and comes back as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What it means.
    pub span: Span,
    text: Arc<str>,
}

impl Written {
    /// Reads a duration and keeps its text.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        Ok(Self { span: Span::parse(text)?, text: text.into() })
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Span> for Written {
    fn from(span: Span) -> Self {
        Self { span, text: span.to_string().into() }
    }
}

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a duration: write a number and one of ms, s, m, h, d, like \"20s\"")]
pub struct DurationError {
    /// What was written, cut to 40 characters.
    pub text: String,
}

/// What comes first among the things of one instant; declared in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// A conversation ends.
    ServiceEnd,
    /// A wrap-up reaches its limit.
    WrapUpEnd,
    /// An agent accepts after the scenario's delay.
    Accept,
    /// A shift ends.
    ShiftEnd,
    /// An offer runs out.
    OfferExpiry,
    /// An agent's lease runs out.
    Lease,
    /// A rejected contact may be offered to the same agent again.
    BackOff,
    /// The citizen's patience ends, or they hang up.
    Patience,
    /// A shift starts.
    ShiftStart,
    /// Somebody acts.
    Action,
    /// A contact arrives.
    Arrival,
    /// Everything that happens live comes after what was due.
    Live,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 12] = [
        Self::ServiceEnd,
        Self::WrapUpEnd,
        Self::Accept,
        Self::ShiftEnd,
        Self::OfferExpiry,
        Self::Lease,
        Self::BackOff,
        Self::Patience,
        Self::ShiftStart,
        Self::Action,
        Self::Arrival,
        Self::Live,
    ];
}

/// An instant and its phase: what is due at or before it has lapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Now {
    /// The instant.
    pub at: Timestamp,
    /// Where in the instant's order.
    pub phase: Phase,
}

impl Now {
    /// The end of an instant: every deadline of it has lapsed.
    #[must_use]
    pub const fn live(at: Timestamp) -> Self {
        Self { at, phase: Phase::Live }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_come_back_as_written() {
        for text in ["20s", "90s", "-10m", "5m", "250ms", "1.5s", "1d", "0s", "0.000001s"] {
            let span = Span::parse(text).unwrap();
            assert_eq!(Span::parse(&span.to_string()), Ok(span), "{text} → {span}");
        }
        assert_eq!(Span::parse("2.5m"), Ok(Span::seconds(150)));
        for text in ["", "20", "s", "20 s", "1.s", "1.1234567s", "1w", "+1s", "99999999999d"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }
}
