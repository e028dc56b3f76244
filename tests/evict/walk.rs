//! Pages are of one list, whatever leaves memory or comes between them.

use atalaya_domain::ids::{ContactId, EntityId};
use serde_json::json;
use tempfile::tempdir;
use uuid::Uuid;

use crate::house::{House, house_with_picture};
use crate::support;

const CONTACTS: usize = 60;
/// Contacts of a page, and of those that come between two pages.
const PAGE: usize = 7;
const COME: usize = 2;

async fn leave(house: &House, contacts: &[String]) {
    for id in contacts {
        let path = format!("/api/v1/contacts/{id}/abandon");
        assert_eq!(house.ask("POST", &path, &house.admin, json!({})).await.status, 200);
    }
    let moved = json!({"advance": "1s", "leases": false});
    assert_eq!(house.ask("POST", "/api/v1/clock", &house.admin, moved).await.status, 200);
    let is_here = |id: &String| {
        let id: EntityId = ContactId(Uuid::try_parse(id).unwrap()).into();
        house.centre.slots.here(&id).is_some()
    };
    let gone = async || (!contacts.iter().any(is_here)).then_some(());
    support::wait_for_async("that they leave memory", gone).await;
}

async fn listed(house: &House, filter: &str) -> Vec<String> {
    let (mut ids, mut cursor, mut contacts) = (Vec::<String>::new(), String::new(), Vec::new());
    for _ in 0..CONTACTS {
        contacts.push(house.call().await);
    }
    leave(house, &contacts[20..30]).await;
    let mut left = 0;
    loop {
        let path = format!("/api/v1/contacts?limit={PAGE}{filter}{cursor}");
        let page = house.get(&path, &house.admin).await.json;
        let items = page["items"].as_array().unwrap().iter();
        ids.extend(items.map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        if left < 3 {
            // On both sides of the cursor.
            let at = ids.len();
            leave(house, &contacts[at - 3..(at + 3).min(20)]).await;
            for _ in 0..COME {
                contacts.push(house.call().await);
            }
            left += 1;
        }
    }
    assert_eq!(ids, contacts);
    ids
}

#[actix_web::test]
async fn pages_are_of_one_list() {
    let home = tempdir().unwrap();
    let house = house_with_picture(home.path()).await;
    house.staffed(&[]).await;
    let all = listed(&house, "").await;
    leave(&house, &all[30..]).await;
    house.stop();
    let home = tempdir().unwrap();
    let house = house_with_picture(home.path()).await;
    house.staffed(&[]).await;
    listed(&house, "&external_id=c-1").await;
    house.stop();
}

/// Where memory alone is looked through, nobody is missing for it.
#[actix_web::test]
async fn a_list_by_state_has_all_who_are_so() {
    let home = tempdir().unwrap();
    let house = house_with_picture(home.path()).await;
    house.staffed(&[]).await;
    let mut contacts = Vec::new();
    for _ in 0..6 {
        contacts.push(house.call().await);
    }
    leave(&house, &contacts[..3]).await;
    let list = async |filter: &str| {
        let page = house.get(&format!("/api/v1/contacts?limit=500{filter}"), &house.admin).await;
        page.json["items"].as_array().unwrap().clone()
    };
    let all = list("").await;
    assert_eq!(all.len(), 6);
    for (state, count) in [("queued", 3), ("abandoned", 3), ("active", 0), ("closed", 0)] {
        let of_all: Vec<_> = all.iter().filter(|one| one["state"] == state).cloned().collect();
        let listed = list(&format!("&state={state}")).await;
        assert_eq!((listed.len(), &listed), (count, &of_all), "{state}");
    }
    house.stop();
}
