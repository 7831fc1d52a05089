//! An HTTP/1.1 client over a plain socket, which can also misbehave.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::gateway::server::Gateway;

pub(super) struct Client {
    pub(super) stream: BufReader<TcpStream>,
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: String,
}

impl Response {
    /// The cause that the error names. Checks that the body agrees with the status.
    pub(super) fn cause(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        let error = &body["error"];
        assert_eq!(error["status"], self.status, "{self:?}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json");
        error["cause"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(super) fn new(gateway: &Gateway) -> Self {
        let stream = TcpStream::connect(gateway.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    pub(super) fn receive(&mut self) -> Response {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(
                self.stream.read_line(&mut line).unwrap(),
                0,
                "the connection ended: {lines:?}"
            );
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let headers: HashMap<_, _> = lines[1..]
            .iter()
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        self.stream.read_exact(&mut body).unwrap();
        Response { status, headers, body: String::from_utf8(body).unwrap() }
    }

    pub(super) fn post(&mut self, body: &str) -> Response {
        self.send(request(body));
        self.receive()
    }

    pub(super) fn get(&mut self, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"));
        self.receive()
    }

    pub(super) fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }
}

pub(super) fn request(body: &str) -> String {
    let length = body.len();
    format!("POST /script HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}")
}
