//! One socket of a server, and a client's copy of a topic.

#![allow(dead_code, reason = "each test program uses another part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::time::Duration;

use atalaya::views::{Delta, apply_delta};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Far over what any frame takes, so that it ends only what hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// A socket of the server at `host`, opened with these headers, or the status that refused it.
    pub(crate) async fn open(host: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{host}/ws").into_client_request().unwrap();
        let protocol = ("Sec-WebSocket-Protocol", "atalaya.v1.json");
        for (name, value) in headers.iter().chain([&protocol]) {
            let name: tokio_tungstenite::tungstenite::http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((stream, response)) => {
                assert_eq!(response.headers()["sec-websocket-protocol"], "atalaya.v1.json");
                Ok(Self { stream })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    pub(crate) async fn say(&mut self, value: Value) {
        self.raw(Message::text(value.to_string())).await;
    }

    /// The next frame, pings answered and left out; why it was closed.
    pub(crate) async fn next_or_close(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match next.expect("nothing came") {
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
        assert_eq!(snapshot["topic"], json!(topic));
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
