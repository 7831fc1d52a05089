//! Drives a pool from inside this process: the function under load, without a network.
//!
//! Closed loop: a thread a client, which serves its own requests as long as an instance is
//! idle, so that nothing but the invocation lies between two of them. Open loop: one thread
//! keeps the intended times and hands each request to the pool at that moment, whatever
//! became of those before.

mod digest;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use digest::Digest;
use lumos_load::arrivals::{Arrivals, Clients, Times};
use lumos_load::pacer::{Pacer, run_first};
use lumos_model::protocol::{Load, LoadResult, PoolRecords};
use lumos_model::row::Sample;
use lumos_os::clock::{monotonic_ns, sleep};
use lumos_os::usage;
use lumos_runtime::error::HostError;

use crate::service::{Answer, Executor, PooledService, Provider, Request, Service};
use crate::threads::Threads;

/// How long instances may take to end when the load is over.
const FAREWELL: Duration = Duration::from_secs(30);

/// Sends what `load` describes and waits for all that was sent.
///
/// # Errors
/// When the arrivals make no sense or the sender's timer cannot be set.
pub fn drive<P: Provider>(provider: P, load: &Load) -> Result<LoadResult, HostError> {
    let arrivals = Arrivals::new(&load.traffic, load.seed, load.duration.0);
    let arrivals = arrivals.map_err(HostError::engine)?;
    let threads = Threads::start(load.function.pool.max_instances)?;
    let executor = Executor::start(provider, &load.function, threads.handle());
    threads.block_on(executor.ready());
    let before = usage::Usage::now();
    let sending = Sending {
        executor: &executor,
        body: Bytes::from(load.function.prepare.request.clone()),
        requests: load.requests,
        sent: AtomicU32::new(0),
        capped: AtomicBool::new(false),
        runs_first: AtomicBool::new(false),
    };
    let begin_ns = monotonic_ns();
    let samples = match arrivals {
        Arrivals::Closed(clients) => {
            sending.closed(&clients, begin_ns, begin_ns + nanos(load.duration.0))
        }
        Arrivals::Open(times) => sending.open(*times, begin_ns)?,
    };
    let capped = sending.capped.load(Relaxed);
    let end_ns = samples.iter().map(|s| s.intended_ns + s.total_ns).max().unwrap_or(begin_ns);
    let mut host = usage::Usage::now().since(&before);
    host.extend(usage::memory());
    threads.block_on(async {
        let _ = tokio::time::timeout(FAREWELL, executor.clone().drain()).await;
    });
    let (events, lost) = executor.take_events();
    let records = PoolRecords {
        samples,
        events,
        lost,
        instances: executor.take_counters(),
        host,
        ..PoolRecords::default()
    };
    let runs_first = sending.runs_first.load(Relaxed);
    Ok(LoadResult { records, begin_ns, end_ns, capped, runs_first })
}

/// What all clients of a load share.
struct Sending<'e, P: Provider> {
    executor: &'e Arc<Executor<P>>,
    body: Bytes,
    requests: u32,
    sent: AtomicU32,
    capped: AtomicBool,
    runs_first: AtomicBool,
}

impl<P: Provider> Sending<'_, P> {
    /// The number of the next request; `None`: there may be no more.
    fn next(&self) -> Option<u32> {
        let number = self.sent.fetch_add(1, Relaxed);
        if number < self.requests {
            return Some(number);
        }
        self.capped.store(true, Relaxed);
        None
    }

    fn request(&self, seq: u32, intended_ns: u64) -> Request {
        Request { body: self.body.clone(), intended_ns, seq }
    }

    fn closed(&self, clients: &Clients, begin_ns: u64, end_ns: u64) -> Vec<Sample> {
        let mut samples: Vec<Sample> = std::thread::scope(|scope| {
            let client = |number| scope.spawn(move || self.client(clients, number, end_ns));
            let clients: Vec<_> = (0..clients.concurrency()).map(client).collect();
            let samples =
                clients.into_iter().map(|client| client.join().expect("no client panics"));
            samples.flatten().collect()
        });
        debug_assert!(samples.iter().all(|sample| sample.intended_ns >= begin_ns));
        samples.sort_by_key(|sample| sample.intended_ns + sample.total_ns);
        samples
    }

    fn client(&self, clients: &Clients, number: u32, end_ns: u64) -> Vec<Sample> {
        let mut gaps = clients.gaps(number);
        let mut digest = Digest::default();
        let mut samples = Vec::new();
        loop {
            let gap = gaps.next_gap();
            if !gap.is_zero() {
                sleep(gap);
            }
            let now_ns = monotonic_ns();
            if now_ns >= end_ns {
                return samples;
            }
            let Some(seq) = self.next() else { return samples };
            let answer = self.executor.serve(self.request(seq, now_ns));
            samples.push(digest.complete(answer));
        }
    }

    fn open(&self, times: Times, begin_ns: u64) -> Result<Vec<Sample>, HostError> {
        let (sender, receiver) = channel();
        std::thread::scope(|scope| {
            let collector = scope.spawn(move || {
                let mut digest = Digest::default();
                receiver.into_iter().map(|answer| digest.complete(answer)).collect()
            });
            // A thread of its own: it alone goes before others. The last answer drops the last
            // sender.
            let pacer = scope.spawn(move || self.send(times, begin_ns, &sender));
            let sent = pacer.join().expect("the pacer does not panic");
            let samples = collector.join().expect("the collector does not panic");
            sent.map(|()| samples)
        })
    }

    fn send(&self, times: Times, begin_ns: u64, answers: &Sender<Answer>) -> Result<(), HostError> {
        self.runs_first.store(run_first(), Relaxed);
        let mut pacer = Pacer::new().map_err(|e| HostError::system("set the timer slack", e))?;
        for offset_ns in times {
            let intended_ns = begin_ns + offset_ns.map_err(HostError::engine)?;
            let Some(seq) = self.next() else { return Ok(()) };
            let sent_ns = pacer.wait_until(intended_ns);
            let answers = answers.clone();
            self.executor.dispatch(self.request(seq, intended_ns), move |mut answer| {
                answer.sample.late_ns = Some(sent_ns - intended_ns);
                // It is received until the last sender is gone.
                let _ = answers.send(answer);
            });
        }
        Ok(())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 2)
}
