//! A plain HTTP/1.1 client, independent of the one under test.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection that is kept open.
pub struct Client(BufReader<TcpStream>);

/// A response.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers, by name in lower case.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: String,
}

impl Client {
    /// Connects to `address`.
    pub fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a request with a body and waits for its response.
    pub fn post(&mut self, path: &str, body: &str) -> Reply {
        self.send(path, body);
        self.receive()
    }

    /// Sends a GET request and waits for its response.
    pub fn get(&mut self, path: &str) -> Reply {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        self.receive()
    }

    /// Sends a POST request.
    pub fn send(&mut self, path: &str, body: &str) {
        let length = body.len();
        let request =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// Waits for a response.
    #[track_caller]
    pub fn receive(&mut self) -> Reply {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "no answer: {lines:?}");
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
        self.0.read_exact(&mut body).unwrap();
        Reply { status, headers, body: String::from_utf8(body).unwrap() }
    }
}

impl Reply {
    /// The cause that an error response names; asserts that the response is consistent.
    #[track_caller]
    pub fn cause(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        let error = &body["error"];
        assert_eq!(error["status"], self.status, "{self:?}");
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json");
        error["cause"].as_str().expect("an error names its cause").to_owned()
    }

    /// Asserts status and cause.
    #[track_caller]
    pub fn is(&self, status: u16, cause: &str) {
        assert_eq!((self.status, self.cause().as_str()), (status, cause), "{self:?}");
    }

    /// The duration of `name` in `Server-Timing`, in milliseconds.
    #[track_caller]
    pub fn timing(&self, name: &str) -> Option<f64> {
        let all = self.headers["server-timing"].split(", ");
        let of_name = all.filter_map(|entry| entry.strip_prefix(name));
        of_name.filter_map(|rest| rest.strip_prefix(";dur=")).next().map(|ms| ms.parse().unwrap())
    }

    /// The start kind in `Server-Timing`.
    #[track_caller]
    pub fn start(&self) -> &str {
        let timing = &self.headers["server-timing"];
        timing.split("start;desc=").nth(1).expect("a start kind").trim_matches('"')
    }
}
