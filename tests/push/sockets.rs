//! The socket itself: credit, what is refused, and how it ends.

use actix_web::dev::Extensions;
use atalaya::api::ws;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::house::{House, house};

/// A client that answers no Ping by itself.
struct Bare(TcpStream);

impl Bare {
    async fn connect(house: &House, token: &str) -> Self {
        let mut stream = TcpStream::connect(house.at).await.unwrap();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: atalaya.v1.json\r\nAuthorization: Bearer {token}\r\n\r\n",
            house.at
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"));
        Self(stream)
    }

    /// A frame with a mask of zeros.
    async fn send(&mut self, opcode: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).unwrap();
        assert!(length < 126);
        let mut frame = vec![0x80 | opcode, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).await.unwrap();
    }

    async fn receive(&mut self) -> (u8, Vec<u8>) {
        let opcode = self.0.read_u8().await.unwrap() & 0x0f;
        let length = match self.0.read_u8().await.unwrap() {
            126 => u64::from(self.0.read_u16().await.unwrap()),
            127 => self.0.read_u64().await.unwrap(),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).await.unwrap();
        (opcode, payload)
    }

    async fn json(&mut self) -> Value {
        let (opcode, payload) = self.receive().await;
        assert_eq!(opcode, 1, "no text");
        serde_json::from_slice(&payload).unwrap()
    }
}

#[actix_web::test]
async fn no_tick_goes_out_before_the_pong_of_the_last() {
    let house = house(0.0).await;
    house.staffed("ana", json!({})).await;
    let supervisor = house.token("supervisor", None, None).await;
    let mut prompt = house.connect(&supervisor).await;
    let mut copy = prompt.subscribe("wallboard").await;
    copy.follow(&mut prompt, house.centre.last_seq()).await;
    let mut bare = Bare::connect(&house, &supervisor).await;
    assert_eq!(bare.json().await["type"], "welcome");
    bare.send(1, json!({"type": "subscribe", "topic": "wallboard"}).to_string().as_bytes()).await;
    let mut had = bare.json().await["seq"].as_u64().unwrap();
    let (opcode, tick) = bare.receive().await;
    assert_eq!(opcode, 9, "no Ping went with the tick");
    for _ in 0..3 {
        house.call().await;
        copy.follow(&mut prompt, house.centre.last_seq()).await;
        // Three ticks have gone by for the other; this one is answered, and told of none.
        bare.send(1, b"{}").await;
        assert_eq!(bare.json().await["type"], "error");
    }
    bare.send(10, &tick).await;
    while had < copy.seq {
        let frame = bare.json().await;
        assert_eq!(frame["from"], had, "{frame}");
        had = frame["seq"].as_u64().unwrap();
    }
    assert_eq!(bare.receive().await.0, 9);
}

#[actix_web::test]
async fn a_connection_is_set_up_so_that_the_kernel_ends_a_jam() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    ws::on_connect(&stream, &mut Extensions::new());
    let socket = socket2::SockRef::from(&stream);
    assert_eq!(socket.tcp_user_timeout().unwrap(), Some(ws::TCP_PATIENCE));
    // The kernel doubles what it is asked for.
    assert_eq!(socket.send_buffer_size().unwrap(), 2 * ws::SEND_BUFFER_BYTES);
}

#[actix_web::test]
async fn what_is_not_understood_is_told_and_the_tenth_closes() {
    let house = house(0.0).await;
    let supervisor = house.token("supervisor", None, None).await;
    let mut socket = house.connect(&supervisor).await;
    let wrong = [
        json!([]),
        json!({}),
        json!({"type": "sing"}),
        json!({"type": "subscribe"}),
        json!({"type": "subscribe", "topic": "wallboard", "extra": 1}),
        json!({"type": "subscribe", "topic": "weather"}),
        json!({"type": "subscribe", "topic": "alerts"}),
        json!({"type": "subscribe", "topic": "wallboard", "queues": ["pensions"]}),
        json!({"type": "command", "id": "", "command": "presence"}),
    ];
    for message in wrong {
        socket.say(message.clone()).await;
        let frame = socket.next().await;
        assert_eq!(frame["type"], "error", "{message}: {frame}");
    }
    socket.raw(Message::text("not JSON")).await;
    assert_eq!(socket.closed().await, Some(1008));
}

#[actix_web::test]
async fn frames_of_another_kind_close_it() {
    let house = house(0.0).await;
    let supervisor = house.token("supervisor", None, None).await;
    let mut socket = house.connect(&supervisor).await;
    socket.raw(Message::binary(vec![1, 2])).await;
    assert_eq!(socket.closed().await, Some(1003));
    let mut bare = Bare::connect(&house, &supervisor).await;
    assert_eq!(bare.json().await["type"], "welcome");
    // The first part of a text, to be continued.
    bare.0.write_all(&[0x01, 0x81, 0, 0, 0, 0, b'{']).await.unwrap();
    let (opcode, payload) = bare.receive().await;
    assert_eq!((opcode, &payload[..2]), (8, &1003_u16.to_be_bytes()[..]));
    let mut bare = Bare::connect(&house, &supervisor).await;
    assert_eq!(bare.json().await["type"], "welcome");
    // The head alone of a frame that is one byte too long.
    let head = [0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0];
    bare.0.write_all(&head).await.unwrap();
    let (opcode, payload) = bare.receive().await;
    assert_eq!((opcode, &payload[..2]), (8, &1009_u16.to_be_bytes()[..]));
}

#[actix_web::test]
async fn sockets_end_with_the_server_and_with_their_token() {
    let house = house(0.0).await;
    let supervisor = house.token("supervisor", None, None).await;
    let mut socket = house.connect(&supervisor).await;
    let (_, tokens) = house.ask("GET", "/api/v1/tokens", &house.admin, Value::Null).await;
    let of = |token: &&Value| token["role"] == "supervisor";
    let id = tokens["items"].as_array().unwrap().iter().find(of).unwrap()["id"].clone();
    let path = format!("/api/v1/tokens/{}", id.as_str().unwrap());
    house.ask("DELETE", &path, &house.admin, Value::Null).await;
    // Not only at the next beat: what is asked before it is not shown.
    socket.say(json!({"type": "subscribe", "topic": "wallboard"})).await;
    let end = loop {
        match socket.next_or_close().await {
            Ok(frame) => assert_eq!(frame["type"], "welcome", "{frame}"),
            Err(end) => break end.map(|end| u16::from(end.code)),
        }
    };
    assert_eq!(end, Some(1008));
    let mut socket = house.connect(&house.admin).await;
    house.api.push.close_all();
    assert_eq!(socket.closed().await, Some(1001));
    let bearer = format!("Bearer {}", house.admin);
    assert_eq!(house.try_connect(&[("Authorization", &bearer)]).await.err(), Some(503));
}

#[actix_web::test]
async fn a_page_of_another_origin_gets_no_socket() {
    let house = house(0.0).await;
    let cookie = session_cookie(&house).await;
    let own = format!("http://{}", house.at);
    let with = |origin: &str| {
        vec![("Cookie".to_owned(), cookie.clone()), ("Origin".to_owned(), origin.to_owned())]
    };
    for (headers, status) in [
        (with("http://elsewhere.example"), Some(403)),
        (with("null"), Some(403)),
        (vec![("Cookie".to_owned(), cookie.clone())], Some(403)),
        (with(&own), None),
    ] {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(house.try_connect(&headers).await.err(), status, "{headers:?}");
    }
}

/// Signs in over HTTP with the administrator's token: the cookie.
async fn session_cookie(house: &House) -> String {
    let body = json!({"token": house.admin}).to_string();
    let mut stream = TcpStream::connect(house.at).await.unwrap();
    let request = format!(
        "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let at = answer.find("__Host-atalaya=").unwrap();
    answer[at..].split(';').next().unwrap().to_owned()
}
