//! A session that is over leaves memory; who comes with it is refused as ever, also after a start.

use std::collections::BTreeSet;

use atalaya::actors::centre::Asked;
use atalaya::actors::clock::wall_now;
use atalaya_domain::credential::{Command as CredentialCommand, Grant};
use atalaya_domain::ids::{CredentialId, EntityId, Slug};
use atalaya_domain::machine::Command;
use atalaya_domain::time::{Span, Timestamp};
use serde_json::json;
use tempfile::tempdir;
use uuid::Uuid;

use crate::house::{House, house_with_picture};
use crate::support;

/// Sessions of each kind: ended by who opened them, expired, and still good.
const ENDED: usize = 40;
const EXPIRED: u128 = 300;
const GOOD: u128 = 3;
const CURRENT: &str = "/api/v1/sessions/current";

/// The cookies of a new session, as a browser sends them back, and the CSRF token.
async fn signed_in(house: &House) -> (String, String) {
    let token = json!({"token": house.admin});
    let reply = house.ask("POST", "/api/v1/sessions", "", token).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let set = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
    let set: Vec<_> = set.map(|(_, value)| value.split(';').next().unwrap()).collect();
    let csrf = set.iter().find_map(|pair| pair.strip_prefix("__Host-atalaya-csrf=")).unwrap();
    (set.join("; "), csrf.to_owned())
}

async fn made(house: &House, number: u128, expires_at: Timestamp) -> EntityId {
    let id = EntityId::Session(CredentialId(Uuid::from_u128(number)));
    let grant = Grant {
        hash: number.to_le_bytes(),
        role: Slug::new("supervisor").unwrap(),
        agent: None,
        scope: None,
        token: None,
        expires_at: Some(expires_at),
    };
    let make = Command::Credential(CredentialCommand::Make(grant));
    house.centre.carry_out(Asked::by_system(id.clone(), make)).await.unwrap();
    id
}

fn sessions(house: &House) -> BTreeSet<EntityId> {
    let ids = house.centre.slots.ids().into_iter();
    ids.filter(|id| matches!(id, EntityId::Session(_))).collect()
}

#[actix_web::test]
async fn sessions_that_are_over_leave_and_are_refused_as_ever() {
    let home = tempdir().unwrap();
    let house = house_with_picture(home.path()).await;
    let mut gone = Vec::new();
    for _ in 0..ENDED {
        let (cookie, csrf) = signed_in(&house).await;
        let out = House::request("DELETE", CURRENT, "")
            .insert_header(("Cookie", cookie.clone()))
            .insert_header(("Atalaya-Csrf", csrf));
        assert_eq!(house.send(out).await.status, 204);
        gone.push(cookie);
    }
    for number in 1..=EXPIRED {
        made(&house, number, wall_now()).await;
    }
    let later = wall_now().plus(Span::seconds(3600));
    let mut good = BTreeSet::new();
    for number in 0..GOOD {
        good.insert(made(&house, 1_000 + number, later).await);
    }
    let all_gone = async || (sessions(&house) == good).then_some(());
    support::wait_for_async("that only good sessions are in memory", all_gone).await;
    let lanes = async || (house.centre.in_memory().1 <= 4).then_some(());
    support::wait_for_async("that no lane of a session is left", lanes).await;
    for cookie in &gone {
        let ask = House::request("GET", "/api/v1/wallboard", "");
        let ask = ask.insert_header(("Cookie", cookie.clone()));
        assert_eq!(house.send(ask).await.status, 401, "it was ended");
    }
    let first = EntityId::Session(CredentialId(Uuid::from_u128(1)));
    let kept = house.centre.slots.read(&first);
    assert!((kept.version, kept.seq) > (0, 0), "it is read from the picture");
    let end = || Command::Credential(CredentialCommand::End);
    house.centre.carry_out(Asked::by_system(first.clone(), end())).await.unwrap();
    assert_eq!(house.centre.slots.read(&first).version, 2, "and can still be ended");
    support::wait_for_async("that it leaves again", all_gone).await;
    house.stop();

    let house = house_with_picture(home.path()).await;
    assert_eq!(sessions(&house), good, "a start leaves them where they are");
    house.stop();
}
