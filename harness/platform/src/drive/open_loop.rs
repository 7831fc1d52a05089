//! Open loop: requests are sent at their intended times, whether or not earlier ones were
//! answered.

use std::sync::mpsc::{Sender, channel};

use lumos_load::arrivals::Times;
use lumos_load::pacer::Pacer;
use lumos_model::row::Sample;
use lumos_os::priority::raise_priority;
use lumos_runtime::error::HostError;

use super::output_hash::OutputHasher;
use super::requests::RequestSource;
use crate::service::{Answer, Executor, Provider};

/// What an open loop has measured.
pub(super) struct OpenLoop {
    pub(super) samples: Vec<Sample>,
    /// Whether the pacer ran at a raised priority.
    pub(super) raised_priority: bool,
}

/// Runs one thread that sends, and one that collects the answers.
///
/// # Errors
/// If the trace cannot be read or the pacer's timer cannot be set.
pub(super) fn run<P: Provider>(
    executor: &Executor<P>,
    requests: &RequestSource,
    times: Times,
    begin_ns: u64,
) -> Result<OpenLoop, HostError> {
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        let collector = scope.spawn(move || {
            let mut hasher = OutputHasher::default();
            receiver.into_iter().map(|answer| hasher.complete(answer)).collect()
        });
        // A thread of its own, because only the pacer gets a raised priority. The last answer
        // drops the last sender, which ends the collector.
        let pacer = scope.spawn(move || {
            let raised_priority = raise_priority();
            send(executor, requests, times, begin_ns, &sender).map(|()| raised_priority)
        });
        let raised_priority = pacer.join().expect("the pacer does not panic");
        let samples = collector.join().expect("the collector does not panic");
        Ok(OpenLoop { samples, raised_priority: raised_priority? })
    })
}

fn send<P: Provider>(
    executor: &Executor<P>,
    requests: &RequestSource,
    times: Times,
    begin_ns: u64,
    answers: &Sender<Answer>,
) -> Result<(), HostError> {
    let mut pacer = Pacer::new().map_err(|e| HostError::system("set the timer slack", e))?;
    for offset_ns in times {
        let intended_ns = begin_ns + offset_ns.map_err(HostError::engine)?;
        let Some(request) = requests.next(intended_ns) else { return Ok(()) };
        let sent_ns = pacer.wait_until(intended_ns);
        let answers = answers.clone();
        executor.dispatch(request, move |mut answer| {
            answer.sample.late_ns = Some(sent_ns - intended_ns);
            // The collector receives until the last sender is dropped.
            let _ = answers.send(answer);
        });
    }
    Ok(())
}
