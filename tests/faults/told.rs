//! What a scrape and the log lines tell of an actor that died and of a machine out of service.

use std::sync::Once;

use actix_web::test::{TestRequest, call_and_read_body, init_service};
use actix_web::web::Data;
use atalaya::actors::shell::Failure;
use atalaya::api::{Api, routes, tokens};
use atalaya::journal::commit::Cause;
use atalaya_domain::agent::Wish;

use super::house::{House, agent, lunch, wish};
use super::lines::Lines;

/// From now on each place in the code makes its lines, whoever listens: one whose first line came
/// while no test of this process listened would stay silent for all of them.
fn all_lines_are_made() {
    static ALL: Once = Once::new();
    ALL.call_once(|| {
        let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        let all = all.with_writer(std::io::sink).finish();
        tracing::subscriber::set_global_default(all).unwrap();
    });
}

#[actix_web::test]
async fn a_restart_and_a_quarantine_are_in_the_metrics_and_in_the_lines() {
    all_lines_are_made();
    let lines = Lines::default();
    let told = tracing_subscriber::fmt().json().flatten_event(true).with_writer(lines.clone());
    // The lines of this thread, which the projector is on: other tests have their own.
    let _told = tracing::subscriber::set_default(told.finish());
    let house = House::new();
    house.furnish().await;
    for name in ["ana", "eva"] {
        house.has_agent(name).await;
    }
    let api = Data::new(Api::new(house.centre.clone(), [7; 32], "e1".into()));
    let grant = tokens::grant("administrator", None, None).unwrap();
    let (_, token, _) = tokens::make(&api, grant, Cause::system()).await.unwrap();
    let service = init_service(routes::app(api)).await;
    let sample = async |name: &str| {
        let request = TestRequest::get().uri("/metrics");
        let request = request.insert_header(("Authorization", format!("Bearer {token}")));
        let body = call_and_read_body(&service, request.to_request()).await;
        let text = String::from_utf8(body.to_vec()).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in:\n{text}")).parse::<f64>().unwrap()
    };
    let restarts = "atalaya_actor_restarts_total{actor=\"agent\"}";
    assert_eq!((sample(restarts).await, sample("atalaya_quarantined").await), (0.0, 0.0));

    house.traps.lane(agent("ana"), 1);
    let unknown = house.tell_agent("ana", wish(lunch())).await.unwrap_err();
    assert!(matches!(unknown, Failure::Unknown(_)), "{unknown:?}");
    house.tell_agent("ana", wish(Wish::Ready)).await.unwrap();
    house.traps.machine(agent("eva"), "intent_changed");
    house.tell_agent("eva", wish(lunch())).await.unwrap();
    house.is_quarantined(&agent("eva")).await;

    assert_eq!((sample(restarts).await, sample("atalaya_quarantined").await), (1.0, 1.0));
    let out = lines.told().into_iter().find(|line| line["message"].as_str() == Some(OUT));
    let out = out.unwrap_or_else(|| panic!("no line of it in:\n{}", lines.text()));
    assert_eq!((&out["level"], &out["entity"]), (&"ERROR".into(), &"agent:eva".into()), "{out}");
    assert!(out["seq"].as_u64() > Some(0) && out["cause"].is_string(), "{out}");
    house.stop();
}

const OUT: &str = "quarantined: out of service";
