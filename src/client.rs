//! The wire as a client knows it: requests with a bearer token over plain HTTP, and the socket.
//!
//! A request is tried again a few times where the server says so (429, 503 with `Retry-After`) or
//! where nothing came back; a POST carries an `Idempotency-Key`, so that no try is done twice. What
//! people do with it is not here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes, http::Uri};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use uuid::Uuid;

/// Tries of one request, the first included; after them the last failure stands.
pub const TRIES_MAX: u32 = 5;
/// Longest pause between two tries, whatever `Retry-After` says.
pub const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Pause after the first try that brought nothing; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// Patience with one answer, the connecting included.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(15);
/// Bytes of one answer; a longer one fails.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Connections kept open while nobody uses them; those past it are closed.
const IDLE_CONNECTIONS_MAX: usize = 32;
/// Bytes of one socket message; a longer one ends the connection.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Items of one list; what is over is not asked for.
const ITEMS_MAX: usize = 20_000;
/// The subprotocol of `/ws`.
const SUBPROTOCOL: &str = "atalaya.v1.json";

/// Why the server could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not `http://HOST:PORT`.
    #[error("cannot use `{0}` as a server: give http://HOST:PORT, without a path")]
    Address(String),
    /// Nothing came back.
    #[error("cannot reach {server}: {cause}; check that the server runs")]
    Unreachable {
        /// Which server.
        server: String,
        /// What happened.
        cause: String,
    },
    /// The server said no.
    #[error("cannot {method} {path}: {status} {problem}: {detail}")]
    Refused {
        /// The method.
        method: Method,
        /// The path.
        path: String,
        /// The status.
        status: u16,
        /// The last part of the problem's URN; empty where the answer is no problem.
        problem: String,
        /// What the server says of it.
        detail: String,
    },
    /// The answer is not JSON.
    #[error("cannot read what {path} answers: {cause}; is it a server of this version?")]
    Answer {
        /// Which path.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The server has no sockets.
    #[error("cannot open a socket at {server}/ws: the server answers {status}; it has no sockets")]
    NoSocket {
        /// Which server.
        server: String,
        /// 404 or 501.
        status: u16,
    },
}

impl ClientError {
    /// The status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::NoSocket { status, .. } => Some(*status),
            Self::Address(_) | Self::Unreachable { .. } | Self::Answer { .. } => None,
        }
    }

    /// Whether the state of things was against it, as happens between people: somebody was first.
    pub fn is_conflict(&self) -> bool {
        matches!(self.status(), Some(404 | 409))
    }
}

/// A socket that is open.
pub type Socket = WebSocketStream<TcpStream>;

/// The text of what came on a socket, where it is one; else why the socket is of no more use.
pub fn said(
    frame: Option<Result<Message, tungstenite::Error>>,
) -> Result<Option<Utf8Bytes>, String> {
    match frame {
        Some(Ok(Message::Text(text))) => Ok(Some(text)),
        Some(Ok(Message::Close(Some(frame)))) => Err(format!("the server closed it {frame}")),
        Some(Ok(Message::Close(None))) => Err("the server closed it".into()),
        // The protocol's own pings are answered by the library.
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("it ended".into()),
    }
}

type Sender = SendRequest<Full<Bytes>>;

/// One server, as one token sees it.
pub struct Client {
    host: String,
    token: String,
    idle: Mutex<Vec<Sender>>,
}

/// How one try ended without an answer that counts.
struct Failed {
    error: ClientError,
    /// None: another try is of no use.
    again_after: Option<Duration>,
}

impl Client {
    /// A client of `server` (`http://HOST:PORT`); connects at the first request.
    pub fn new(server: &str, token: &str) -> Result<Self, ClientError> {
        let host = server.trim_end_matches('/').strip_prefix("http://");
        let host = host.filter(|host| !host.is_empty() && !host.contains(['/', '@', ' ']));
        let host = host.ok_or_else(|| ClientError::Address(server.to_owned()))?;
        let host = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        Ok(Self { host, token: token.to_owned(), idle: Mutex::default() })
    }

    /// The same server with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { host: self.host.clone(), token: token.to_owned(), idle: Mutex::default() }
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.ask(Method::GET, path, None, None).await
    }

    /// All items of the list at `path`, page by page; past [`ITEMS_MAX`] the rest is left out.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>, ClientError> {
        let sign = if path.contains('?') { '&' } else { '?' };
        let mut page = self.get(&format!("{path}{sign}limit=500")).await?;
        let mut items = Vec::new();
        loop {
            if let Some(found) = page["items"].as_array_mut() {
                items.append(found);
            }
            let Some(cursor) = page["next_cursor"].as_str().filter(|_| items.len() < ITEMS_MAX)
            else {
                return Ok(items);
            };
            page = self.get(&format!("{path}{sign}limit=500&cursor={cursor}")).await?;
        }
    }

    /// `PUT path`.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.ask(Method::PUT, path, Some(body), None).await
    }

    /// `PATCH path`.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.ask(Method::PATCH, path, Some(body), None).await
    }

    /// `POST path`, under a key of its own.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        let key = Uuid::now_v7().to_string();
        self.ask(Method::POST, path, Some(body), Some(&key)).await
    }

    /// `POST path` without a key, where an answer given again would lack what is asked for: a
    /// token's secret.
    pub async fn post_without_key(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.ask(Method::POST, path, Some(body), None).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Result<Value, ClientError> {
        self.ask(Method::DELETE, path, None, None).await
    }

    /// Opens `/ws`; one try, since who calls has its own way of coming back.
    pub async fn socket(&self) -> Result<Socket, ClientError> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let open = async {
            let uri: Uri = format!("ws://{}/ws", self.host).parse().map_err(|cause| {
                tungstenite::Error::Io(std::io::Error::other(format!("{cause}")))
            })?;
            let request = ClientRequestBuilder::new(uri)
                .with_header(AUTHORIZATION.as_str(), format!("Bearer {}", self.token))
                .with_sub_protocol(SUBPROTOCOL);
            let stream = TcpStream::connect(&self.host).await?;
            stream.set_nodelay(true)?;
            client_async_with_config(request, stream, Some(config)).await
        };
        match timeout(ANSWER_TIME_MAX, open).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(tungstenite::Error::Http(response))) => {
                let body = response.body().clone().unwrap_or_default();
                Err(self.no_socket(response.status(), &body))
            }
            Ok(Err(error)) => Err(self.unreachable(error)),
            Err(_) => Err(self.unreachable("no answer in time")),
        }
    }

    fn no_socket(&self, status: StatusCode, body: &[u8]) -> ClientError {
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::NOT_IMPLEMENTED) {
            let server = format!("http://{}", self.host);
            return ClientError::NoSocket { server, status: status.as_u16() };
        }
        refused(Method::GET, "/ws", status, body)
    }

    fn unreachable(&self, cause: impl std::fmt::Display) -> ClientError {
        let server = format!("http://{}", self.host);
        ClientError::Unreachable { server, cause: cause.to_string() }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Value, ClientError> {
        let mut pause = PAUSE_FIRST;
        let mut tries = 1;
        loop {
            let body = body.map(Value::to_string);
            let failed = match self.once(method.clone(), path, body, key).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let Some(wished) = failed.again_after.filter(|_| tries < TRIES_MAX) else {
                return Err(failed.error);
            };
            tracing::debug!(error = %failed.error, tries, "a request is tried again");
            sleep(wished.max(pause).min(PAUSE_MAX)).await;
            pause = (pause * 2).min(PAUSE_MAX);
            tries += 1;
        }
    }

    async fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        key: Option<&str>,
    ) -> Result<Value, Failed> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(HOST, &self.host)
            .header(AUTHORIZATION, format!("Bearer {}", self.token));
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let request =
            request.body(Full::new(Bytes::from(body.unwrap_or_default()))).map_err(|cause| {
                let error = ClientError::Answer { path: path.into(), cause: cause.to_string() };
                Failed { error, again_after: None }
            })?;
        let nothing_came = |error| Failed { error, again_after: Some(Duration::ZERO) };
        let (status, wished, bytes) = match timeout(ANSWER_TIME_MAX, self.send(request)).await {
            Ok(sent) => sent.map_err(nothing_came)?,
            Err(_) => return Err(nothing_came(self.unreachable("no answer in time"))),
        };
        if !status.is_success() {
            let busy =
                matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            // What was answered as unknown may still be under way when it is asked again.
            let busy = busy || (status == StatusCode::CONFLICT && is_in_flight(&bytes));
            let error = refused(method, path, status, &bytes);
            return Err(Failed { error, again_after: busy.then_some(wished) });
        }
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|cause| {
            let error = ClientError::Answer { path: path.into(), cause: cause.to_string() };
            Failed { error, again_after: None }
        })
    }

    /// Status, wished pause, body; the connection goes back to the idle ones.
    async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Duration, Bytes), ClientError> {
        let mut sender = self.sender().await?;
        let response =
            sender.send_request(request).await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let wished = retry_after(&response);
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let bytes = body.map_err(|error| self.unreachable(error))?.to_bytes();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS_MAX {
            idle.push(sender);
        }
        Ok((status, wished, bytes))
    }

    async fn sender(&self) -> Result<Sender, ClientError> {
        while let Some(mut sender) = self.pop() {
            // One that the server has closed meanwhile is dropped here.
            if sender.ready().await.is_ok() {
                return Ok(sender);
            }
        }
        let stream =
            TcpStream::connect(&self.host).await.map_err(|error| self.unreachable(error))?;
        stream.set_nodelay(true).map_err(|error| self.unreachable(error))?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| self.unreachable(error))?;
        // It ends with its sender.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the server ended");
            }
        });
        Ok(sender)
    }

    fn pop(&self) -> Option<Sender> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

fn retry_after<B>(response: &Response<B>) -> Duration {
    let text = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.trim().parse().ok()).map_or(Duration::ZERO, Duration::from_secs)
}

/// Whether the problem says that the first request with the same key is not done.
fn is_in_flight(problem: &[u8]) -> bool {
    serde_json::from_slice::<Value>(problem)
        .is_ok_and(|problem| problem["type"] == "urn:atalaya:problem:key-in-flight")
}

fn refused(method: Method, path: &str, status: StatusCode, body: &[u8]) -> ClientError {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let urn = text("type");
    let problem = urn.rsplit(':').next().unwrap_or_default().to_owned();
    let status = status.as_u16();
    ClientError::Refused { method, path: path.to_owned(), status, problem, detail: text("detail") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_pause_is_read_in_seconds() {
        let asked = |text: &str| {
            let response = Response::builder().header(RETRY_AFTER, text).body(()).unwrap();
            retry_after(&response)
        };
        assert_eq!(asked("3"), Duration::from_secs(3));
        assert_eq!(asked("Wed, 21 Oct 2026 07:28:00 GMT"), Duration::ZERO);
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let host = |server: &str| Client::new(server, "t").map(|client| client.host).ok();
        assert_eq!(host("http://127.0.0.1:8080/").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(host("http://[::1]:8080").as_deref(), Some("[::1]:8080"));
        assert_eq!(host("http://localhost").as_deref(), Some("localhost:80"));
        for wrong in ["https://a:1", "a:1", "http://", "http://a:1/b", "http://u@a:1"] {
            assert_eq!(host(wrong), None, "{wrong}");
        }
    }
}
