//! Drives a pool from inside this process: a function under load without a network.
//!
//! | module | subject |
//! |---|---|
//! | `closed_loop` | a thread per client, which runs its own requests while an instance is idle, so that only the invocation lies between two of them |
//! | `open_loop` | one thread that passes each request to the pool at its intended time |
//! | `requests` | numbers and limits the requests |
//! | `output_hash` | hashes outputs |

mod closed_loop;
mod open_loop;
mod output_hash;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use lumos_load::arrivals::Arrivals;
use lumos_model::protocol::{Load, LoadResult, PoolRecords};
use lumos_model::row::Sample;
use lumos_os::clock::monotonic_ns;
use lumos_os::usage::{self, Usage};
use lumos_runtime::error::HostError;

use self::open_loop::OpenLoop;
use self::requests::RequestSource;
use crate::service::{Executor, PooledService, Provider, Service};
use crate::threads::Threads;

/// How long instances may take to end after the load.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends what `load` describes and waits for all answers.
///
/// # Errors
/// If the arrivals are invalid or the sender's timer cannot be set.
pub fn drive<P: Provider>(provider: P, load: &Load) -> Result<LoadResult, HostError> {
    let arrivals = Arrivals::new(&load.traffic, load.seed, load.duration.0);
    let arrivals = arrivals.map_err(HostError::engine)?;
    let threads = Threads::start(load.function.pool.max_instances)?;
    let executor = Executor::start(provider, &load.function, threads.handle());
    threads.block_on(executor.ready());
    let before = Usage::now();
    let requests = RequestSource::new(load);
    let begin_ns = monotonic_ns();
    let OpenLoop { samples, raised_priority } = match arrivals {
        Arrivals::Closed(clients) => {
            let end_ns = begin_ns + nanos(load.duration.0);
            let samples = closed_loop::run(&executor, &requests, &clients, end_ns);
            OpenLoop { samples, raised_priority: false }
        }
        Arrivals::Open(times) => open_loop::run(&executor, &requests, *times, begin_ns)?,
    };
    debug_assert!(samples.iter().all(|sample| sample.intended_ns >= begin_ns));
    let end_ns = samples.iter().map(|s| s.intended_ns + s.total_ns).max().unwrap_or(begin_ns);
    let records = end(&threads, &executor, samples, &before);
    Ok(LoadResult { records, begin_ns, end_ns, capped: requests.limit_reached(), raised_priority })
}

/// Drains the pool and collects its records.
fn end<P: Provider>(
    threads: &Threads,
    executor: &Arc<Executor<P>>,
    samples: Vec<Sample>,
    before: &Usage,
) -> PoolRecords {
    let mut host = Usage::now().since(before);
    host.extend(usage::memory());
    threads.block_on(async {
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, executor.clone().drain()).await;
    });
    let (events, lost) = executor.take_events();
    let instances = executor.take_counters();
    PoolRecords { samples, events, lost, instances, host, ..PoolRecords::default() }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 2)
}
