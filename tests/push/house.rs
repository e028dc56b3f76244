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
use atalaya::views::{Delta, apply_delta};
use atalaya_domain::ids::AgentId;
use atalaya_domain::time::Timestamp;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

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
        let mut request = format!("ws://{}/ws", self.at).into_client_request().unwrap();
        let protocol = ("Sec-WebSocket-Protocol", "atalaya.v1.json");
        for (name, value) in headers.iter().chain([&protocol]) {
            let name: tokio_tungstenite::tungstenite::http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((stream, response)) => {
                assert_eq!(response.headers()["sec-websocket-protocol"], "atalaya.v1.json");
                Ok(Socket { stream })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
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

pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    pub(crate) async fn raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    pub(crate) async fn say(&mut self, value: Value) {
        self.raw(Message::text(value.to_string())).await;
    }

    /// The next frame, pings answered and left out; why it was closed.
    pub(crate) async fn next_or_close(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] != "ping" {
                        return Ok(frame);
                    }
                    self.say(json!({"type": "pong"})).await;
                }
                Some(Ok(Message::Close(why))) => return Err(why),
                Some(Ok(_)) => (),
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    pub(crate) async fn next(&mut self) -> Value {
        self.next_or_close().await.unwrap()
    }

    /// The code that the server closes it with.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(why) = self.next_or_close().await {
                return why.map(|why| why.code.into());
            }
        }
    }

    /// The next frame of this type; others are left out.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Gives a command: its answer; other frames are left out.
    pub(crate) async fn command(&mut self, command: &str, args: Value) -> Value {
        self.say(json!({"type": "command", "id": command, "command": command, "args": args})).await;
        loop {
            let frame = self.next().await;
            if frame["id"] == command {
                return frame;
            }
        }
    }

    /// Subscribes: the copy of what the topic holds.
    pub(crate) async fn subscribe(&mut self, topic: &str) -> Copy {
        self.say(json!({"type": "subscribe", "topic": topic})).await;
        let snapshot = self.next_of("snapshot").await;
        assert_eq!((&snapshot["topic"], &snapshot["epoch"]), (&json!(topic), &json!("e1")));
        Copy { seq: snapshot["seq"].as_u64().unwrap(), data: snapshot["data"].clone() }
    }
}

/// A client's copy of a topic's data.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub(crate) seq: u64,
    pub(crate) data: Value,
}

impl Copy {
    /// Applies a delta, which must chain.
    pub(crate) fn apply(&mut self, frame: &Value) {
        assert_eq!(frame["type"], "delta", "{frame}");
        assert_eq!(frame["from"], self.seq, "a delta does not chain: {frame}");
        let set = frame["set"].as_object().unwrap().clone();
        let remove = serde_json::from_value(frame["remove"].clone()).unwrap();
        self.data = apply_delta(self.data.take(), &Delta { set, remove });
        self.seq = frame["seq"].as_u64().unwrap();
    }

    /// Applies what comes until the copy stands at `seq` or past it.
    pub(crate) async fn follow(&mut self, socket: &mut Socket, seq: u64) {
        while self.seq < seq {
            let frame = socket.next_of("delta").await;
            self.apply(&frame);
        }
    }

    /// Applies what comes until `wanted` holds of the data.
    pub(crate) async fn until(&mut self, socket: &mut Socket, wanted: impl Fn(&Value) -> bool) {
        while !wanted(&self.data) {
            let frame = socket.next_of("delta").await;
            self.apply(&frame);
        }
    }
}
