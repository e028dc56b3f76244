//! What Prometheus and Grafana are given: dashboards, rules, alerts, and that the server feeds them.
//!
//! `files` reads them, `lint` holds the rules of dashboards, `names` holds them against the kept list
//! of metrics, `promtool` has Prometheus' own checker look at them, and `live` evaluates every query on
//! a Prometheus that scrapes a running demo.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod files;
mod lint;
mod live;
mod names;
mod promtool;
mod same;
mod servers;
#[path = "../support/mod.rs"]
mod support;
