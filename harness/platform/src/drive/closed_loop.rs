//! Closed loop: each client sends its next request after the answer to the last one.

use lumos_load::arrivals::Clients;
use lumos_model::row::Sample;
use lumos_os::clock::{monotonic_ns, sleep};

use super::output_hash::OutputHasher;
use super::requests::RequestSource;
use crate::service::{Executor, Provider};

/// Runs one thread per client until `end_ns`. Returns the samples in order of completion.
pub(super) fn run<P: Provider>(
    executor: &Executor<P>,
    requests: &RequestSource,
    clients: &Clients,
    end_ns: u64,
) -> Vec<Sample> {
    let mut samples: Vec<Sample> = std::thread::scope(|scope| {
        let start =
            |number| scope.spawn(move || run_client(executor, requests, clients, number, end_ns));
        let threads: Vec<_> = (0..clients.concurrency()).map(start).collect();
        let samples = threads.into_iter().map(|thread| thread.join().expect("no client panics"));
        samples.flatten().collect()
    });
    samples.sort_by_key(|sample| sample.intended_ns + sample.total_ns);
    samples
}

fn run_client<P: Provider>(
    executor: &Executor<P>,
    requests: &RequestSource,
    clients: &Clients,
    number: u32,
    end_ns: u64,
) -> Vec<Sample> {
    let mut gaps = clients.gaps(number);
    let mut hasher = OutputHasher::default();
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
        let Some(request) = requests.next(now_ns) else { return samples };
        samples.push(hasher.complete(executor.serve(request)));
    }
}
