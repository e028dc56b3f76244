//! Families of metrics, put together and written as Prometheus reads them.
//!
//! Every name is given here its prefix, so that none is without. Not here: what is counted.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram as Buckets, LabelPair, Metric, MetricFamily, MetricType,
};
use prometheus::{Error, TextEncoder};

use super::histogram::Histogram;

/// What every name begins with.
pub const PREFIX: &str = "atalaya_";
/// The content type of [`Families::text`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Names and values of labels.
pub type Labels = Vec<(&'static str, String)>;

/// All families of one scrape.
#[derive(Debug, Default)]
pub struct Families(Vec<MetricFamily>);

impl Families {
    /// What goes up and down.
    pub fn gauge(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        let metrics = samples.into_iter().map(|(labels, value)| {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            let mut metric = labelled(labels);
            metric.set_gauge(gauge);
            metric
        });
        self.add(name, help, MetricType::GAUGE, metrics.collect());
    }

    /// What only goes up; `name` ends in `_total`.
    pub fn counter(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, u64)>,
    ) {
        let metrics = samples.into_iter().map(|(labels, value)| {
            let mut counter = Counter::default();
            counter.set_value(float(value));
            let mut metric = labelled(labels);
            metric.set_counter(counter);
            metric
        });
        self.add(name, help, MetricType::COUNTER, metrics.collect());
    }

    /// Seconds that only grow; `name` ends in `_seconds_total`.
    pub fn seconds(&mut self, name: &str, help: &str, value: f64) {
        let mut counter = Counter::default();
        counter.set_value(value);
        let mut metric = Metric::default();
        metric.set_counter(counter);
        self.add(name, help, MetricType::COUNTER, vec![metric]);
    }

    /// How what was observed is spread; `per` units of the histogram are one of the metric.
    pub fn histogram<'a>(
        &mut self,
        name: &str,
        help: &str,
        per: f64,
        samples: impl IntoIterator<Item = (Labels, &'a Histogram)>,
    ) {
        let metrics = samples.into_iter().map(|(labels, histogram)| {
            let buckets = histogram.cumulative().map(|(bound, count)| {
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(float(bound) / per);
                bucket.set_cumulative_count(count);
                bucket
            });
            let mut whole = Buckets::default();
            whole.set_bucket(buckets.collect());
            whole.set_sample_count(histogram.count());
            whole.set_sample_sum(float(histogram.sum()) / per);
            let mut metric = labelled(labels);
            metric.set_histogram(whole);
            metric
        });
        self.add(name, help, MetricType::HISTOGRAM, metrics.collect());
    }

    /// A family without a sample is left out: the format has no place for it.
    fn add(&mut self, name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) {
        if metrics.is_empty() {
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(format!("{PREFIX}{name}"));
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics);
        self.0.push(family);
    }

    /// The text, by name.
    pub fn text(mut self) -> Result<String, Error> {
        self.0.sort_by(|one, other| one.name().cmp(other.name()));
        TextEncoder::new().encode_to_string(&self.0)
    }
}

fn labelled(labels: Labels) -> Metric {
    let pairs = labels.into_iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value);
        pair
    });
    Metric::from_label(pairs.collect())
}

/// The metric's own kind of number.
#[expect(clippy::cast_precision_loss, reason = "counts and microseconds stay far below 2^53")]
pub const fn float(value: u64) -> f64 {
    value as f64
}
