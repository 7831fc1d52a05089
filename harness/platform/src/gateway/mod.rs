//! The gateway: functions by HTTP.
//!
//! | request | answer |
//! |---|---|
//! | `POST /FUNCTION` | the function's output, with its phases in `Server-Timing` |
//! | `GET /healthz` | 200, or 503 while the gateway is being closed |
//! | `GET /metrics` | OpenMetrics text |
//!
//! An error is an object of JSON that names its cause ([`ResponseCause`]). A header `lumos-seq: N`
//! gives a request its number in the gateway's own record of it.
//!
//! Only HTTP/1.1 (and 1.0) is spoken, without TLS: this is a measured thing on one machine.

mod awake;
mod cause;
mod connection;
mod event_loop;
mod here;
mod metrics;
mod records;
mod reply;
mod rewake;
mod route;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use awake::Awake;
use lumos_model::protocol::HttpLimits;
use lumos_model::row::Sample;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::service::Service;

pub use cause::ResponseCause;
use event_loop::EventLoops;
use lumos_runtime::error::HostError;
use metrics::Metrics;
use records::Records;
use route::Route;

/// The least that the HTTP library sets aside for a head; a lower limit is checked after the
/// head was read.
const LEAST_HEAD: usize = 8 << 10;
/// More event loops than these are not made, whatever the machine has of cores: the clients
/// want some too.
const MOST_LOOPS: usize = 4;
/// Connections that wait to be accepted, at most.
const BACKLOG: u32 = 1024;
/// How long answers to requests that were stopped may take to be sent.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Functions that are served by HTTP.
pub struct Gateway {
    shared: Arc<Shared>,
    warnings: Vec<String>,
    event_loops: EventLoops,
    address: SocketAddr,
}

/// What all connections share.
struct Shared {
    routes: Vec<Route>,
    limits: HttpLimits,
    /// Whether the limit of heads is lower than what the HTTP library checks.
    checks_heads: bool,
    metrics: Metrics,
    records: Records,
    awake: Option<Arc<Awake>>,
    draining: AtomicBool,
    /// Tells the connections that the gateway is being closed, and knows when the last of
    /// them has ended.
    close: watch::Sender<()>,
}

impl Shared {
    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// What tells a new connection that the gateway is being closed; `None`: it is already,
    /// and the connection is there only to be told so.
    fn closing(&self) -> Option<watch::Receiver<()>> {
        let receiver = self.close.subscribe();
        (!self.is_draining()).then_some(receiver)
    }

    fn causes(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        self.routes.iter().for_each(|route| route.meters.add_causes(&mut sums));
        sums
    }
}

/// What is left of a gateway.
#[derive(Debug, Default)]
pub struct Closed {
    /// The samples that were not taken before.
    pub samples: Vec<Sample>,
    /// How many were not kept.
    pub lost: u64,
    /// All requests to functions since the beginning, by cause.
    pub causes: BTreeMap<String, u64>,
    /// Requests that waited or ran when the time was over, and were stopped.
    pub stopped: u64,
}

impl Gateway {
    /// Serves `services` at `listen`, where port 0 is a free one, on threads of its own.
    /// `stay_awake`: how long cores are kept awake after a request that follows another one
    /// so soon; zero: not at all. `records`: how many samples are kept until they are taken.
    ///
    /// # Errors
    /// When the address cannot be had, or a function has a name that is a path of the
    /// gateway's own.
    pub fn open(
        services: Vec<Arc<dyn Service>>,
        listen: SocketAddr,
        limits: HttpLimits,
        stay_awake: Duration,
        records: usize,
    ) -> Result<Self, HostError> {
        check_names(&services)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let event_loops = EventLoops::start(cores.min(MOST_LOOPS))?;
        let runtime = event_loops.first();
        let listener = {
            let _inside = runtime.enter();
            bind(listen).map_err(|e| HostError::system(format!("listen on {listen}"), e))?
        };
        let address = listener.local_addr().map_err(|e| HostError::system("read the port", e))?;
        let awake = (!stay_awake.is_zero()).then(|| Awake::open(stay_awake)).transpose();
        let (awake, warnings) = awake.map_or_else(|w| (None, vec![w]), |awake| (awake, vec![]));
        let metrics = Metrics::new(&services);
        let route = |service: Arc<dyn Service>| {
            let meters = metrics.of_function(service.name());
            Route { service, meters }
        };
        let shared = Arc::new(Shared {
            routes: services.into_iter().map(route).collect(),
            checks_heads: (limits.headers.0 as usize) < LEAST_HEAD,
            limits,
            metrics,
            records: Records::new(records),
            awake,
            draining: AtomicBool::new(false),
            close: watch::channel(()).0,
        });
        let loops = event_loops.all().to_vec();
        loops.iter().for_each(|event_loop| drop(event_loop.threads.spawn(keep_a_timer())));
        runtime.spawn(connection::accept(Arc::clone(&shared), loops, listener));
        Ok(Self { shared, warnings, event_loops, address })
    }

    /// Where requests are taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it does without, and why.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The samples since the last time, and how many were not kept.
    pub fn take_records(&self) -> (Vec<Sample>, u64) {
        self.shared.records.take()
    }

    /// All requests to functions since the beginning, by cause.
    pub fn causes(&self) -> BTreeMap<String, u64> {
        self.shared.causes()
    }

    /// Refuses further requests (who connects meanwhile is told so), lets those that wait or
    /// run end `within` that time, stops the rest, and closes all connections. The services
    /// are drained or stopped afterwards.
    pub fn close(self, within: Duration) -> Closed {
        let Self { shared, event_loops, .. } = self;
        let stopped = event_loops.first().block_on(drain(&shared, within));
        drop(event_loops);
        let (samples, lost) = shared.records.take();
        Closed { samples, lost, causes: shared.causes(), stopped }
    }
}

/// Returns how many requests had to be stopped.
async fn drain(shared: &Shared, within: Duration) -> u64 {
    shared.draining.store(true, Ordering::SeqCst);
    // An error says that no connection is open.
    let _ = shared.close.send(());
    let mut drains = JoinSet::new();
    for route in &shared.routes {
        drains.spawn(Arc::clone(&route.service).drain());
    }
    let done = tokio::time::timeout(within, async {
        shared.close.closed().await;
        while drains.join_next().await.is_some() {}
    });
    if done.await.is_ok() {
        return 0;
    }
    let standings = shared.routes.iter().map(|route| route.service.standing());
    let stopped = standings.map(|s| u64::from(s.busy) + u64::from(s.queued)).sum();
    shared.routes.iter().for_each(|route| route.service.stop());
    // Who does not read its answer by then has lost it.
    let _ = tokio::time::timeout(LAST_ANSWERS, shared.close.closed()).await;
    stopped
}

/// Sees to it that a timer always runs. Each request starts one for the head of the next, and
/// one that is due before all others wakes the event loop, at the cost of several requests.
async fn keep_a_timer() {
    let mut timer = tokio::time::interval(Duration::from_millis(500));
    loop {
        timer.tick().await;
    }
}

fn check_names(services: &[Arc<dyn Service>]) -> Result<(), HostError> {
    for (index, service) in services.iter().enumerate() {
        let name = service.name();
        if route::OWN.contains(&name) {
            let message =
                format!("a function cannot be served as /{name}: it is the gateway's own");
            return Err(HostError::unsupported(message));
        }
        if services[..index].iter().any(|other| other.name() == name) {
            return Err(HostError::unsupported(format!("two functions are named {name}")));
        }
    }
    Ok(())
}

fn bind(listen: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match listen {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}
