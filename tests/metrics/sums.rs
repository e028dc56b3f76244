//! A scrape and the wallboard tell the same of the same number, also over a restart; and nobody is
//! named.

use atalaya::journal::commit::Memory;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::house::{House, house, house_on, house_over};
use crate::scrape::Scrape;
use crate::support::long;

const AGENTS: [&str; 4] = ["ana.garcia", "bea.lopez", "carla.ruiz", "dora.sanz"];

/// One thing that somebody does, or time that passes; what is refused is refused.
async fn step(house: &House, tokens: &[String], dice: &mut ChaCha8Rng) {
    let (agent, token) = {
        let place = dice.random_range(0..AGENTS.len());
        (AGENTS[place], &tokens[place])
    };
    let contacts = house.get("/api/v1/contacts?limit=500", &house.admin).await.json;
    let all: Vec<&Value> = contacts["items"].as_array().unwrap().iter().collect();
    let own = |state: &str| {
        all.iter().find(|contact| contact["agent"] == agent && contact["state"] == state)
    };
    let waiting: Vec<_> = all.iter().filter(|c| c["state"] == "queued").collect();
    let path = |contact: &Value, verb: &str| {
        format!("/api/v1/contacts/{}/{verb}", contact["id"].as_str().unwrap())
    };
    let (path, token, body) = match dice.random_range(0..12) {
        0..3 => {
            let call = json!({"channel": "voice", "queue": "pensions", "from": "+34600000142"});
            ("/api/v1/contacts".to_owned(), &house.admin, call)
        }
        3..6 => {
            let states = [json!({"state": "ready"}), json!({"state": "ready"})];
            let rest =
                [json!({"state": "not_ready", "reason": "break"}), json!({"state": "signed_out"})];
            let states: Vec<_> = states.into_iter().chain(rest).collect();
            let state = states.choose(dice).unwrap().clone();
            (format!("/api/v1/agents/{agent}/presence"), token, state)
        }
        6..9 => {
            let Some(contact) = own("offered") else { return };
            let offer = contact["offer"]["id"].as_str().unwrap();
            let verb = if dice.random_bool(0.8) { "accept" } else { "reject" };
            (format!("/api/v1/agents/{agent}/offers/{offer}/{verb}"), token, json!({}))
        }
        9 => {
            let Some(contact) = own("active") else { return };
            (path(contact, "complete"), token, json!({}))
        }
        10 => {
            let Some(contact) = waiting.first() else { return };
            (path(contact, "abandon"), &house.admin, json!({}))
        }
        _ => {
            let by = format!("{}ms", dice.random_range(1..30_000));
            let body = json!({"advance": by, "leases": dice.random_bool(0.1)});
            ("/api/v1/clock".to_owned(), &house.admin, body)
        }
    };
    let answer = house.ask("POST", &path, token, body).await;
    assert!(answer.status < 500, "{path}: {answer:?}");
    // Everybody here may take everything: whoever waits is offered, or nobody is free.
    let board = house.get("/api/v1/wallboard", &house.admin).await.json;
    let totals = &board["data"]["totals"];
    let beside = totals["ready"] != 0 && totals["waiting"] != totals["offered"];
    assert!(!beside, "{path}: something was still in flight: {totals}");
}

/// What the two tell of one number, each sample with what the wallboard says.
fn compare(scrape: &Scrape, board: &Value) {
    let data = &board["data"];
    assert_eq!(Some(scrape.seq), board["seq"].as_u64());
    let equal = |sample: &str, wanted: &Value| {
        let (got, wanted) = (scrape.get(sample), wanted.as_f64().unwrap());
        assert!((got - wanted).abs() < 1e-9, "{sample}: {got}, the wallboard says {wanted}");
    };
    equal("event_seq", &board["seq"]);
    let mut signed_in = 0.0;
    for state in ["ready", "offered", "busy", "wrap_up", "not_ready", "lost"] {
        let sample = format!("agents{{team=\"morning-1\",state=\"{state}\"}}");
        equal(&sample, &data["totals"][state]);
        signed_in += scrape.get(&sample);
    }
    let out = scrape.get("agents{team=\"morning-1\",state=\"signed_out\"}");
    assert!((out + signed_in - 4.0).abs() < 1e-9, "everybody is something");
    let queue = &data["queues"]["pensions"];
    for name in ["waiting", "active", "ready"] {
        equal(&format!("queue_{name}{{queue=\"pensions\"}}"), &queue[name]);
    }
    for name in ["offered", "answered", "abandoned", "short_abandoned", "refused", "carried_over"] {
        let sample = format!("contacts_today{{queue=\"pensions\",result=\"{name}\"}}");
        equal(&sample, &queue[format!("{name}_today")]);
        if name == "carried_over" {
            continue;
        }
        let sample = format!("contacts_{name}_total{{queue=\"pensions\",channel=\"voice\"}}");
        equal(&sample, &queue[format!("{name}_today")]);
    }
    let figure = |sample: &str, wanted: &Value| match wanted.as_f64() {
        Some(_) => equal(sample, wanted),
        None => assert!(scrape.get(sample).is_nan(), "{sample}: the wallboard has no figure"),
    };
    figure("service_level{queue=\"pensions\"}", &queue["service_level_15m"]);
    figure("service_level_today{queue=\"pensions\"}", &queue["service_level_today"]);
    figure("asa_today_seconds{queue=\"pensions\"}", &queue["asa_today_s"]);
    figure("aht_today_seconds{queue=\"pensions\"}", &queue["aht_today_s"]);
    figure("centre_service_level", &data["totals"]["service_level_15m"]);
    figure("centre_service_level_today", &data["totals"]["service_level_today"]);
    let instant = |text: &Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let wait = match &queue["longest_wait_since"] {
        Value::Null => 0.0,
        since => instant(&board["at"]).duration_since(instant(since)).as_secs_f64(),
    };
    equal("queue_longest_wait_seconds{queue=\"pensions\"}", &json!(wait));
    let answered = "contact_wait_seconds_count{queue=\"pensions\",outcome=\"answered\"}";
    equal(answered, &queue["answered_today"]);
    equal("offer_to_answer_seconds_count{queue=\"pensions\"}", &queue["answered_today"]);
    let accepted = "offers_total{queue=\"pensions\",result=\"accepted\"}";
    equal(accepted, &queue["answered_today"]);
}

async fn look(house: &House) -> Scrape {
    let scrape = house.scrape().await;
    let board = house.get("/api/v1/wallboard", &house.admin).await;
    compare(&scrape, &board.json);
    scrape
}

#[actix_web::test]
async fn a_scrape_equals_the_wallboard_after_random_work() {
    let (seeds, steps) = if long() { (20, 200) } else { (4, 120) };
    for seed in 0..seeds {
        // Lanes on threads of their own in every other round.
        let threads = if seed % 2 == 0 { 0 } else { 2 };
        let lanes: Vec<_> = (0..threads).map(|_| actix::Arbiter::new()).collect();
        let mut arbiters: Vec<_> = lanes.iter().map(actix::Arbiter::handle).collect();
        if arbiters.is_empty() {
            arbiters.push(actix::Arbiter::current());
        }
        let house = house_over(Memory::default(), arbiters).await;
        let tokens = house.staffed(&AGENTS).await;
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..steps {
            step(&house, &tokens, &mut dice).await;
            if dice.random_bool(0.2) {
                look(&house).await;
            }
        }
        look(&house).await;
        house.centre.close();
        for lane in lanes {
            lane.stop();
        }
    }
}

#[actix_web::test]
async fn a_restart_neither_resets_nor_repeats_what_was_counted() {
    let memory = Memory::default();
    let first = house_on(memory.clone()).await;
    let tokens = first.staffed(&AGENTS).await;
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..200 {
        step(&first, &tokens, &mut dice).await;
    }
    let before = look(&first).await;
    first.centre.close();
    let second = house_on(memory).await;
    second.centre.announce_start().await.unwrap();
    let after = look(&second).await;
    let counts = |scrape: &Scrape| -> Vec<(String, f64)> {
        let of_log = |name: &str| {
            ["contact", "offer"].iter().any(|part| name.starts_with(&format!("atalaya_{part}")))
        };
        let samples = scrape.samples.iter().filter(|(name, _)| of_log(name));
        samples.map(|(name, value)| (name.clone(), *value)).collect()
    };
    let (before, after) = (counts(&before), counts(&after));
    assert!(before.iter().map(|(_, value)| value).sum::<f64>() > 50.0, "something was counted");
    assert_eq!(before, after);
}

#[actix_web::test]
async fn nobody_is_named() {
    let house = house().await;
    let tokens = house.staffed(&AGENTS).await;
    let mut dice = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..100 {
        step(&house, &tokens, &mut dice).await;
    }
    let text = house.scrape().await.text;
    let contacts = house.get("/api/v1/contacts?limit=500", &house.admin).await.json;
    let ids = contacts["items"].as_array().unwrap().iter();
    let ids: Vec<_> = ids.map(|contact| contact["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() > 10);
    let names = AGENTS.iter().map(|agent| (*agent).to_owned());
    let said = ["Ana", "García", "34600000142", "600000142"].map(str::to_owned);
    for word in ids.into_iter().chain(names).chain(said) {
        assert!(!text.contains(&word), "{word} stands in the metrics");
    }
}
