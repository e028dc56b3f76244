//! What metrics are made of: the wallboard's figures in numbers, at its own instant.
//!
//! Not here: names and labels of metrics (`api/metrics.rs`), and what is counted (`meter.rs`).

use std::collections::BTreeMap;

use atalaya_domain::agent::Kind;
use atalaya_domain::ids::{QueueId, Slug};
use atalaya_domain::kpi::{Sums, Treatment};
use atalaya_domain::queue::Status;
use atalaya_domain::time::{Span, Timestamp};

use super::data::{oldest, quarter};
use super::figures::{Day, Recent};
use super::meter::Counted;
use super::wallboard::{Line, Wallboard, count};

/// What is counted of a local day, in the order of [`QueueMeasures::today`].
pub const TODAY: [&str; 7] = [
    "offered",
    "answered",
    "answered_within_target",
    "abandoned",
    "short_abandoned",
    "refused",
    "carried_over",
];

/// One queue, as a scrape shows it.
#[derive(Debug, Clone)]
pub struct QueueMeasures {
    /// Whether it takes arrivals.
    pub status: Status,
    /// Who waits, offered ones included.
    pub waiting: u64,
    /// In conversation, on hold included.
    pub active: u64,
    /// Ready agents who may take what waits here.
    pub ready: u64,
    /// Age of the oldest who waits; nobody waits: 0.
    pub longest_wait: Span,
    /// Wanted share, and within how long; a queue may have no target.
    pub target: Option<(f64, Span)>,
    /// Of the last quarter of an hour; nobody in it: none.
    pub service_level: Option<f64>,
    /// Of the local day.
    pub service_level_today: Option<f64>,
    /// In the order of [`TODAY`].
    pub today: [u64; TODAY.len()],
    /// Mean wait of the day's answered, in seconds.
    pub asa_today_s: Option<f64>,
    /// Mean talk, hold and wrap-up of the day's ended legs, in seconds.
    pub aht_today_s: Option<f64>,
    /// Since the log began.
    pub counted: Counted,
}

/// What metrics are made of.
#[derive(Debug, Clone)]
pub struct Measures {
    /// The centre's present.
    pub at: Timestamp,
    /// Every queue.
    pub queues: BTreeMap<QueueId, QueueMeasures>,
    /// Agents by team, in the order of [`Kind::ALL`].
    pub agents: BTreeMap<Slug, [u64; Kind::ALL.len()]>,
    /// Of the last quarter of an hour over all queues.
    pub service_level: Option<f64>,
    /// Of the local day over all queues.
    pub service_level_today: Option<f64>,
    /// Alerts that the wallboard shows, by their rule.
    pub alerts: [(&'static str, u64); 2],
}

impl Wallboard {
    /// What metrics are made of, of the same instant as [`Wallboard::data`].
    pub fn measures(&self) -> Measures {
        let ready = self.ready_profiles();
        let (mut day, mut recent) = (Day::default(), Recent::default());
        let mut queues = BTreeMap::new();
        for (id, line) in &self.queues {
            day.add(&line.today);
            recent.add(&quarter(line).sum(self.now));
            let mut measures = self.queue_measures(id, line);
            measures.ready = line.ready(id, &ready);
            queues.insert(id.clone(), measures);
        }
        Measures {
            at: self.now,
            queues,
            agents: self.roster.census(),
            service_level: recent.service_level(),
            service_level_today: day.share(),
            alerts: [
                ("quarantined", count(self.alerts.len())),
                ("impossible", count(self.impossible.len())),
            ],
        }
    }

    fn queue_measures(&self, id: &QueueId, line: &Line) -> QueueMeasures {
        let since = |arrived_at| self.now.since(arrived_at);
        let target = line.rules.as_deref().and_then(|rules| rules.service_level.as_ref());
        QueueMeasures {
            status: line.status,
            waiting: count(line.waiting.len()),
            active: count(line.active.len()),
            ready: 0,
            longest_wait: oldest(line).map_or(Span::ZERO, since),
            target: target.map(|target| (target.share, target.within.span)),
            service_level: quarter(line).sum(self.now).service_level(),
            service_level_today: line.today.share(),
            today: line.today.numbers(),
            asa_today_s: line.today.sums.asa_s(),
            aht_today_s: line.today.sums.aht_s(),
            counted: self.meter.counted(id),
        }
    }
}

impl Day {
    /// The service level; nobody in it: none.
    fn share(&self) -> Option<f64> {
        self.sums.service_level(Treatment::Standard)
    }

    /// In the order of [`TODAY`].
    const fn numbers(&self) -> [u64; TODAY.len()] {
        let Sums { offered, refused, counts, .. } = self.sums;
        [
            offered,
            counts.answered,
            counts.answered_within,
            counts.abandoned,
            counts.short_abandoned,
            refused,
            self.carried_over,
        ]
    }
}
