//! Every query on a real Prometheus that scrapes a running demo: all have data, and where the
//! wallboard shows the same figure, it is the same at the same sequence number.
//!
//! The long form (`ATALAYA_LONG=1`) goes on for five minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};

use atalaya::client::Client;
use serde_json::Value;

use crate::files::{Query, filled, panel_queries, rules, selectors, variable_queries};
use crate::same::{SAME, Same, Shown, Values, equal, seconds};
use crate::servers::{Asker, Sample, demo, scraping};
use crate::support::{self, fixture, long, skip};

/// How long queries may lack data at first, and figures a scrape to be held against: a demo needs
/// its first abandoned contacts, missed offers and wrap-ups.
const PATIENCE: Duration = Duration::from_secs(150);
/// How long the long form goes on.
const LONG: Duration = Duration::from_secs(300);
/// Boards that are kept for the scrapes to come.
const BOARDS_MAX: usize = 600;
/// Comparisons of each figure that the short form waits for.
const ROUNDS_MIN: usize = 3;
/// Centre seconds of a slice of the sliding windows: within one they stand still.
const SLICE_S: f64 = 5.0;

/// Queries whose data may rightly be missing in a demo that goes well: none.
const MAY_BE_EMPTY: [&str; 0] = [];

/// A wallboard as it was answered.
struct Board {
    at: f64,
    data: Value,
}

/// What was held against each other: how often, and the last of it.
#[derive(Default)]
struct Compared {
    rounds: usize,
    last: BTreeMap<&'static str, (Values, Values)>,
    differences: Vec<String>,
    /// Figures that were something else than 0 at some scrape.
    moved: BTreeSet<&'static str>,
    scrapes: Vec<u64>,
}

fn has_data(samples: &[Sample]) -> bool {
    samples.iter().any(|sample| sample.value.is_finite())
}

/// The queries without data now, each with the reason.
async fn without_data(prometheus: &Asker, queries: &[Query]) -> Vec<String> {
    let mut missing = Vec::new();
    for Query { place, text } in queries {
        match prometheus.query(&filled(text), None).await {
            Ok(samples) if has_data(&samples) => (),
            Ok(samples) => missing.push(format!("{place}: {} samples: {text}", samples.len())),
            Err(error) => missing.push(format!("{place}: {error}")),
        }
    }
    missing.retain(|line| !MAY_BE_EMPTY.iter().any(|place| line.starts_with(place)));
    missing
}

/// Panels, variables, recorded rules, and every selector of an alert: an alert is rightly silent,
/// what it looks at must be there.
fn queries() -> Vec<Query> {
    let of_rules = rules().into_iter().flat_map(|rule| {
        if !rule.is_alert {
            return vec![Query { place: rule.name, text: rule.text }];
        }
        let name = &rule.name;
        let part = |part: String| Query { place: format!("{name} / {part}"), text: part };
        selectors(&rule.text).iter().map(|one| part(one.text())).collect()
    });
    panel_queries().into_iter().chain(variable_queries()).chain(of_rules).collect()
}

/// The panel's query behind a figure that the wallboard shows.
fn query_of(same: &Same, panels: &[Query]) -> String {
    let query = panels.iter().find(|query| query.place == same.place);
    filled(&query.unwrap_or_else(|| panic!("no panel {}", same.place)).text)
}

impl Compared {
    /// Holds one scrape, of the instant `time`, against the board of its number.
    async fn compare(
        &mut self,
        prometheus: &Asker,
        panels: &[Query],
        (time, seq): (f64, u64),
        board: &Board,
    ) {
        let at = prometheus.query("atalaya_clock_seconds", Some(time)).await.unwrap()[0].value;
        let same_slice = ((at / SLICE_S).floor() - (board.at / SLICE_S).floor()).abs() < 0.5;
        for same in SAME.iter().filter(|same| same_slice || !same.slides) {
            let query = query_of(same, panels);
            let samples = prometheus.query(&query, Some(time)).await.unwrap();
            let label =
                |sample: &Sample| sample.labels[same.label].as_str().unwrap_or_default().to_owned();
            let metric: Values = samples.iter().map(|one| (label(one), one.value)).collect();
            let wallboard = (same.says)(Shown { data: &board.data, at });
            if !equal(&wallboard, &metric) {
                let place = same.place;
                let what = format!("{place} at {seq}: wallboard {wallboard:?}, metric {metric:?}");
                self.differences.push(what);
            }
            if metric.values().any(|value| value.is_finite() && *value != 0.0) {
                self.moved.insert(same.place);
            }
            self.last.insert(same.place, (wallboard, metric));
        }
        self.rounds += 1;
        self.scrapes.push(seq);
    }

    fn is_enough(&self) -> bool {
        self.rounds >= ROUNDS_MIN && self.last.len() == SAME.len()
    }

    /// The last figures of both, side by side.
    fn table(&self) -> String {
        let mut lines = vec![format!("{:72} | {:>12} | {:>12}", "figure", "wallboard", "metric")];
        for (place, (wallboard, metric)) in &self.last {
            for (label, shown) in wallboard {
                let figure =
                    if label.is_empty() { (*place).to_owned() } else { format!("{place} {label}") };
                let metric = metric.get(label).copied().unwrap_or(f64::NAN);
                lines.push(format!("{figure:72} | {shown:12.4} | {metric:12.4}"));
            }
        }
        lines.join("\n")
    }
}

#[actix_web::test]
async fn every_query_has_data_and_equals_the_wallboard() {
    let name = "every_query_has_data_and_equals_the_wallboard";
    if !Command::new(fixture("prometheus.sh")).arg("have").status().unwrap().success() {
        skip(name, "Prometheus is not here: tests/fixtures/prometheus.sh install");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let centre = demo(&data);
    let token = data.join("admin.token");
    let running = scraping(&centre.address, &token, folder.path());
    let prometheus = Asker::new(&running);
    let secret = std::fs::read_to_string(&token).unwrap();
    let admin = Client::new(&format!("http://{}", centre.address), secret.trim()).unwrap();

    let (queries, panels) = (queries(), panel_queries());
    let mut compared = Compared::default();
    let mut boards: BTreeMap<u64, Board> = BTreeMap::new();
    let (begun, mut looked) = (Instant::now(), Instant::now());
    let missing = loop {
        let board = admin.get("/api/v1/wallboard").await.unwrap();
        let seq = board["seq"].as_u64().unwrap();
        let at = seconds(board["at"].as_str().unwrap());
        boards.insert(seq, Board { at, data: board["data"].clone() });
        if BOARDS_MAX < boards.len() {
            boards.pop_first();
        }
        if looked.elapsed() < Duration::from_secs(3) {
            continue;
        }
        for scrape in prometheus.scraped("atalaya_event_seq[4s]").await.unwrap_or_default() {
            let seq = format!("{:.0}", scrape.1).parse().unwrap();
            if let (Some(board), false) = (boards.get(&seq), compared.scrapes.contains(&seq)) {
                compared.compare(&prometheus, &panels, (scrape.0, seq), board).await;
            }
        }
        looked = Instant::now();
        let patient = begun.elapsed() < if long() { LONG } else { PATIENCE };
        if !patient || (compared.is_enough() && !long()) {
            let missing = without_data(&prometheus, &queries).await;
            if missing.is_empty() || !patient {
                break missing;
            }
        }
    };
    eprintln!("{}", compared.table());
    let alerts = said_by_alerts(&prometheus).await;
    let (of_panels, of_all) = (panels.len(), queries.len());
    eprintln!(
        "{of_all} queries ({of_panels} of panels), {} without data; {} figures of the wallboard \
         ({} of them not always 0) held against {} scrapes of its number, {} differences; alerts: \
         {alerts}; {} s",
        missing.len(),
        compared.last.len(),
        compared.moved.len(),
        compared.rounds,
        compared.differences.len(),
        begun.elapsed().as_secs(),
    );
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(compared.differences.is_empty(), "{}", compared.differences.join("\n"));
    assert!(compared.is_enough(), "only {} figures compared", compared.last.len());
}

/// How many alerts Prometheus evaluates, none with an error, and which of them burn.
async fn said_by_alerts(prometheus: &Asker) -> String {
    let told = prometheus.get("/api/v1/rules").await.unwrap();
    let groups = told["data"]["groups"].as_array().unwrap();
    let all: Vec<&Value> =
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert_eq!(all.len(), rules().len(), "Prometheus has every rule");
    for rule in &all {
        assert_eq!(rule["health"], "ok", "{}: {}", rule["name"], rule["lastError"]);
    }
    let firing: Vec<_> = all
        .iter()
        .filter(|rule| rule["state"] == "firing")
        .map(|rule| rule["name"].as_str().unwrap())
        .collect();
    for never in ["AtalayaImpossible", "AtalayaOutOfService", "AtalayaScrapeGone"] {
        assert!(!firing.contains(&never), "{never} burns in a demo");
    }
    let count = all.iter().filter(|rule| rule["type"] == "alerting").count();
    format!("{count} evaluated, firing: {firing:?}")
}

/// A figure of the list names a panel that there is: told before anything is started.
#[test]
fn figures_of_the_wallboard_name_panels() {
    let panels = panel_queries();
    for same in SAME {
        assert!(!query_of(same, &panels).is_empty());
    }
    assert!(support::root().join("tests/dashboards").is_dir());
}
