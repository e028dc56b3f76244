//! Applying a configuration in process: one entry, by `system:config`, of what is new and no more.

use std::sync::Arc;

use actix_web::web::Data;
use atalaya::actors::centre::Asked;
use atalaya::actors::centre::{Centre, Options};
use atalaya::actors::clock::Clock;
use atalaya::api::Api;
use atalaya::cli::configure::{Rulings, apply};
use atalaya::config;
use atalaya::journal::commit::{Memory, Sealed};
use atalaya_domain::ids::{EntityId, QueueId};
use atalaya_domain::machine::{Command, Event};
use atalaya_domain::time::{Timestamp, Written};
use atalaya_domain::{agent, queue, system};
use jiff::tz::TimeZone;

struct House {
    api: Data<Api>,
    log: Memory,
    _centre: Arc<Centre>,
}

fn house() -> House {
    let log = Memory::default();
    let (centre, _) = Centre::start(Options {
        commit: Box::new(log.clone()),
        history: Vec::new(),
        arbiters: vec![actix::Arbiter::current()],
        clock: Clock::new(Timestamp(1_772_438_400_000_000), 0.0),
        driver: None,
        time_zone: TimeZone::UTC,
    })
    .unwrap();
    let api = Data::new(Api::new(centre.clone(), [7; 32], "e1".into()));
    House { api, log, _centre: centre }
}

impl House {
    async fn apply(&self, text: &str) -> usize {
        apply(&self.api, &config::parse(text, "f", &Rulings).unwrap()).await.unwrap()
    }

    fn last(&self) -> Sealed {
        self.log.entries().pop().unwrap()
    }

    fn wrap_up(&self, id: &str) -> String {
        let (queue, _) = self.api.core.queue(&QueueId::new(id).unwrap()).unwrap();
        queue.rules.unwrap().wrap_up.clone().unwrap().as_str().to_owned()
    }
}

const TWO: &str = "[[queue]]\nid = \"q\"\nwrap_up = \"10s\"\n[[queue]]\nid = \"r\"\n\
                   [[agents]]\nid = \"ana\"\nname = \"Ana García\"\nteam = \"t\"\n";

#[actix_web::test]
async fn a_file_is_one_entry() {
    let house = house();
    assert_eq!(house.apply(TWO).await, 3);
    let Sealed { cause, events, .. } = house.last();
    assert_eq!((house.log.entries().len(), cause.by.as_str()), (1, "system:config"));
    let names: Vec<_> = events
        .iter()
        .map(|numbered| (numbered.recorded.entity.to_string(), numbered.recorded.event.name()))
        .collect();
    let wanted = [
        ("system".to_owned(), "configured"),
        ("queue:q".to_owned(), "changed"),
        ("queue:r".to_owned(), "changed"),
        ("agent:ana".to_owned(), "changed"),
    ];
    assert_eq!(names, wanted);
    // The hash of each text is kept, and no name in an event.
    for numbered in &events {
        let hash = match &numbered.recorded.event {
            Event::System(system::Event::Configured { hash }) => *hash,
            Event::Queue(queue::Event::Changed { text_hash, .. })
            | Event::Agent(agent::Event::Changed { text_hash, .. }) => *text_hash,
            other => panic!("no event of a configuration: {other:?}"),
        };
        assert_ne!(hash, [0; 16]);
        assert!(!format!("{:?}", numbered.recorded).contains("Garc"));
    }
    assert_eq!(cause.said.len(), 1);
    assert_eq!(cause.said[0].text, "Ana García");
}

#[actix_web::test]
async fn an_unchanged_file_writes_nothing() {
    let house = house();
    house.apply(TWO).await;
    assert_eq!(house.apply(TWO).await, 0);
    assert_eq!(house.log.entries().len(), 1);
}

#[actix_web::test]
async fn only_a_changed_text_is_applied() {
    let house = house();
    house.apply(TWO).await;
    assert_eq!(house.apply(&TWO.replace("10s", "11s")).await, 1);
    assert_eq!(house.wrap_up("q"), "11s");
    let entities: Vec<_> =
        house.last().events.iter().map(|numbered| numbered.recorded.entity.to_string()).collect();
    assert_eq!(entities, ["system", "queue:q"]);
}

#[actix_web::test]
async fn leaving_the_file_deletes_nothing() {
    let house = house();
    house.apply(TWO).await;
    assert_eq!(house.apply("").await, 0);
    assert_eq!(house.wrap_up("q"), "10s");
    // And coming back is no news.
    assert_eq!(house.apply(TWO).await, 0);
}

/// What one of them refuses, none of them gets.
#[actix_web::test]
async fn all_or_none() {
    let house = house();
    let config = config::parse(TWO, "f", &Rulings).unwrap();
    let rules = Box::new(config.queues[0].what.clone());
    let fine = queue::Command::Configure { rules, text_hash: [1; 16] };
    let changes = vec![
        (EntityId::Queue(QueueId::new("q").unwrap()), Command::Queue(fine)),
        // There is no such queue.
        (
            EntityId::Queue(QueueId::new("nowhere").unwrap()),
            Command::Queue(queue::Command::Open { reason: None }),
        ),
    ];
    let all = Command::System(system::Command::Configure { hash: [2; 16], changes });
    assert!(house.api.core.tell(Asked::by_system(EntityId::System, all)).await.is_err());
    assert_eq!(house.log.entries().len(), 0);
    assert!(house.api.core.queue(&QueueId::new("q").unwrap()).is_none());
}

#[actix_web::test]
async fn a_change_of_somebody_else_stands_until_the_text_is_another() {
    let house = house();
    house.apply(TWO).await;
    let id = QueueId::new("q").unwrap();
    let (stands, _) = house.api.core.queue(&id).unwrap();
    let mut rules = Box::new(stands.rules.as_deref().unwrap().clone());
    rules.wrap_up = Some(Written::parse("77s").unwrap());
    // As a PUT: the text last applied keeps its hash.
    let put = queue::Command::Configure { rules, text_hash: stands.text_hash };
    let to = EntityId::Queue(id);
    house.api.core.tell(Asked::by_system(to, Command::Queue(put))).await.unwrap();
    assert_eq!(house.apply(TWO).await, 0);
    assert_eq!(house.wrap_up("q"), "77s");
    assert_eq!(house.apply(&TWO.replace("10s", "12s")).await, 1);
    assert_eq!(house.wrap_up("q"), "12s");
}
