//! The server on a real port: what only a connection shows.

use std::net::TcpListener;

use atalaya::api::body::BODY_BYTES_MAX;
use atalaya::api::routes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::house;

/// Sends `request` on a connection of its own: all that comes back.
async fn raw(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[actix_web::test]
async fn a_real_connection_gets_answers_and_problems() {
    let house = house().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = routes::serve(house.api.clone(), listener).unwrap();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let admin = &house.admin;
    let head = |method: &str, path: &str, more: &str| {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Authorization: Bearer {admin}\r\nContent-Type: application/json\r\n{more}\r\n"
        )
    };
    let declared = format!("Content-Length: {}\r\n", BODY_BYTES_MAX + 1);
    let chunk = "x".repeat(BODY_BYTES_MAX + 1);
    let chunked = head("POST", "/api/v1/contacts", "Transfer-Encoding: chunked\r\n")
        + &format!("{:x}\r\n{chunk}\r\n0\r\n\r\n", chunk.len());
    for (what, request, line, part) in [
        ("reading", head("GET", "/api/v1/agents", ""), "HTTP/1.1 200", "\"next_cursor\":null"),
        ("no path", head("GET", "/api/v1/x", ""), "HTTP/1.1 404", "problem:not-found"),
        ("declared", head("POST", "/api/v1/contacts", &declared), "HTTP/1.1 413", "too-large"),
        ("chunked", chunked, "HTTP/1.1 413", "too-large"),
        ("method", head("TRACE", "/api/v1/agents", ""), "HTTP/1.1 405", "method-not-allowed"),
        ("page", head("POST", "/wallboard", "Content-Length: 0\r\n"), "HTTP/1.1 405", ""),
    ] {
        let answer = raw(port, request.as_bytes()).await;
        let first = answer.lines().next().unwrap_or("").to_owned();
        println!("{what}: {first}");
        assert!(first.starts_with(line) && answer.contains(part), "{what}: {answer}");
    }
    assert!(raw(port, b"nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    handle.stop(true).await;
    running.await.unwrap().unwrap();
}
