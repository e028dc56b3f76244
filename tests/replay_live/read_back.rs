//! What a lockstep replay has left in its folder, as `atalaya serve` shows it.

use super::days::{DAYS, NONE, data, reference};
use super::house::{Server, all_contacts, replay, report, the_wallboard_has};
use super::support;
use atalaya_domain::ids::AgentId;
use serde_json::Value;

fn micros(instant: &Value) -> Option<i64> {
    Some(instant.as_str()?.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

/// Wait, outcome and agent of a contact that has ended.
fn shown(contact: &Value) -> (Option<i64>, &str, Option<&str>) {
    let queued = micros(&contact["queued_at"]).unwrap();
    let answered = micros(&contact["answered_at"]);
    let until = answered.or(micros(&contact["ended_at"]));
    let outcome = match (answered, contact["state"].as_str().unwrap()) {
        (Some(_), "closed") => "answered",
        (_, state) => state,
    };
    let agent = answered.and_then(|_| contact["agent"].as_str());
    (until.map(|until| until - queued), outcome, agent)
}

#[actix_web::test]
async fn a_replayed_day_is_read_back_through_the_server() {
    let name = "a_replayed_day_is_read_back_through_the_server";
    let Some(days) = data() else { return support::skip(name, NONE) };
    for day in DAYS {
        for (suffix, by_person) in [("", false), ("_by_person", true)] {
            // A sync a wait makes this slow: the other days are the long form's.
            if !support::long() && (day, by_person) != ("1999-02-12", false) {
                continue;
            }
            let dir = tempfile::tempdir().unwrap();
            let file = days.join(format!("{day}{suffix}.toml"));
            let told = report(&replay(&file, &[&"--speed", &"0", &"--data", &dir.path()]));
            let server = Server::start(dir.path(), "0");
            let client = server.client(dir.path());
            let all = all_contacts(&client).await;
            let wanted = reference(&days, day, by_person);
            assert_eq!(all.len(), wanted.len(), "{day}{suffix}");
            for contact in &all {
                let row = &wanted[contact["external_id"].as_str().unwrap()];
                let agent = row.agent.as_ref().map(AgentId::as_str);
                assert_eq!(shown(contact), (row.wait_us, row.outcome, agent), "{contact}");
            }
            // By its name, too: the first and the last.
            for contact in all.iter().take(1).chain(all.last()) {
                let name = contact["external_id"].as_str().unwrap();
                let path = format!("/api/v1/contacts?external_id={name}");
                let found = client.get(&path).await.unwrap();
                assert_eq!(found["items"], Value::from(vec![contact.clone()]), "{name}");
            }
            // The other days go past the midnight of the place that `serve` takes for its own.
            if day == "1999-02-12" {
                the_wallboard_has(&client, &told).await;
            }
            eprintln!("{day}{suffix}: {} contacts", all.len());
        }
    }
}
