//! One load, from its description to its report.

use std::time::Duration;

use lumos_model::arrival::{Arrival, Traffic};
use lumos_os::clock::monotonic_ns;
use lumos_os::priority::raise_priority;

use super::engine::Engine;
use super::error::LoadError;
use super::options::LoadOptions;
use super::record::Record;
use super::report::Report;
use super::request::RequestBytes;
use super::schedule::Schedule;
use super::tally::Tally;
use super::target::Target;
use crate::arrivals::Arrivals;
use crate::time::whole_ns;

/// The time from readiness to the first possible arrival: enough to send the first request on
/// time.
const LEAD: Duration = Duration::from_millis(1);

/// Sends `traffic` to `target` for `duration` and waits for the requests in flight. Passes each
/// request to `on_record` when it has ended. Sets the calling thread's timer slack to 1 ns and,
/// in an open loop, raises its priority if it may.
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
    // A closed loop has no times to keep, so the server need not wait for the sender.
    let raised_priority = matches!(arrivals, Arrivals::Open(_)) && raise_priority();
    let tally = Tally::new(on_record);
    let mut engine = Engine::new(target, request, options, seed, connections, tally)?;
    engine.connect_first(first)?;

    let begin_ns = monotonic_ns() + whole_ns(LEAD);
    let planned_end_ns = begin_ns.saturating_add(whole_ns(duration));
    let schedule = Schedule::new(arrivals, begin_ns, planned_end_ns, options.requests)?;
    let (tally, ended) = engine.run(schedule)?;

    // Generated arrivals cover the whole duration; a trace may end earlier.
    let is_trace = matches!(traffic.arrival, Arrival::Trace { .. });
    let ends_early = is_trace || ended.capped || ended.stopped;
    let end_ns = if ends_early { begin_ns } else { planned_end_ns };
    Ok(Report { raised_priority, ..tally.report(begin_ns, end_ns, ended) })
}
