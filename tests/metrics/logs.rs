//! Log lines: one of each committed event, and nothing personal in any.

use serde_json::{Value, json};

use crate::house::house;
use crate::lines::Lines;

/// The one test of this program that takes the process's lines; others beside it only add to them.
#[actix_web::test]
async fn a_life_leaves_one_line_an_event_and_no_personal_word() {
    let lines = Lines::default();
    let all = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone());
    tracing::subscriber::set_global_default(all.finish()).unwrap();

    let house = house().await;
    let ana = &house.staffed(&["ana.garcia"]).await[0];
    house.ready("ana.garcia", ana).await;
    let call = json!({"channel": "voice", "queue": "pensions", "from": "+34600000142",
        "subject": "llama su hija Matilde"});
    let came = house.ask("POST", "/api/v1/contacts", &house.admin, call).await;
    let contact = came.json["id"].as_str().unwrap().to_owned();
    let offer = house.contact(&contact).await["offer"]["id"].as_str().unwrap().to_owned();
    let own = |verb: &str| format!("/api/v1/contacts/{contact}/{verb}");
    let accept = format!("/api/v1/agents/ana.garcia/offers/{offer}/accept");
    for (path, body) in [
        (accept, json!({})),
        (own("hold"), json!({})),
        (own("resume"), json!({})),
        (own("complete"), json!({})),
        (own("wrap_up"), json!({"outcome": "solved"})),
    ] {
        let done = house.ask("POST", &path, ana, body).await;
        assert_eq!(done.status, 200, "{path}: {done:?}");
    }
    let force = json!({"state": "not_ready", "reason": "break", "force": true,
        "why": "lo pidió Remedios"});
    let forced = house.ask("POST", "/api/v1/agents/ana.garcia/presence", &house.admin, force).await;
    assert_eq!(forced.status, 200, "{forced:?}");
    let wrong = json!({"channel": "voice", "queue": "nowhere", "from": "+34600000142"});
    assert_eq!(house.ask("POST", "/api/v1/contacts", &house.admin, wrong).await.status, 422);
    house.advance("1h", true).await;

    let text = lines.text();
    let of_entry = |line: &Value| line["target"] == "atalaya::entries";
    let told: Vec<Value> = lines.told().into_iter().filter(of_entry).collect();
    for name in ["offered", "offer_accepted", "answered", "completed", "lost", "clock_set"] {
        let line = told.iter().find(|line| line["event"] == name);
        let line = line.unwrap_or_else(|| panic!("no line of {name} in:\n{text}"));
        let number = |key: &str| line[key].as_u64().unwrap();
        assert!(0 < number("seq") && number("seq") <= number("entry"), "{line}");
        assert!(line["entity"].is_string(), "{line}");
    }
    let of_contact = told.iter().filter(|line| line["entity"] == format!("contact:{contact}"));
    assert!(of_contact.count() >= 7, "{text}");
    assert_eq!(forced.json["name"], "Ana García", "the words are there, and told elsewhere");
    for word in ["García", "Ana G", "600000142", "Matilde", "Remedios", "hija"] {
        assert!(!text.contains(word), "`{word}` stands in a line:\n{text}");
    }
}
