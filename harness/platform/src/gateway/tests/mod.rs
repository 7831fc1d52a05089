//! The gateway as a client sees it, over real sockets.

mod answers;
mod client;
mod ends;
mod script;

use std::sync::Arc;
use std::time::{Duration, Instant};

use lumos_model::protocol::HttpLimits;

use self::client::{Client, request};
use self::script::Script;
use super::server::{Closed, Gateway};
use crate::service::Service;

fn open_with(limits: HttpLimits) -> (Arc<Script>, Gateway) {
    let script = Arc::new(Script::default());
    let services: Vec<Arc<dyn Service>> = vec![script.clone()];
    let listen = "127.0.0.1:0".parse().unwrap();
    (script, Gateway::open(services, listen, limits, Duration::ZERO, 10_000).unwrap())
}

fn open() -> (Arc<Script>, Gateway) {
    open_with(HttpLimits::default())
}

/// Waits until `holds` is true; fails after 30 s.
fn until(holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(30), "the condition never held");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn counts(closed: &Closed) -> Vec<(&str, u64)> {
    closed.causes.iter().map(|(cause, count)| (cause.as_str(), *count)).collect()
}
