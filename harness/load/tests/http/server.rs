//! A scripted server with one thread for each connection. It counts its requests.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lumos_load::http::{LoadError, LoadOptions, Record, Report, Target, run};
use lumos_model::arrival::{Arrival, Rate, Traffic};

/// A request as the server received it.
#[derive(Clone)]
pub struct Got {
    pub number: u64,
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What to do with a connection after a request.
pub enum Then {
    KeepOpen,
    Close,
}

pub struct Server {
    pub addr: SocketAddr,
    pub requests: Arc<AtomicU64>,
    pub connections: Arc<AtomicU64>,
    pub got: Arc<Mutex<Vec<Got>>>,
    closing: Arc<AtomicBool>,
}

impl Server {
    /// Calls `answer` for each request.
    pub fn start(answer: impl Fn(&Got, &mut TcpStream) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            addr: listener.local_addr().unwrap(),
            requests: Arc::default(),
            connections: Arc::default(),
            got: Arc::default(),
            closing: Arc::default(),
        };
        let answer = Arc::new(answer);
        let Server { requests, connections, got, closing, .. } = &server;
        let (requests, connections) = (requests.clone(), connections.clone());
        let (got, closing) = (got.clone(), closing.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if closing.load(Ordering::SeqCst) {
                    return;
                }
                connections.fetch_add(1, Ordering::SeqCst);
                let (requests, got, answer) = (requests.clone(), got.clone(), answer.clone());
                std::thread::spawn(move || serve(stream, &requests, &got, &*answer));
            }
        });
        server
    }

    /// Answers each request with these bytes.
    pub fn saying(bytes: &'static [u8], then: fn() -> Then) -> Self {
        Self::start(move |_, stream| {
            let _ = stream.write_all(bytes);
            then()
        })
    }

    pub fn target(&self) -> Target {
        Target::new(self.addr, "/hello?x=1".parse().unwrap())
    }

    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.addr);
    }
}

fn serve(
    stream: TcpStream,
    requests: &AtomicU64,
    all: &Mutex<Vec<Got>>,
    answer: &dyn Fn(&Got, &mut TcpStream) -> Then,
) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(mut got) = read(&mut reader) {
        got.number = requests.fetch_add(1, Ordering::SeqCst);
        // Before the answer, because a client may check the list as soon as it has that.
        all.lock().unwrap().push(got.clone());
        let then = answer(&got, &mut stream);
        if matches!(then, Then::Close) {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Got> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Got { number: 0, line: line.trim_end().to_owned(), headers, body })
}

pub const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

pub fn constant(rate: f64) -> Traffic {
    Traffic { arrival: Arrival::Constant { rate: Rate::new(rate).unwrap() }, delayed: None }
}

pub fn closed(concurrency: u32) -> Traffic {
    Traffic { arrival: Arrival::Closed { concurrency }, delayed: None }
}

/// Sends `requests` requests and checks that each has exactly one record.
pub fn load(
    target: &Target,
    traffic: &Traffic,
    requests: u64,
    options: LoadOptions<'_>,
) -> Result<(Report, Vec<Record>), LoadError> {
    let mut records = Vec::new();
    let options = LoadOptions { requests: Some(requests), ..options };
    let minute = Duration::from_secs(60);
    let report = run(target, traffic, 1, minute, &options, &mut |r| records.push(*r))?;
    records.sort_by_key(|record| record.seq);
    let numbers: Vec<u64> = records.iter().map(|record| record.seq).collect();
    assert_eq!(numbers, (0..report.requests).collect::<Vec<_>>(), "one record a request");
    assert_eq!(report.outcomes.values().sum::<u64>(), report.requests);
    assert_eq!(report.answered(), report.statuses.values().sum::<u64>());
    for record in &records {
        assert!(record.intended_ns >= report.begin_ns, "{record:?}");
        let sent = record.sent_ns.unwrap_or(record.intended_ns);
        assert!(record.intended_ns <= sent && sent <= record.ended_ns, "{record:?}");
        assert!(record.ended_ns <= report.end_ns, "{record:?}");
        assert_eq!(record.status.is_some(), record.outcome.is_answered(), "{record:?}");
    }
    Ok((report, records))
}
