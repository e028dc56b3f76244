//! The real program on a folder of its own, and what its clients do.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use atalaya::client::{Client, ClientError};
use serde_json::{Value, json};

use crate::socket::Socket;

const ATALAYA: &str = env!("CARGO_BIN_EXE_atalaya");

/// A server that is ended with its test.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    pub(crate) admin: Client,
    token: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// In real time.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::with(dir, &[])
    }

    /// With a clock that stands still until it is told to go on.
    pub(crate) fn still(dir: &Path) -> Self {
        Self::with(dir, &["--clock-rate", "0", "--clock-start", "2026-03-02T08:00:00Z"])
    }

    /// The same, where it stood.
    pub(crate) fn still_again(dir: &Path) -> Self {
        Self::with(dir, &["--clock-rate", "0"])
    }

    /// The body of an answer that is no JSON, and the number that it is of.
    pub(crate) fn lines(&self, path: &str) -> (u64, String) {
        use std::io::Write as _;
        let host = self.url.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\
             Accept: text/csv\r\nConnection: close\r\n\r\n",
            self.token
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(head.contains("content-type: text/csv"), "{head}");
        let seq = head.lines().find_map(|line| line.strip_prefix("atalaya-seq: ")).unwrap();
        (seq.parse().unwrap(), body.to_owned())
    }

    fn with(dir: &Path, more: &[&str]) -> Self {
        let mut child = serve(dir).args(more).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned))
            .unwrap();
        let token = std::fs::read_to_string(dir.join("admin.token")).unwrap().trim().to_owned();
        let admin = Client::new(&url, &token).unwrap();
        Self { child, url, admin, token }
    }

    /// What a second program on the folder says, and its exit code.
    pub(crate) fn second(dir: &Path) -> (Option<i32>, String) {
        let mut child = serve(dir).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (child.wait().unwrap().code(), said)
    }

    /// Ends it as an operator does, so that all is written.
    pub(crate) fn stop(mut self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets the standing clock go on, leases with it.
    pub(crate) async fn advance(&self, by: &str) {
        self.go_on(&json!({"advance": by, "leases": true})).await;
    }

    /// Lets the standing clock go on, and nobody is silent in it.
    pub(crate) async fn pass(&self, by: &str) {
        self.go_on(&json!({"advance": by})).await;
    }

    async fn go_on(&self, wish: &Value) {
        self.admin.post("/api/v1/clock", wish).await.unwrap();
    }

    pub(crate) async fn queue(&self, id: &str, more: Value) {
        let mut rules = json!({"name": "Pensiones", "requires": {}, "wrap_up": "30s"});
        rules.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.admin.put(&format!("/api/v1/queues/{id}"), &rules).await.unwrap();
    }

    /// An agent, and what they see of the server.
    pub(crate) async fn agent(&self, id: &str) -> Person {
        let profile = json!({"name": "Ana García", "team": "morning-1", "level": 1,
            "skills": {"pensions": 7}, "languages": ["es"], "capacity": {"voice": 1}});
        self.admin.put(&format!("/api/v1/agents/{id}"), &profile).await.unwrap();
        self.person("agent", Some(id)).await
    }

    /// Somebody with a token of this role.
    pub(crate) async fn person(&self, role: &str, agent: Option<&str>) -> Person {
        let wish = json!({"role": role, "agent": agent});
        let made = self.admin.post_without_key("/api/v1/tokens", &wish).await.unwrap();
        let token = made["token"].as_str().unwrap().to_owned();
        let client = self.admin.with_token(&token);
        Person { id: agent.unwrap_or_default().to_owned(), client, token, url: self.url.clone() }
    }

    /// A call for the queue: the contact as it was answered with.
    pub(crate) async fn call(&self, queue: &str) -> Value {
        let call = json!({"channel": "voice", "queue": queue, "from": "+34600000142"});
        self.admin.post("/api/v1/contacts", &call).await.unwrap()
    }

    pub(crate) async fn contact(&self, call: &Value) -> Value {
        self.admin.get(&path(call, "")).await.unwrap()
    }

    pub(crate) async fn board(&self) -> Value {
        self.admin.get("/api/v1/wallboard").await.unwrap()
    }

    /// A socket that has the wallboard.
    pub(crate) async fn admin_socket(&self) -> Socket {
        connect(&self.url, &self.token).await
    }

    /// Every event after `after`, and the number of the last.
    pub(crate) async fn events_after(&self, after: u64) -> (Vec<Value>, u64) {
        let (mut all, mut last) = (Vec::new(), after);
        loop {
            let path = format!("/api/v1/events?after={last}&limit=100");
            let page = self.admin.get(&path).await.unwrap();
            let items = page["items"].as_array().unwrap();
            all.extend(items.iter().cloned());
            match items.last() {
                Some(event) => last = event["seq"].as_u64().unwrap(),
                None => return (all, last),
            }
        }
    }
}

fn serve(dir: &Path) -> Command {
    let mut command = Command::new(ATALAYA);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(dir);
    command
}

async fn connect(url: &str, token: &str) -> Socket {
    let host = url.strip_prefix("http://").unwrap();
    let bearer = format!("Bearer {token}");
    let mut socket = Socket::open(host, &[("Authorization", &bearer)]).await.unwrap();
    assert_eq!(socket.next().await["type"], "welcome");
    socket
}

/// `/api/v1/contacts/ID/what`.
pub(crate) fn path(contact: &Value, what: &str) -> String {
    let slash = if what.is_empty() { "" } else { "/" };
    format!("/api/v1/contacts/{}{slash}{what}", contact["id"].as_str().unwrap())
}

/// Somebody with a token.
pub(crate) struct Person {
    id: String,
    pub(crate) client: Client,
    token: String,
    url: String,
}

impl Person {
    pub(crate) async fn socket(&self) -> Socket {
        connect(&self.url, &self.token).await
    }

    pub(crate) async fn says(&self, state: Value) -> Value {
        let path = format!("/api/v1/agents/{}/presence", self.id);
        self.client.post(&path, &state).await.unwrap()
    }

    pub(crate) async fn ready(&self) -> Value {
        self.says(json!({"state": "ready"})).await
    }

    /// Says yes to what is offered in `contact`.
    pub(crate) async fn accept(&self, contact: &Value) -> Result<Value, ClientError> {
        let offer = contact["offer"]["id"].as_str().unwrap();
        let path = format!("/api/v1/agents/{}/offers/{offer}/accept", self.id);
        self.client.post(&path, &json!({})).await
    }
}

/// State and reason of an agent, as an administrator sees it (whose look is not hearing them).
pub(crate) async fn presence(server: &Process, agent: &str) -> (String, Value) {
    let agent = server.admin.get(&format!("/api/v1/agents/{agent}")).await.unwrap();
    (agent["state"].as_str().unwrap().to_owned(), agent["reason"].clone())
}
