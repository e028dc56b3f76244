//! A centre that stands still at one instant, its API, and people with tokens.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use actix_web::HttpResponse;
use actix_web::body::to_bytes;
use actix_web::dev::Service;
use actix_web::http::Method;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Data};
use atalaya::actors::centre::{Centre, Options};
use atalaya::actors::clock::{Clock, wall_now};
use atalaya::actors::following::Following;
use atalaya::actors::found::Found;
use atalaya::api::roles::Role;
use atalaya::api::{Api, routes, tokens};
use atalaya::journal::commit::{Cause, Commit, Memory, Sealed};
use atalaya::journal::opening::{From, Opening};
use atalaya::journal::recorder::Recorder;
use atalaya_domain::ids::AgentId;
use atalaya_domain::time::Timestamp;
use futures_util::future::LocalBoxFuture;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::support;

/// Where the centre's clock stands at first: 2026-03-02, 08:00.
pub(crate) const START: Timestamp = Timestamp(1_772_438_400_000_000);
pub(crate) const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

pub(crate) type Send = Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, HttpResponse>>;

pub(crate) struct House {
    pub(crate) service: Send,
    pub(crate) api: Data<Api>,
    pub(crate) centre: Arc<Centre>,
    pub(crate) admin: String,
    writer: JoinHandle<()>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) json: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The last part of the problem's URN.
    pub(crate) fn problem(&self) -> &str {
        self.json["type"].as_str().and_then(|urn| urn.rsplit(':').next()).unwrap_or("")
    }
}

pub(crate) async fn house() -> House {
    house_on(Memory::default()).await
}

/// A house that goes on with what `memory` holds, and commits to it.
pub(crate) async fn house_on(memory: Memory) -> House {
    house_over(memory, vec![actix::Arbiter::current()]).await
}

/// The same, with its lanes on `arbiters`.
pub(crate) async fn house_over(memory: Memory, arbiters: Vec<actix::ArbiterHandle>) -> House {
    let history = memory.entries();
    built(Box::new(memory), history, [7; 32], arbiters).await
}

/// A house on the log in `dir`, and what the log held before.
pub(crate) async fn house_in(dir: &Path) -> (House, Vec<Sealed>) {
    let mut history = Vec::new();
    let recorder = Recorder::open(dir, wall_now, &mut |sealed| history.push(sealed)).unwrap();
    let secret = recorder.secret();
    (house_with(Box::new(recorder), history.clone(), secret).await, history)
}

/// A house whose entries go to `commit`, which holds `history` already.
pub(crate) async fn house_with(
    commit: Box<dyn Commit>,
    history: Vec<Sealed>,
    key: [u8; 32],
) -> House {
    built(commit, history, key, vec![actix::Arbiter::current()]).await
}

async fn built(
    commit: Box<dyn Commit>,
    history: Vec<Sealed>,
    key: [u8; 32],
    arbiters: Vec<actix::ArbiterHandle>,
) -> House {
    raised(commit, Found::told(history), Following::default(), key, arbiters).await
}

/// A house over the folder `dir` as the program opens it: whoever is over leaves memory.
pub(crate) async fn house_with_picture(dir: &Path) -> House {
    let opening = Opening::begin(dir).unwrap();
    let since = Timestamp(i64::MIN);
    let mut found = Found::of(opening.picture(), &TimeZone::UTC, since).unwrap();
    let from = if found.applied.is_some() { From::Mark } else { From::Beginning };
    let tail = &mut found.tail;
    let read = opening.read(wall_now, from, &mut |told| tail.push(told));
    let (recorder, picture) = read.unwrap();
    let (key, following) = (recorder.secret(), Following::new(picture, dir.to_path_buf()));
    raised(Box::new(recorder), found, following, key, vec![actix::Arbiter::current()]).await
}

async fn raised(
    commit: Box<dyn Commit>,
    found: Found,
    following: Following,
    key: [u8; 32],
    arbiters: Vec<actix::ArbiterHandle>,
) -> House {
    let clock = Clock::new(found.last_now().unwrap_or(START), 0.0);
    let (history, time_zone) = (Vec::new(), TimeZone::UTC);
    let options = Options { commit, history, arbiters, clock, driver: None, time_zone };
    let (centre, writer) = Centre::start_on(options, found, following, None).unwrap();
    let api = Data::new(Api::new(centre.clone(), key, "e1".into()));
    let grant = tokens::grant("administrator", None, Some("act_as")).unwrap();
    let (_, admin, _) = tokens::make(&api, grant, Cause::system()).await.unwrap();
    let app = routes::app(api.clone()).route("/boom", web::get().to(boom));
    let service = Rc::new(init_service(app).await);
    let service = Box::new(move |request: TestRequest| {
        let service = service.clone();
        let answer = async move {
            match service.call(request.to_request()).await {
                Ok(response) => response.into_parts().1,
                Err(error) => error.error_response(),
            }
        };
        Box::pin(answer) as LocalBoxFuture<'static, HttpResponse>
    });
    House { service, api, centre, admin, writer }
}

async fn boom() -> HttpResponse {
    panic!("on purpose")
}

impl House {
    /// As a kill would, but for the thread that must let the folder go.
    pub(crate) fn stop(self) {
        self.centre.close();
        self.writer.join().unwrap();
        self.centre.let_go();
    }

    pub(crate) async fn send(&self, request: TestRequest) -> Reply {
        let response = (self.service)(request).await;
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let (status, headers) = (response.status().as_u16(), headers.collect());
        let body = to_bytes(response.into_body()).await.unwrap();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Reply { status, headers, json }
    }

    pub(crate) fn request(method: &str, path: &str, token: &str) -> TestRequest {
        let method: Method = method.parse().unwrap();
        let request = TestRequest::default().method(method).uri(path);
        if token.is_empty() {
            return request;
        }
        request.insert_header(("Authorization", format!("Bearer {token}")))
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> Reply {
        self.send(Self::request(method, path, token).set_json(body)).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(Self::request("GET", path, token)).await
    }

    pub(crate) async fn token(&self, role: Role, agent: Option<&str>) -> String {
        let agent = agent.map(|agent| AgentId::new(agent).unwrap());
        let mut grant = tokens::grant("agent", Some(AgentId::new("x").unwrap()), None).unwrap();
        (grant.role, grant.agent) = (atalaya_domain::ids::Slug::new(role.name()).unwrap(), agent);
        tokens::make(&self.api, grant, Cause::system()).await.unwrap().1
    }

    /// A queue and agents who may serve it; the agents' tokens.
    pub(crate) async fn staffed(&self, agents: &[&str]) -> Vec<String> {
        let queue = json!({"name": "Pensiones", "requires": {"pensions": 5},
            "service_level": {"share": 0.8, "within": "20s"}});
        let made = self.ask("PUT", "/api/v1/queues/pensions", &self.admin, queue).await;
        assert_eq!(made.status, 201, "{made:?}");
        let mut tokens = vec![];
        for agent in agents {
            let profile = json!({"name": "Ana García", "team": "morning-1", "level": 1,
                "skills": {"pensions": 7}, "languages": ["es"], "capacity": {"voice": 1}});
            let path = format!("/api/v1/agents/{agent}");
            let made = self.ask("PUT", &path, &self.admin, profile).await;
            assert_eq!((made.status, made.header("location")), (201, Some(path.as_str())));
            tokens.push(self.token(Role::Agent, Some(agent)).await);
        }
        tokens
    }

    pub(crate) async fn ready(&self, agent: &str, token: &str) {
        let path = format!("/api/v1/agents/{agent}/presence");
        let ready = self.ask("POST", &path, token, json!({"state": "ready"})).await;
        assert_eq!(ready.status, 200, "{ready:?}");
    }

    pub(crate) async fn call(&self) -> String {
        let call = json!({"channel": "voice", "queue": "pensions", "from": "+34600000142",
            "subject": "pension", "external_id": "c-1"});
        let came = self.ask("POST", "/api/v1/contacts", &self.admin, call).await;
        assert_eq!(came.status, 201, "{came:?}");
        came.json["id"].as_str().unwrap().to_owned()
    }

    /// The contact, once it is in `state`.
    pub(crate) async fn until(&self, contact: &str, state: &str) -> Value {
        let path = format!("/api/v1/contacts/{contact}");
        let look = async || {
            let reply = self.get(&path, &self.admin).await;
            (reply.json["state"] == state).then_some(reply.json)
        };
        support::wait_for_async(&format!("{contact} {state}"), look).await
    }

    pub(crate) fn plain(method: &str, path: &str, token: &str) -> TestRequest {
        TestRequest::default()
            .method(method.parse().unwrap())
            .uri(path)
            .insert_header(("Authorization", format!("Bearer {token}")))
            .insert_header(("Content-Type", "text/plain"))
            .set_payload("{}")
    }
}
