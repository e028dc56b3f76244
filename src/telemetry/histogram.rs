//! A histogram in whole units: exact, so that two of them can be compared.
//!
//! Not here: what is observed, and how it is written out.

/// Microseconds in a second: the unit of what is told in seconds.
pub const PER_SECOND: f64 = 1e6;

/// Counts of what was observed, by upper bound, inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, not cumulative; the last is for all that is over.
    counts: Vec<u64>,
    sum: u64,
}

impl Histogram {
    /// Nothing was observed; `bounds` rise.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0 }
    }

    /// One more.
    pub fn observe(&mut self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(value);
    }

    /// All of it as numbers: the counts, then the sum.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.counts.iter().copied().chain([self.sum])
    }

    /// What [`Histogram::numbers`] gave, if it was of these bounds.
    pub fn of_numbers(bounds: &'static [u64], numbers: &[u64]) -> Option<Self> {
        let (sum, counts) = numbers.split_last()?;
        let fits = counts.len() == bounds.len() + 1;
        fits.then(|| Self { bounds, counts: counts.to_vec(), sum: *sum })
    }

    /// How many were observed.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum, in units.
    pub const fn sum(&self) -> u64 {
        self.sum
    }

    /// Each bound with how many were at or below it.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        self.bounds.iter().copied().zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_inclusive_and_counts_add_up() {
        let mut histogram = Histogram::new(&[10, 20]);
        for value in [0, 10, 11, 20, 21] {
            histogram.observe(value);
        }
        let cumulative: Vec<_> = histogram.cumulative().collect();
        assert_eq!(cumulative, vec![(10, 2), (20, 4)]);
        assert_eq!((histogram.count(), histogram.sum()), (5, 62));
    }
}
