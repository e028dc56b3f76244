//! What is not there, not readable or not valid is a problem that names it.

use atalaya::api::roles::TABLE;
use serde_json::{Value, json};

use crate::house::{House, NOBODY, house};
use crate::table::body_of;

#[actix_web::test]
async fn what_is_not_there_is_a_problem_too() {
    let house = house().await;
    for (method, path, token, status) in [
        ("GET", "/api/v1/nothing", "", 401),
        ("GET", "/api/v1/nothing", house.admin.as_str(), 404),
        ("GET", "/nothing", "", 404),
        ("GET", "/api/v1/agents/", house.admin.as_str(), 404),
        ("DELETE", "/health/live", "", 405),
        ("DELETE", "/api/v1/agents", house.admin.as_str(), 405),
        ("GET", "/api/v1/agents?colour=red", house.admin.as_str(), 400),
        ("GET", "/api/v1/agents?limit=0", house.admin.as_str(), 400),
        ("GET", "/api/v1/contacts/not-a-uuid", house.admin.as_str(), 404),
        ("GET", "/boom", "", 500),
    ] {
        let reply = house.send(House::request(method, path, token)).await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{path}");
        assert_eq!(reply.json["status"], status, "{path}");
        println!("{method} {path} → {status} {}: {}", reply.problem(), reply.json["detail"]);
    }
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(house.get(path, "").await.status, 200);
    }
}

#[actix_web::test]
async fn what_is_not_valid_is_named() {
    let house = house().await;
    house.staffed(&["ana"]).await;
    let queue = "/api/v1/queues/q";
    for (path, body, status, field) in [
        (queue, json!({"name": "Q", "relax": []}), 422, "relax"),
        (queue, json!({"name": "Q", "channel": "chat"}), 422, "channel"),
        (queue, json!({"name": "Q", "strategy": {"agent": "most_skilled"}}), 422, "strategy.agent"),
        (queue, json!({"name": "Q", "wrap_up": "soon"}), 422, "wrap_up"),
        (queue, json!({"name": "Q", "max_waiting": "many"}), 400, "max_waiting"),
        (queue, json!({"name": "Q", "requires": {"x": 11}}), 422, "requires"),
        (queue, json!({"name": "Q", "service_level": {"part": 1}}), 400, "service_level.part"),
        ("/api/v1/queues/totals", json!({"name": "Q"}), 422, "id"),
        ("/api/v1/agents/a", json!({"name": "A"}), 422, "team"),
    ] {
        let reply = house.ask("PUT", path, &house.admin, body.clone()).await;
        assert_eq!((reply.status, &reply.json["field"]), (status, &json!(field)), "{body}");
    }
    capacity_is_of_voice(&house).await;
    for later in ["citizen", "preferred_agent"] {
        let mut call = json!({"channel": "voice", "queue": "pensions"});
        call[later] = json!({"id": "x"});
        let reply = house.ask("POST", "/api/v1/contacts", &house.admin, call.clone()).await;
        assert_eq!((reply.status, reply.problem()), (422, "not-in-this-version"));
        call[later] = Value::Null;
        assert_eq!(house.ask("POST", "/api/v1/contacts", &house.admin, call).await.status, 201);
    }
    let put = House::request("PUT", "/api/v1/queues/pensions", &house.admin);
    let put = put.insert_header(("If-Match", "\"9\"")).set_json(json!({"name": "P"}));
    let stale = house.send(put).await;
    assert_eq!((stale.status, &stale.json["version"]), (412, &json!(1)));
    let put = House::request("PUT", "/api/v1/queues/pensions", &house.admin);
    let put = put.insert_header(("If-Match", "\"1\"")).set_json(json!({"name": "P"}));
    let fresh = house.send(put).await;
    assert_eq!((fresh.status, fresh.header("etag")), (200, Some("\"2\"")));
    let shut = json!({"emergency": true, "reason": "fire"});
    let shut = house.ask("POST", "/api/v1/queues/pensions/close", &house.admin, shut).await;
    assert_eq!(shut.json["state"], "emergency_closed");
    let call = json!({"channel": "voice", "queue": "pensions"});
    let refused = house.ask("POST", "/api/v1/contacts", &house.admin, call).await;
    assert_eq!((refused.status, &refused.json["state"]), (201, &json!("refused")));
}

#[actix_web::test]
async fn a_text_past_its_limit_is_refused_by_field_and_limit() {
    let house = house().await;
    let ana = &house.staffed(&["ana"]).await[0];
    let queue = json!({"name": "Q"});
    let profile = json!({"name": "A", "team": "t"});
    let call = json!({"channel": "voice", "queue": "pensions"});
    let force = json!({"state": "signed_out", "force": true, "why": "w"});
    for (method, path, body, field, limit) in [
        ("PUT", "/api/v1/queues/q", &queue, "name", 80),
        ("PUT", "/api/v1/queues/q", &queue, "short_name", 24),
        ("PUT", "/api/v1/agents/a", &profile, "name", 120),
        ("POST", "/api/v1/contacts", &call, "from", 120),
        ("POST", "/api/v1/contacts", &call, "subject", 200),
        ("POST", "/api/v1/contacts", &call, "external_id", 120),
        ("POST", "/api/v1/agents/ana/presence", &force, "why", 500),
    ] {
        for (chars, fits) in [(limit, true), (limit + 1, false)] {
            let mut body = body.clone();
            body[field] = json!("ñ".repeat(chars));
            let reply = house.ask(method, path, &house.admin, body).await;
            if fits {
                assert_ne!(reply.status, 422, "{field}: {reply:?}");
                continue;
            }
            let found = (reply.status, &reply.json["field"], &reply.json["limit"]);
            assert_eq!(found, (422, &json!(field), &json!(limit)), "{path}: {reply:?}");
        }
    }
    let contact = house.call().await;
    for verb in ["wrap_up", "extend_wrap_up"] {
        let fields: &[(&str, String)] = match verb {
            "wrap_up" => &[("outcome", "o".repeat(65)), ("topic", "t".repeat(65))],
            _ => &[("by", "0s".into()), ("by", "-30s".into()), ("by", "-0s".into())],
        };
        for (field, value) in fields {
            let path = format!("/api/v1/contacts/{contact}/{verb}");
            let reply = house.ask("POST", &path, ana, json!({*field: value})).await;
            assert_eq!((reply.status, &reply.json["field"]), (422, &json!(field)), "{reply:?}");
        }
    }
    let shown = house.get("/api/v1/queues", &house.admin).await.json;
    let strategy = json!({"agent": "longest_idle", "contact": "oldest_first"});
    assert_eq!(shown["items"][0]["strategy"], strategy);
}

/// Every field that some route knows.
const FIELDS: [&str; 31] = [
    "name",
    "team",
    "level",
    "skills",
    "languages",
    "capacity",
    "queues",
    "state",
    "reason",
    "after",
    "force",
    "why",
    "short_name",
    "channel",
    "requires",
    "language",
    "levels",
    "service_level",
    "max_waiting",
    "wrap_up",
    "offer_timeout",
    "strategy",
    "on_reject",
    "max_misses",
    "short_abandon",
    "emergency",
    "priority",
    "by",
    "outcome",
    "role",
    "token",
];

#[actix_web::test]
async fn no_value_of_any_field_is_a_fault_of_ours() {
    let house = house().await;
    house.staffed(&["ana"]).await;
    let contact = house.call().await;
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let nasty = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}\u{202e}"),
        json!("99999999999d"),
        json!("-1s"),
        json!("é".repeat(300)),
        json!([]),
        json!([null]),
        json!([[]]),
        json!({}),
        json!({"": {}}),
        json!({"pensions": 0}),
        json!({"share": 2, "within": []}),
        json!({"voice": 255}),
        json!({"voice": 1e9}),
        deep,
    ];
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for line in TABLE.iter().filter(|line| !["GET", "DELETE"].contains(&line.method)) {
        let path = line.path.replace("contacts/{id}", &format!("contacts/{contact}"));
        let path = path.replace("agents/{id}", "agents/ana").replace("{offer}", NOBODY);
        let path = path.replace("{id}", "pensions");
        for field in FIELDS {
            for value in &nasty {
                let mut body = body_of(line);
                body[field] = value.clone();
                let own = path.contains("/offers/") || path.ends_with("/presence");
                let mut request = House::request(line.method, &path, &house.admin);
                if own {
                    request = request.insert_header(("Atalaya-Agent", "ana"));
                }
                let reply = house.send(request.set_json(&body)).await;
                *statuses.entry(reply.status).or_default() += 1;
                assert!(reply.status < 500, "{} {path} {body}: {reply:?}", line.method);
            }
        }
    }
    println!("{statuses:?}");
    assert!(statuses[&400] > 1_000 && statuses[&422] > 100, "{statuses:?}");
    let queries =
        ["limit=-1", "limit=x", "cursor=%00", "cursor=%ff", "after=-1", "%", "=&&=", "a[]"];
    for line in TABLE.iter().filter(|line| line.method == "GET") {
        for query in queries {
            let path = format!("{}?{query}", line.path.replace("{id}", "%2e%2e"));
            let reply = house.get(&path, &house.admin).await;
            assert!(reply.status < 500, "{path}: {reply:?}");
        }
    }
}

/// A channel that is not in this version is refused whatever it is given, and what is no channel
/// is not known.
async fn capacity_is_of_voice(house: &House) {
    let later = ["chat", "sms", "email", "mailbox", "visit", "callback", "outbound"];
    let later = later.map(|channel| (channel, 422, "not-in-this-version"));
    for (channel, status, problem) in later.into_iter().chain([("fax", 400, "unknown-field")]) {
        for most in [json!(0), json!(3), json!("many")] {
            let profile =
                json!({"name": "A", "team": "t", "capacity": {"voice": 1, channel: most}});
            let reply = house.ask("PUT", "/api/v1/agents/a", &house.admin, profile).await;
            assert_eq!((reply.status, reply.problem()), (status, problem), "{channel} {most}");
            assert_eq!(reply.json["field"], format!("capacity.{channel}"));
        }
    }
    let profile = json!({"name": "A", "team": "t", "capacity": {"chat": null}, "shifts": null});
    let made = house.ask("PUT", "/api/v1/agents/a", &house.admin, profile).await;
    assert_eq!((made.status, &made.json["capacity"]["voice"]), (201, &json!(0)), "{made:?}");
}

/// Whoever writes a parameter that cannot be read is told what to write.
#[actix_web::test]
async fn a_parameter_that_cannot_be_read_says_what_it_takes() {
    let house = house().await;
    for (path, says) in [
        ("contacts?limit=0", "a number from 1 to 500"),
        ("contacts?cursor=x", "`next_cursor`"),
        ("contacts?state=asleep", "one of the states"),
        ("contacts?queue=a%20b", "letters, digits"),
        ("events?after=last", "the number of an event"),
        ("events?entity=agent:ana", "contact:ID"),
        ("reports/intervals?by=1y", "15m, 30m, 1h or 1d"),
        ("reports/intervals?from=today", "2026-03-02"),
    ] {
        let refused = house.get(&format!("/api/v1/{path}"), &house.admin).await;
        let detail = refused.json["detail"].as_str().unwrap_or_default();
        assert!(refused.status == 400 && detail.contains(says), "{path}: {detail}");
    }
}

/// A window moves with the clock: the list behind it says as of when it is, as the board does.
#[actix_web::test]
async fn a_list_behind_a_figure_says_its_number_and_its_instant() {
    let house = house().await;
    house.staffed(&[]).await;
    house.call().await;
    let list = house.get("/api/v1/contacts?counted_in=totals.offered_1h", &house.admin).await;
    let board = house.get("/api/v1/wallboard", &house.admin).await.json;
    assert_eq!(list.header("atalaya-seq"), Some(board["seq"].to_string().as_str()));
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    assert!(at(list.header("atalaya-at").unwrap()) <= at(board["at"].as_str().unwrap()));
    assert_eq!(list.json["items"].as_array().unwrap().len(), 1);
}
