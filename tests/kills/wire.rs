//! One connection that stays open, without retries: what was answered and what was not is told
//! apart by the test itself.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// No answer came whole.
#[derive(Debug)]
pub(crate) struct Broken;

/// What the server said.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `Atalaya-Seq`; 0 where there is none.
    pub(crate) seq: u64,
    /// `Idempotent-Replay`.
    pub(crate) replay: bool,
    /// The body as it came.
    pub(crate) text: String,
    /// The same, where it is JSON.
    pub(crate) json: Value,
}

impl Answer {
    /// The answer, which must be a success.
    #[track_caller]
    pub(crate) fn good(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.json
    }
}

pub(crate) struct Wire {
    host: String,
    token: String,
    agent: Option<String>,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Wire {
    pub(crate) fn new(url: &str, token: &str) -> Self {
        let host = url.strip_prefix("http://").unwrap().to_owned();
        Self { host, token: token.to_owned(), agent: None, open: None }
    }

    /// Another connection to the same server with another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { host: self.host.clone(), token: token.to_owned(), agent: None, open: None }
    }

    /// Another connection in nobody's name.
    pub(crate) fn another(&self) -> Self {
        self.with_token(&self.token)
    }

    /// Another connection, in the name of an agent.
    pub(crate) fn acting(&self, agent: &str) -> Self {
        Self { agent: Some(agent.to_owned()), ..self.another() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer, Broken> {
        self.ask(Method::GET, path, None, None).await
    }

    pub(crate) async fn put(&mut self, path: &str, body: &Value) -> Result<Answer, Broken> {
        self.ask(Method::PUT, path, Some(body), None).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Result<Answer, Broken> {
        self.ask(Method::POST, path, Some(body), None).await
    }

    pub(crate) async fn post_once(
        &mut self,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<Answer, Broken> {
        self.ask(Method::POST, path, Some(body), Some(key)).await
    }

    /// All items of a list, page by page.
    pub(crate) async fn all(&mut self, path: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}?limit=500{cursor}")).await.unwrap().good();
            all.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Answer, Broken> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("Host", &self.host)
            .header("Authorization", format!("Bearer {}", self.token));
        if let Some(agent) = &self.agent {
            request = request.header("Atalaya-Agent", agent);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if body.is_some() {
            request = request.header("Content-Type", "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.connect().await?,
        };
        if open.ready().await.is_err() {
            // The server has closed it meanwhile, as it does with one that idles.
            open = self.connect().await?;
        }
        let response = open.send_request(request).await.map_err(|_| Broken)?;
        let answer = read(response).await?;
        self.open = Some(open);
        Ok(answer)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Broken> {
        let stream = TcpStream::connect(&self.host).await.map_err(|_| Broken)?;
        stream.set_nodelay(true).map_err(|_| Broken)?;
        let (open, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| Broken)?;
        // It ends with what sends on it.
        actix_web::rt::spawn(connection);
        Ok(open)
    }
}

async fn read(response: Response<hyper::body::Incoming>) -> Result<Answer, Broken> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let seq = header("Atalaya-Seq").and_then(|seq| seq.parse().ok()).unwrap_or(0);
    let replay = header("Idempotent-Replay") == Some("true");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|_| Broken)?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer { status, seq, replay, text, json })
}
