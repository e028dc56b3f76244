//! The recorded days beside the project, and what the independent simulator makes of them.
//!
//! A project that stands alone has none: `data` gives nothing then, and the test skips by name.

#![allow(dead_code, reason = "each test program uses another part of it")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use atalaya::simulation::pure::Row;
use atalaya_domain::ids::AgentId;

pub(crate) const DAYS: [&str; 4] = ["1999-02-09", "1999-02-10", "1999-02-12", "1999-08-03"];
/// Why a test that needs the days is skipped.
pub(crate) const NONE: &str = "the recorded days are not beside the project (ATALAYA_SHARED)";

/// The folder with the days.
pub(crate) fn data() -> Option<PathBuf> {
    let shared = std::env::var_os("ATALAYA_SHARED").map_or("../shared".into(), PathBuf::from);
    let data = shared.join("data/replay");
    data.is_dir().then_some(data)
}

/// Wait in microseconds, outcome and agent of each contact, by the independent simulator.
pub(crate) fn reference(data: &Path, day: &str, by_person: bool) -> BTreeMap<String, Row> {
    let mut reader = csv::Reader::from_path(data.join(format!("{day}_reference.csv"))).unwrap();
    let from = if by_person { 4 } else { 1 };
    let mut rows = BTreeMap::new();
    for record in reader.records() {
        let record = record.unwrap();
        let wait: f64 = record[from].parse().unwrap();
        let outcome = match &record[from + 1] {
            "answered" => "answered",
            "abandoned" => "abandoned",
            other => panic!("an outcome of another kind: {other}"),
        };
        #[expect(clippy::cast_possible_truncation, reason = "waits of a day")]
        let wait_us = Some((wait * 1e6).round() as i64);
        let agent =
            (!record[from + 2].is_empty()).then(|| AgentId::new(&record[from + 2]).unwrap());
        let contact = record[0].to_owned();
        rows.insert(contact.clone(), Row { contact, outcome, wait_us, agent });
    }
    rows
}
