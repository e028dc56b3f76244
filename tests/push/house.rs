//! A server on a free port, and a client with one socket.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::body::to_bytes;
use actix_web::dev::{Server, ServerHandle};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use atalaya::actors::centre::{Centre, Options};
use atalaya::actors::clock::Clock;
use atalaya::api::{Api, routes, tokens};
use atalaya::journal::commit::{Cause, Memory};
use atalaya_domain::ids::AgentId;
use atalaya_domain::time::Timestamp;
use serde_json::{Value, json};

pub(crate) use crate::socket::Socket;

/// Where the centre's clock stands at first: 2026-03-02, 08:00.
const START: Timestamp = Timestamp(1_772_438_400_000_000);

pub(crate) struct House {
    pub(crate) api: Data<Api>,
    pub(crate) centre: Arc<Centre>,
    pub(crate) at: SocketAddr,
    pub(crate) admin: String,
    server: ServerHandle,
}

impl Drop for House {
    fn drop(&mut self) {
        self.centre.close();
        drop(self.server.stop(false));
    }
}

/// A server whose centre's clock runs at `rate`.
pub(crate) async fn house(rate: f64) -> House {
    let options = Options {
        commit: Box::new(Memory::default()),
        arbiters: vec![actix::Arbiter::current()],
        clock: Clock::new(START, rate),
        driver: None,
        history: vec![],
        time_zone: jiff::tz::TimeZone::UTC,
    };
    let (centre, _) = Centre::start(options).unwrap();
    let api = Data::new(Api::new(centre.clone(), [7; 32], "e1".into()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let server: Server = routes::serve(api.clone(), listener).unwrap();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let admin = token_of(&api, "administrator", None, Some("act_as")).await;
    House { api, centre, at, admin, server: handle }
}

async fn token_of(api: &Data<Api>, role: &str, agent: Option<&str>, scope: Option<&str>) -> String {
    let agent = agent.map(|agent| AgentId::new(agent).unwrap());
    let grant = tokens::grant(role, agent, scope).unwrap();
    tokens::make(api, grant, Cause::system()).await.unwrap().1
}

impl House {
    pub(crate) async fn token(
        &self,
        role: &str,
        agent: Option<&str>,
        scope: Option<&str>,
    ) -> String {
        token_of(&self.api, role, agent, scope).await
    }

    /// A request in the same process: status and body.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Value,
    ) -> (u16, Value) {
        let app = init_service(routes::app(self.api.clone())).await;
        let request = TestRequest::default()
            .method(method.parse().unwrap())
            .uri(path)
            .insert_header(("Authorization", format!("Bearer {token}")));
        let request = if method == "GET" { request } else { request.set_json(body) };
        let response = call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body()).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// A queue and one agent who may serve it; the agent's token.
    pub(crate) async fn staffed(&self, agent: &str, queue: Value) -> String {
        let mut rules = json!({"name": "Pensiones", "requires": {"pensions": 5},
            "service_level": {"share": 0.8, "within": "20s"}});
        rules.as_object_mut().unwrap().extend(queue.as_object().unwrap().clone());
        let (status, made) = self.ask("PUT", "/api/v1/queues/pensions", &self.admin, rules).await;
        assert_eq!(status, 201, "{made}");
        let profile = json!({"name": "Ana García", "team": "morning-1", "level": 1,
            "skills": {"pensions": 7}, "languages": ["es"], "capacity": {"voice": 1}});
        let path = format!("/api/v1/agents/{agent}");
        let (status, made) = self.ask("PUT", &path, &self.admin, profile).await;
        assert_eq!(status, 201, "{made}");
        self.token("agent", Some(agent), None).await
    }

    pub(crate) async fn call(&self) -> String {
        let call = json!({"channel": "voice", "queue": "pensions", "from": "+34600000142"});
        let (status, came) = self.ask("POST", "/api/v1/contacts", &self.admin, call).await;
        assert_eq!(status, 201, "{came}");
        came["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn wallboard(&self, token: &str) -> Value {
        let (status, board) = self.ask("GET", "/api/v1/wallboard", token, Value::Null).await;
        assert_eq!(status, 200, "{board}");
        board
    }

    /// A socket with these headers, or the status that refused it.
    pub(crate) async fn try_connect(&self, headers: &[(&str, &str)]) -> Result<Socket, u16> {
        Socket::open(&self.at.to_string(), headers).await
    }

    /// A socket that has been welcomed.
    pub(crate) async fn connect(&self, token: &str) -> Socket {
        let bearer = format!("Bearer {token}");
        let mut socket = self.try_connect(&[("Authorization", &bearer)]).await.unwrap();
        let welcome = socket.next().await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        assert_eq!((&welcome["epoch"], &welcome["heartbeat"]), (&json!("e1"), &json!("5s")));
        socket
    }
}
