//! The wire as the auditor reads it: GET requests with a bearer token over plain HTTP, and `/ws`.
//!
//! Written from the contract and nothing of the server. One try each: who asks knows what to do
//! when nothing came. Not here: what is asked, and what the answers mean.

use std::fmt;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// Patience with one answer, the connecting included.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(15);
/// Bytes of one answer; a longer one is a failed request.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of one message of a socket; a longer one ends the connection.
const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The subprotocol of `/ws`.
const SUBPROTOCOL: &str = "atalaya.v1.json";
/// Characters of an answer that are repeated where it could not be used.
const SHOWN_CHARS_MAX: usize = 200;

/// Where the server is, and as whom it is asked.
#[derive(Clone)]
pub(super) struct Place {
    host: String,
    token: String,
}

impl fmt::Debug for Place {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Place {
    /// `http://HOST:PORT`, with or without a slash at the end.
    pub(super) fn new(server: &str, token: &str) -> Option<Self> {
        let host = server.trim_end_matches('/').strip_prefix("http://")?;
        if host.is_empty() || host.contains(['/', '@', ' ', '?']) || token.is_empty() {
            return None;
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if has_port { host.to_owned() } else { format!("{host}:80") };
        Some(Self { host, token: token.to_owned() })
    }
}

/// Why there is no answer that can be used.
#[derive(Debug, Clone)]
pub(super) enum NoAnswer {
    /// Nothing came.
    Nothing(String),
    /// The server said no: the status, the last part of the problem's type, the detail.
    Refused(u16, String, String),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing(why) => f.write_str(why),
            Self::Refused(status, problem, detail) => write!(f, "{status} {problem}: {detail}"),
        }
    }
}

/// What came back.
pub(super) struct Answer {
    /// The header `Atalaya-Seq`.
    pub(super) seq: Option<u64>,
    /// The body.
    pub(super) bytes: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, NoAnswer> {
        serde_json::from_slice(&self.bytes)
            .map_err(|error| NoAnswer::Nothing(format!("the answer is no JSON: {error}")))
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// One connection, opened when it is needed.
pub(super) struct Http {
    place: Place,
    open: Option<SendRequest<Empty<Bytes>>>,
}

impl Http {
    /// Connects at the first request.
    pub(super) const fn new(place: Place) -> Self {
        Self { place, open: None }
    }

    /// `GET path`.
    pub(super) async fn get(&mut self, path: &str) -> Result<Answer, NoAnswer> {
        let answer = timeout(ANSWER_TIME_MAX, self.send(path)).await;
        let answer = answer.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let (status, seq, bytes) = answer.map_err(|why| {
            self.open = None;
            NoAnswer::Nothing(why)
        })?;
        if status.is_success() {
            return Ok(Answer { seq, bytes });
        }
        let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let word = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let kind = word("type").rsplit(':').next().unwrap_or_default().to_owned();
        let detail = word("detail").chars().take(SHOWN_CHARS_MAX).collect();
        Err(NoAnswer::Refused(status.as_u16(), kind, detail))
    }

    async fn send(&mut self, path: &str) -> Result<(StatusCode, Option<u64>, Bytes), String> {
        let text = |error: &dyn fmt::Display| error.to_string();
        let mut open = self.open.take();
        if let Some(sender) = &mut open
            && sender.ready().await.is_err()
        {
            // The server has closed it meanwhile.
            open = None;
        }
        let mut sender = match open {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let request = Request::get(path)
            .header(HOST, &self.place.host)
            .header(AUTHORIZATION, format!("Bearer {}", self.place.token))
            .body(Empty::new())
            .map_err(|error| text(&error))?;
        let response = sender.send_request(request).await.map_err(|error| text(&error))?;
        let seq = response.headers().get("Atalaya-Seq");
        let seq = seq.and_then(|seq| seq.to_str().ok()?.parse().ok());
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let bytes = body.map_err(|error| text(&error))?.to_bytes();
        self.open = Some(sender);
        Ok((status, seq, bytes))
    }

    async fn connect(&self) -> Result<SendRequest<Empty<Bytes>>, String> {
        let stream = TcpStream::connect(&self.place.host).await.map_err(|e| e.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        // It ends with its sender.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }
}

/// One open socket.
pub(super) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens `/ws`.
    pub(super) async fn open(place: &Place) -> Result<Self, NoAnswer> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let open = async {
            let uri: Uri = format!("ws://{}/ws", place.host)
                .parse()
                .map_err(|error| NoAnswer::Nothing(format!("{error}")))?;
            let request = ClientRequestBuilder::new(uri)
                .with_header(AUTHORIZATION.as_str(), format!("Bearer {}", place.token))
                .with_sub_protocol(SUBPROTOCOL);
            let nothing = |error: &dyn fmt::Display| NoAnswer::Nothing(error.to_string());
            let stream = TcpStream::connect(&place.host).await.map_err(|error| nothing(&error))?;
            stream.set_nodelay(true).map_err(|error| nothing(&error))?;
            match client_async_with_config(request, stream, Some(config)).await {
                Ok((socket, _)) => Ok(Self(socket)),
                Err(tungstenite::Error::Http(response)) => {
                    let status = response.status().as_u16();
                    Err(NoAnswer::Refused(status, "socket".into(), "it was not opened".into()))
                }
                Err(error) => Err(nothing(&error)),
            }
        };
        let open = timeout(ANSWER_TIME_MAX, open).await;
        open.unwrap_or_else(|_| Err(NoAnswer::Nothing("the socket did not open in time".into())))
    }

    /// Watches `topic`; `resume`: the epoch and number of the last frame that it had.
    pub(super) async fn subscribe(
        &mut self,
        topic: &str,
        resume: Option<(&str, u64)>,
    ) -> Result<(), String> {
        let mut message = json!({ "type": "subscribe", "topic": topic });
        if let Some((epoch, seq)) = resume {
            message["resume"] = json!({ "epoch": epoch, "seq": seq });
        }
        self.say(&message).await
    }

    /// Watches `topic` no more.
    pub(super) async fn unsubscribe(&mut self, topic: &str) -> Result<(), String> {
        self.say(&json!({ "type": "unsubscribe", "topic": topic })).await
    }

    /// One message.
    pub(super) async fn say(&mut self, message: &Value) -> Result<(), String> {
        let sent = self.0.send(Message::text(message.to_string())).await;
        sent.map_err(|error| error.to_string())
    }

    /// The next message's text; the protocol's Pings are answered by the library.
    pub(super) async fn next(&mut self) -> Result<String, String> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(format!("closed {frame}")),
                Some(Ok(Message::Close(None))) => return Err("closed".into()),
                Some(Ok(_)) => (),
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err("it ended".into()),
            }
        }
    }
}
