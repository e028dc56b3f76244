//! What the process counts of itself: requests by route and code, commits, sockets by topic.

use std::sync::Arc;

use actix_web::test::{TestRequest, call_and_read_body, init_service};
use atalaya::api::routes;
use atalaya::journal::commit::{Cause, Commit, CommitError, Sealed};
use atalaya::journal::timed::Timed;
use atalaya::telemetry::{Families, Meters};
use atalaya_domain::time::Timestamp;
use serde_json::json;

use crate::house::house;
use crate::live;
use crate::scrape::{Scrape, read};
use crate::support;

fn is(scrape: &Scrape, sample: &str, wanted: u32) {
    let got = scrape.get(sample);
    assert!(got.total_cmp(&f64::from(wanted)).is_eq(), "{sample}: {got}, wanted {wanted}");
}

#[actix_web::test]
async fn requests_are_counted_by_route_and_code_whatever_became_of_them() {
    let house = house().await;
    house.staffed(&["ana.garcia"]).await;
    let contact = house.call().await;
    for path in [&contact, crate::house::NOBODY, "nonsense"] {
        house.get(&format!("/api/v1/contacts/{path}"), &house.admin).await;
    }
    assert_eq!(house.get("/api/v1/queues", "").await.status, 401);
    assert_eq!(house.ask("POST", "/health/live", "", json!({})).await.status, 405);
    house.get(&format!("/not/here/{contact}"), &house.admin).await;
    assert_eq!(house.get("/boom", "").await.status, 500);
    let scrape = house.scrape().await;
    let of = |method: &str, route: &str, code: u16| {
        format!("http_requests_total{{method=\"{method}\",route=\"{route}\",code=\"{code}\"}}")
    };
    for (method, route, code, wanted) in [
        ("GET", "/api/v1/contacts/{id}", 200, 1),
        ("GET", "/api/v1/contacts/{id}", 404, 2),
        ("POST", "/api/v1/contacts", 201, 1),
        ("GET", "/api/v1/queues", 401, 1),
        ("PUT", "/api/v1/agents/{id}", 201, 1),
        ("other", "other", 405, 1),
        ("other", "other", 404, 1),
        ("other", "other", 500, 1),
    ] {
        is(&scrape, &of(method, route, code), wanted);
    }
    let times = "http_request_seconds_count{method=\"GET\",route=\"/api/v1/contacts/{id}\"}";
    is(&scrape, times, 3);
}

/// Ends as it is told to.
struct Fails(Option<CommitError>);

impl Commit for Fails {
    fn commit(&mut self, _: &[Sealed]) -> Result<(), CommitError> {
        self.0.take().map_or(Ok(()), Err)
    }

    fn past(&self) -> std::sync::Arc<dyn atalaya::journal::commit::Past> {
        atalaya::journal::commit::Memory::default().past()
    }
}

#[test]
fn commits_are_counted_by_how_they_ended_and_what_they_held() {
    let meters = Arc::new(Meters::default());
    let entry = Sealed { cause: Cause::system(), now: Timestamp(0), events: vec![] };
    let refused = Some(CommitError::Refused("full".into()));
    let unknown = Some(CommitError::Unknown("slow".into()));
    for (fails, entries) in [(None, 3), (refused, 1), (unknown, 1), (None, 256)] {
        let mut timed = Timed::new(Box::new(Fails(fails.clone())), meters.clone());
        let done = timed.commit(&vec![entry.clone(); entries]);
        assert_eq!(done.err(), fails, "the outcome is passed on");
    }
    let mut families = Families::default();
    meters.write(&mut families);
    let scrape = read(0, families.text().unwrap());
    for (result, wanted) in [("committed", 2), ("refused", 1), ("unknown", 1)] {
        is(&scrape, &format!("journal_commits_total{{result=\"{result}\"}}"), wanted);
    }
    is(&scrape, "journal_commit_seconds_count", 4);
    is(&scrape, "journal_batch_entries_sum", 261);
    is(&scrape, "journal_batch_entries_bucket{le=\"4\"}", 3);
    is(&scrape, "journal_batch_entries_bucket{le=\"256\"}", 4);
}

#[actix_web::test]
async fn subscriptions_are_counted_by_topic_while_they_last() {
    let house = live::house(0.0).await;
    let scrape = async || {
        let app = init_service(routes::app(house.api.clone())).await;
        let request = TestRequest::get().uri("/metrics");
        let request = request.insert_header(("Authorization", format!("Bearer {}", house.admin)));
        let body = call_and_read_body(&app, request.to_request()).await;
        read(0, String::from_utf8(body.to_vec()).unwrap())
    };
    let counts = async |wanted: [u32; 4]| {
        let names = ["agent", "roster", "wallboard"];
        let look = async || {
            let scrape = scrape().await;
            let topics =
                names.map(|name| scrape.get(&format!("websocket_clients{{topic=\"{name}\"}}")));
            let found = topics.into_iter().chain([scrape.get("websockets")]);
            let wanted = wanted.into_iter().map(f64::from);
            found.eq(wanted).then_some(())
        };
        support::wait_for_async(&format!("{wanted:?}"), look).await;
    };
    counts([0; 4]).await;
    let mut one = house.connect(&house.admin).await;
    let mut two = house.connect(&house.admin).await;
    one.subscribe("wallboard").await;
    one.subscribe("roster").await;
    two.subscribe("wallboard").await;
    counts([0, 1, 2, 2]).await;
    drop(one);
    counts([0, 0, 1, 1]).await;
}
