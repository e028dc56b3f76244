//! A proxy before a server: hands everything on, but for what its liar changes.
//!
//! It knows as much of HTTP and of WebSocket frames as is needed to change a body or a message: a
//! thread a connection, heads until an empty line, bodies with a length, whole text frames.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What becomes of a frame.
pub(crate) enum Fate {
    Pass(String),
    Drop,
    /// Neither this nor anything after it.
    Hold,
}

/// Who changes what passes.
pub(crate) trait Liar: Send {
    /// The body of an answer to `path`.
    fn answer(&mut self, _path: &str, body: String) -> String {
        body
    }

    /// A text frame of the server.
    fn frame(&mut self, text: String) -> Fate {
        Fate::Pass(text)
    }
}

struct Truth;

impl Liar for Truth {}

type Shared = Arc<(Mutex<String>, Mutex<Box<dyn Liar>>)>;

pub(crate) struct Proxy {
    address: String,
    shared: Shared,
}

impl Proxy {
    pub(crate) fn before(server: &str, liar: Option<Box<dyn Liar>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let liar = liar.unwrap_or_else(|| Box::new(Truth));
        let shared: Shared = Arc::new((Mutex::new(server.to_owned()), Mutex::new(liar)));
        let held = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let shared = held.clone();
                // A connection that breaks is what it is.
                thread::spawn(move || client.and_then(|client| serve(client, &shared)));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// New connections go to another server.
    pub(crate) fn point_to(&self, server: &str) {
        server.clone_into(&mut self.shared.0.lock().unwrap());
    }
}

/// A head up to its empty line; empty: the other side has ended.
fn head(from: &mut impl BufRead) -> std::io::Result<String> {
    let mut head = String::new();
    while from.read_line(&mut head)? > 0 && !head.ends_with("\r\n\r\n") {}
    Ok(head)
}

fn serve(client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let server = TcpStream::connect(shared.0.lock().unwrap().as_str())?;
    let (mut from_client, mut to_client) = (BufReader::new(client.try_clone()?), client);
    let (mut from_server, mut to_server) = (BufReader::new(server.try_clone()?), server);
    loop {
        let request = head(&mut from_client)?;
        if request.is_empty() {
            return Ok(());
        }
        to_server.write_all(request.as_bytes())?;
        let answer = head(&mut from_server)?;
        if answer.is_empty() {
            return to_client.shutdown(Shutdown::Both);
        }
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        if answer.starts_with("HTTP/1.1 101") {
            to_client.write_all(answer.as_bytes())?;
            thread::spawn(move || {
                let _ = std::io::copy(&mut from_client, &mut to_server);
                to_server.shutdown(Shutdown::Both)
            });
            let ended = frames(&mut from_server, &mut to_client, shared);
            to_client.shutdown(Shutdown::Both)?;
            return ended;
        }
        let length = answer.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        from_server.read_exact(&mut body)?;
        let mut body = String::from_utf8(body).map_err(std::io::Error::other)?;
        if answer.starts_with("HTTP/1.1 200") {
            body = shared.1.lock().unwrap().answer(&path, body);
        }
        for line in answer.trim_end().lines() {
            if !line.to_ascii_lowercase().starts_with("content-length:") {
                write!(to_client, "{line}\r\n")?;
            }
        }
        write!(to_client, "content-length: {}\r\n\r\n{body}", body.len())?;
    }
}

/// Frames of the server, which has no masks and one frame a message.
fn frames(from: &mut impl Read, to: &mut TcpStream, shared: &Shared) -> std::io::Result<()> {
    loop {
        let mut start = [0; 2];
        from.read_exact(&mut start)?;
        let length = match start[1] & 0x7f {
            126 => {
                let mut length = [0; 2];
                from.read_exact(&mut length)?;
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                from.read_exact(&mut length)?;
                u64::from_be_bytes(length)
            }
            short => short.into(),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        from.read_exact(&mut payload)?;
        if start[0] == 0x81 {
            let text = String::from_utf8(payload).map_err(std::io::Error::other)?;
            payload = match shared.1.lock().unwrap().frame(text) {
                Fate::Pass(text) => text.into_bytes(),
                Fate::Drop => continue,
                Fate::Hold => break,
            };
        }
        to.write_all(&start[..1])?;
        match payload.len() {
            short @ 0..=125 => to.write_all(&[u8::try_from(short).unwrap()])?,
            middle @ 126..=0xffff => {
                to.write_all(&[126])?;
                to.write_all(&u16::try_from(middle).unwrap().to_be_bytes())?;
            }
            long => {
                to.write_all(&[127])?;
                to.write_all(&u64::try_from(long).unwrap().to_be_bytes())?;
            }
        }
        to.write_all(&payload)?;
    }
    // Silent, but there: until the server ends it.
    std::io::copy(from, &mut std::io::sink()).map(|_| ())
}
