//! An agent out of service, as the API shows and treats them.

use atalaya::actors::centre::Asked;
use atalaya_domain::ids::{AgentId, EntityId};
use atalaya_domain::machine::Command;
use atalaya_domain::system;
use serde_json::json;

use crate::house::house;

#[actix_web::test]
async fn an_agent_out_of_service_is_lost_takes_nothing_and_gives_back() {
    let house = house().await;
    let ana = &house.staffed(&["ana.garcia"]).await[0];
    house.ready("ana.garcia", ana).await;
    let contact = house.call().await;
    let offered = house.until(&contact, "offered").await;
    let offer = offered["offer"]["id"].as_str().unwrap();
    let accept = format!("/api/v1/agents/ana.garcia/offers/{offer}/accept");
    assert_eq!(house.ask("POST", &accept, ana, json!({})).await.status, 200);
    let entity = EntityId::Agent(AgentId::new("ana.garcia").unwrap());
    let quarantine =
        system::Command::Quarantine { entity, cause: "it failed".into(), others: vec![] };
    let quarantine = Command::System(quarantine);
    house.centre.tell(Asked::by_system(EntityId::System, quarantine)).await.unwrap();

    let path = "/api/v1/agents/ana.garcia";
    let shown = house.get(path, &house.admin).await.json;
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("lost"), &json!(null)));
    for (state, count) in [("lost", 1), ("busy", 0)] {
        let list = house.get(&format!("/api/v1/agents?state={state}"), &house.admin).await.json;
        assert_eq!(list["items"].as_array().unwrap().len(), count, "{state}");
    }
    let ready = json!({"state": "ready"});
    let refused = house.ask("POST", &format!("{path}/presence"), ana, ready).await;
    assert_eq!((refused.status, refused.problem()), (409, "quarantined"), "{refused:?}");
    assert_eq!(refused.json["entity"], "agent:ana.garcia");
    let complete = format!("/api/v1/contacts/{contact}/complete");
    let completed = house.ask("POST", &complete, ana, json!({})).await;
    assert_eq!(completed.status, 200, "their call ends: {completed:?}");
    let board = house.get("/api/v1/wallboard", &house.admin).await.json;
    let text = board.to_string();
    assert!(text.contains("agent:ana.garcia is out of service: it failed"), "{text}");
}

/// All that arrive within one commit would find the same room, if only the log were counted.
#[actix_web::test]
async fn arrivals_at_once_do_not_exceed_the_most_that_may_wait() {
    let house = house().await;
    house.staffed(&[]).await;
    let rules = json!({"name": "Pensiones", "requires": {"pensions": 5}, "max_waiting": 5});
    let put = house.ask("PUT", "/api/v1/queues/pensions", &house.admin, rules).await;
    assert_eq!(put.status, 200, "{put:?}");
    let call = || async {
        let body = json!({"channel": "voice", "queue": "pensions"});
        house.ask("POST", "/api/v1/contacts", &house.admin, body).await
    };
    let replies = futures_util::future::join_all((0..40).map(|_| call())).await;
    let in_state = |state: &str| {
        let of = |reply: &&crate::house::Reply| reply.json["state"] == state;
        assert!(replies.iter().all(|reply| reply.status == 201), "{replies:?}");
        replies.iter().filter(of).count()
    };
    assert_eq!((in_state("queued"), in_state("refused")), (5, 35));
    // Whoever leaves makes room for exactly one.
    let waits = replies.iter().find(|reply| reply.json["state"] == "queued").unwrap();
    let path = format!("/api/v1/contacts/{}/abandon", waits.json["id"].as_str().unwrap());
    assert_eq!(house.ask("POST", &path, &house.admin, json!({})).await.status, 200);
    assert_eq!(call().await.json["state"], "queued");
    assert_eq!(call().await.json["state"], "refused");
}

/// A lane that waits for its outcome does not keep the writer from ending; else this never ends.
#[actix_web::test]
async fn a_stop_with_a_command_in_flight_ends() {
    for yields in 0..12 {
        let house = house().await;
        house.staffed(&["ana"]).await;
        let (api, start) = (house.api.clone(), house.api.core.start());
        let in_flight = house.api.core.in_flight();
        let told = actix_web::rt::spawn(async move {
            let wish = atalaya_domain::agent::Wish::Ready;
            let ready = atalaya_domain::agent::Command::Presence { wish, after: false, start };
            let ana = EntityId::Agent(AgentId::new("ana").unwrap());
            let _ = api.core.tell(Asked::by_system(ana, Command::Agent(ready))).await;
        });
        while house.api.core.in_flight() == in_flight && !told.is_finished() {
            tokio::task::yield_now().await;
        }
        // At one of these the lane has given it to the writer, whose answer nobody has folded.
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        house.stop();
    }
}
