//! What a scrape must show of a picture at the instant that it tells: the wallboard's own gauges.

use super::counts::{Counts, Figure, QUARTER, float, seconds, slice_of};
use super::expect::{oldest, ready, today, whole};
use super::picture::Picture;
use super::scrape::key;

/// The centre's own present in a scrape: all other gauges are of it.
pub(super) const CLOCK: &str = "atalaya_clock_seconds";
/// Gauges that hang on the instant, so that no other may be among them.
pub(super) const FAMILY: &str = "atalaya_contacts_today{";

/// Each sample and its figure.
pub(super) fn gauges(picture: &Picture, at: i64) -> Vec<(String, Figure)> {
    let mut gauges = Vec::new();
    let (mut day, mut quarter) = (Counts::default(), Counts::default());
    for (id, queue) in &picture.queues {
        let queue_label = [("queue", id.as_str())];
        let mut put = |name: &str, figure: Figure| {
            gauges.push((key(&format!("atalaya_{name}"), &queue_label), figure));
        };
        let (counts, carried_over) = today(picture, queue, at);
        let window = queue.book.windows.sum(slice_of(at), QUARTER);
        let longest = oldest(queue).map_or(0.0, |since| seconds(at - since));
        put("queue_longest_wait_seconds", Figure::Is(longest));
        put("queue_active", count(whole(queue.active.len())));
        put("queue_ready", ready(picture, id, queue).map_or(Figure::Unknown, count));
        put("service_level", window.service_level());
        put("service_level_today", counts.service_level());
        put("asa_today_seconds", counts.asa());
        put("aht_today_seconds", counts.aht());
        let known = |value: u64| if counts.unknown == 0 { count(value) } else { Figure::Unknown };
        let results = [
            ("offered", count(counts.offered)),
            ("answered", count(counts.answered)),
            ("answered_within_target", known(counts.target[1])),
            ("abandoned", count(counts.abandoned)),
            ("short_abandoned", known(counts.short)),
            ("refused", count(counts.refused)),
            ("carried_over", count(carried_over)),
        ];
        for (result, figure) in results {
            let labels = [("queue", id.as_str()), ("result", result)];
            gauges.push((key("atalaya_contacts_today", &labels), figure));
        }
        for state in ["open", "closed", "emergency_closed"] {
            let labels = [("queue", id.as_str()), ("state", state)];
            let is = u64::from(queue.state == state);
            gauges.push((key("atalaya_queue_state", &labels), count(is)));
        }
        day += counts;
        quarter += window;
    }
    gauges.push(("atalaya_centre_service_level".to_owned(), quarter.service_level()));
    gauges.push(("atalaya_centre_service_level_today".to_owned(), day.service_level()));
    gauges
}

fn count(value: u64) -> Figure {
    Figure::Is(float(value))
}

/// Whether a sample shows a figure.
pub(super) fn shows(sample: f64, figure: Figure) -> bool {
    match figure {
        Figure::Unknown => true,
        Figure::None => sample.is_nan(),
        Figure::Is(value) => super::compare::close(value, sample),
    }
}
