//! The load generator: sends HTTP/1.1 requests at their intended times, in one thread.
//!
//! In an open loop each request leaves at its time on a free connection; when there is none,
//! another is opened, up to [`LoadOptions::connections`], and beyond that the request waits
//! in the client. Its latency counts from the intended time, so that wait is in it. In a
//! closed loop each client sends its next request when it has the answer to its last; such
//! latencies say nothing of requests that would have come meanwhile.
//!
//! Each request has exactly one [`Outcome`]; none is repeated. Requests on their way at the
//! end are waited for.

mod chunked;
mod connection;
mod engine;
mod record;
mod report;
mod response;
mod source;
mod target;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lumos_model::arrival::{Arrival, Share, Traffic};
use lumos_os::priority::raise_priority;

use self::engine::Engine;

pub use self::record::{Outcome, Record};
pub use self::report::Report;
use self::report::Tally;

pub use self::response::{Malformed, Progress, ResponseReader};
use self::source::Source;
use self::target::RequestBytes;

pub use self::target::{SEQ_HEADER, Target, TargetError};
use crate::arrivals::{ArrivalError, Arrivals};
use crate::clock::now_ns;
use crate::trace::TraceError;

/// How a load is sent.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions<'a> {
    /// A request that has no complete response so long after its intended time has timed
    /// out; its connection is closed.
    pub timeout: Duration,
    /// Connections at one time in an open loop. A closed loop has one for each client.
    pub connections: u32,
    /// Send no further request after so many.
    pub requests: Option<u64>,
    /// Send each request's number in the header [`SEQ_HEADER`].
    pub numbered: bool,
    /// Hash the bodies of responses, after the clock has stopped.
    pub hash_bodies: bool,
    /// The share of requests whose client disconnects right after it has sent
    /// them.
    pub disconnect: Share,
    /// Whoever sets this ends the load; requests on their way are [`Outcome::Cancelled`].
    pub stop: Option<&'a AtomicBool>,
    /// Counts while it goes.
    pub live: Option<&'a Live>,
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            connections: 256,
            requests: None,
            numbered: false,
            hash_bodies: false,
            disconnect: Share::ZERO,
            stop: None,
            live: None,
        }
    }
}

/// How many requests have ended, for another thread to read while it goes.
#[derive(Debug, Default)]
pub struct Live {
    ended: AtomicU64,
    failed: AtomicU64,
}

impl Live {
    fn count(&self, failed: bool) {
        // One thread writes: a load and a store are enough.
        let add = |counter: &AtomicU64| {
            counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        };
        add(&self.ended);
        if failed {
            add(&self.failed);
        }
    }

    /// Requests that have ended, and how many of them failed.
    pub fn read(&self) -> (u64, u64) {
        (self.ended.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}

/// A load that could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There are no arrivals.
    #[error(transparent)]
    Arrivals(#[from] ArrivalError),
    /// The request cannot be written.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The first connection could not be made.
    #[error("cannot connect to {addr}: {error}; is the server running, and is the port right?")]
    Connect {
        /// The server.
        addr: SocketAddr,
        /// What the kernel says.
        error: io::Error,
    },
    /// The kernel refuses a poll or a timer.
    #[error("cannot wait for events: {0}")]
    Poll(io::Error),
}

impl From<TraceError> for LoadError {
    fn from(error: TraceError) -> Self {
        Self::Arrivals(error.into())
    }
}

/// Sends `traffic` to `target` for `duration` and waits for what is on its way; gives each
/// request to `on_record` when it has ended. The calling thread's timer slack becomes 1 ns,
/// and in an open loop its priority the highest that it may have.
///
/// # Errors
/// When there are no arrivals, or no connection can be made at the beginning.
pub fn run(
    target: &Target,
    traffic: &Traffic,
    seed: u64,
    duration: Duration,
    options: &LoadOptions<'_>,
    on_record: &mut dyn FnMut(&Record),
) -> Result<Report, LoadError> {
    let arrivals = Arrivals::new(traffic, seed, duration)?;
    let request = RequestBytes::new(target, options.numbered)?;
    let (connections, first) = match &arrivals {
        Arrivals::Open(_) => (options.connections.max(1) as usize, 1),
        Arrivals::Closed(clients) => {
            let concurrency = clients.concurrency() as usize;
            (concurrency, concurrency)
        }
    };
    // In a closed loop there are no times to keep, and the server's turn is as good as ours.
    let raised_priority = matches!(arrivals, Arrivals::Open(_)) && raise_priority();
    let tally = Tally::new(on_record);
    let mut engine = Engine::new(target, request, options, seed, connections, tally)?;
    engine.connect_first(first)?;

    let begin_ns = now_ns() + LEAD.as_nanos() as u64;
    let duration_ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let planned_end_ns = begin_ns.saturating_add(duration_ns);
    let source = Source::new(arrivals, begin_ns, planned_end_ns, options.requests)?;
    let (tally, ended) = engine.run(source)?;

    // Generated arrivals cover the whole duration, a trace may be over before.
    let is_trace = matches!(traffic.arrival, Arrival::Trace { .. });
    let cut = is_trace || ended.capped || ended.stopped;
    let end_ns = if cut { begin_ns } else { planned_end_ns };
    let report = tally.report(begin_ns, end_ns, ended.capped, ended.stopped);
    Ok(Report { raised_priority, ..report })
}

/// From when all is ready until times count: what the first request needs to be on time.
const LEAD: Duration = Duration::from_millis(1);
