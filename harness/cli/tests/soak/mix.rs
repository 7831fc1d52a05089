//! The mix of loads: requests of the load generator and of raw clients.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use http::uri::PathAndQuery;
use http::{HeaderValue, Method, header};
use lumos_load::arrivals::Arrivals;
use lumos_load::http::{LoadOptions, Target};
use lumos_model::arrival::{Arrival, Delayed, Rate, Share, Traffic};
use lumos_model::units::Span;

use crate::account::{Account, Fate, fate_of};
use crate::raw_client::{self, BEHAVIOURS};

/// The longest body that the server accepts.
pub const MAX_BODY: usize = 64 << 10;
/// Longer than any response may take: a client of the generator never gives up.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Requests of one kind.
struct Class {
    function: &'static str,
    path: &'static str,
    method: Method,
    body: String,
    traffic: Traffic,
    /// Whether connections are reused.
    keeps_alive: bool,
    /// Whether clients close the connection once they have sent the request.
    leaves: bool,
}

impl Class {
    fn new(body: impl Into<String>, arrival: Arrival) -> Self {
        Self {
            function: "conformance",
            path: "/conformance",
            method: Method::POST,
            body: body.into(),
            traffic: Traffic { arrival, delayed: None },
            keeps_alive: true,
            leaves: false,
        }
    }

    fn one_per_connection(self) -> Self {
        Self { keeps_alive: false, ..self }
    }
}

fn rate(rate: f64) -> Rate {
    Rate::new(rate).expect("a rate")
}

fn poisson(per_second: f64) -> Arrival {
    Arrival::Poisson { rate: rate(per_second) }
}

fn echo(bytes: usize) -> String {
    format!(r#"{{"op":"echo","data":"{}"}}"#, "x".repeat(bytes))
}

/// Many requests at once that keep all instances busy, then a pause.
fn bursts() -> Arrival {
    let span = |ms| Span(Duration::from_millis(ms));
    Arrival::Burst { rate: rate(200.0), low: rate(0.0), on: span(200), off: span(1300) }
}

/// The requests of the generator. A guest that connects to `silent` blocks.
fn classes(silent: SocketAddr) -> Vec<Class> {
    let op = |op: &str, per_second| Class::new(format!(r#"{{"op":"{op}"}}"#), poisson(per_second));
    let block = format!(r#"{{"op":"block","addr":"{silent}"}}"#);
    let noop = |arrival| Class { function: "noop", path: "/noop", ..Class::new(r#"{}"#, arrival) };
    // Gaps longer than the keep-alive cause cold starts during the load.
    let gap = Delayed {
        share: Share::new(0.05).expect("a share"),
        gap: Span(Duration::from_millis(250)),
    };
    let mut noops = noop(poisson(60.0));
    noops.traffic.delayed = Some(gap);
    vec![
        Class::new(echo(16), poisson(30.0)),
        Class::new(echo(16), poisson(5.0)).one_per_connection(),
        Class::new(echo(10 << 10), poisson(8.0)),
        Class::new(echo(MAX_BODY - 100), poisson(4.0)),
        Class::new(echo(MAX_BODY + 1), poisson(3.0)),
        Class::new("no JSON", poisson(4.0)),
        Class::new(r#"{"op":"fail","message":"no luck"}"#, poisson(3.0)),
        Class::new(r#"{"op":"grow","bytes":1048576}"#, poisson(2.0)),
        Class::new(r#"{"op":"exit","code":3}"#, poisson(1.0)),
        op("trap", 3.0),
        op("panic", 2.0),
        op("spin", 1.0),
        Class::new(&block, poisson(2.0)),
        Class::new(&block, bursts()),
        Class { method: Method::GET, ..Class::new("", poisson(2.0)) },
        Class { path: "/nowhere", ..Class::new("{}", poisson(2.0)) },
        noops,
        noop(poisson(5.0)).one_per_connection(),
        Class {
            function: "leavers",
            path: "/leavers",
            leaves: true,
            ..Class::new(r#"{"op":"spin"}"#, Arrival::Constant { rate: rate(1.5) })
        },
    ]
}

impl Class {
    /// Sends requests for `duration`. `server_ends`: the server may end meanwhile.
    fn send(&self, to: SocketAddr, seed: u64, duration: Duration, server_ends: bool) -> Account {
        let mut target = Target::new(to, PathAndQuery::from_static(self.path));
        target.method = self.method.clone();
        target.body = self.body.clone().into_bytes();
        if !self.keeps_alive {
            target.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let options = LoadOptions {
            timeout: TIMEOUT,
            disconnect: Share::new(if self.leaves { 1.0 } else { 0.0 }).expect("a share"),
            ..LoadOptions::default()
        };
        let mut account = Account::default();
        let mut numbers = Vec::new();
        let report = lumos_load::http::run(
            &target,
            &self.traffic,
            seed,
            duration,
            &options,
            &mut |record| {
                numbers.push(record.seq);
                let fate = fate_of(record, server_ends);
                let is_idle = matches!(fate, Fate::Unseen(_)) && !server_ends;
                assert!(self.keeps_alive || !is_idle, "a new connection has not idled: {record:?}");
                account.add(self.function, fate);
            },
        )
        .unwrap_or_else(|error| panic!("{}: {error}", self.body));
        numbers.sort_unstable();
        let once = numbers.iter().copied().eq(0..report.requests);
        assert!(once, "each request has one outcome: {} of {}", numbers.len(), report.requests);
        account
    }
}

/// Sends the whole mix for `duration` and waits for the outcome of each request.
pub fn send(to: SocketAddr, silent: SocketAddr, seed: u64, duration: Duration) -> Account {
    let classes = classes(silent);
    thread::scope(|scope| {
        let mut senders = Vec::new();
        for (index, class) in classes.iter().enumerate() {
            let seed = seed * 100 + index as u64;
            senders.push(scope.spawn(move || class.send(to, seed, duration, false)));
        }
        for (index, (behaviour, per_second)) in BEHAVIOURS.into_iter().enumerate() {
            let seed = seed * 100 + 50 + index as u64;
            senders.push(scope.spawn(move || {
                let begin = Instant::now();
                thread::scope(|clients| {
                    let mut sent = Vec::new();
                    for at in times(poisson(per_second), seed, duration) {
                        thread::sleep(at.saturating_sub(begin.elapsed()));
                        sent.push(
                            clients.spawn(move || raw_client::send_request(to, behaviour, silent)),
                        );
                    }
                    let mut account = Account::default();
                    for client in sent {
                        account.add("conformance", client.join().expect("no client panics"));
                    }
                    account
                })
            }));
        }
        let mut all = Account::default();
        senders.into_iter().for_each(|sender| all.merge(sender.join().expect("no sender panics")));
        all
    })
}

/// Sends short, blocking and trapping requests for `duration`, during which the server may end.
pub fn send_to_the_end(to: SocketAddr, silent: SocketAddr, duration: Duration) -> Account {
    let block = format!(r#"{{"op":"block","addr":"{silent}"}}"#);
    let classes = [
        Class::new(echo(16), poisson(100.0)),
        Class::new(echo(16), poisson(20.0)).one_per_connection(),
        Class::new(block, poisson(10.0)),
        Class::new(r#"{"op":"trap"}"#, poisson(5.0)),
    ];
    thread::scope(|scope| {
        let mut senders = Vec::new();
        for (class, seed) in classes.iter().zip(0..) {
            senders.push(scope.spawn(move || class.send(to, seed, duration, true)));
        }
        let mut all = Account::default();
        senders.into_iter().for_each(|sender| all.merge(sender.join().expect("no sender panics")));
        all
    })
}

fn times(arrival: Arrival, seed: u64, duration: Duration) -> Vec<Duration> {
    let traffic = Traffic { arrival, delayed: None };
    match Arrivals::new(&traffic, seed, duration).expect("the rate is valid") {
        Arrivals::Open(times) => times
            .map(|at| Duration::from_nanos(at.expect("a generated arrival cannot fail")))
            .collect(),
        Arrivals::Closed(_) => unreachable!("poisson is an open loop"),
    }
}
