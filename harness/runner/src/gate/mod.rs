//! The gate: before anything is measured, all targets must show that they do the same work, in
//! the mode that their names say.
//!
//! | module | content |
//! |---|---|
//! | `job` | the work of the gate, by host |
//! | `examine` | one host: its mode is proven, and it is invoked with each input |
//! | `judge` | what may be measured, from what the hosts showed; pure |
//! | `admission` | [`Admission`]: the result |

mod admission;
mod examine;
mod job;
mod judge;

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::thread;

use lumos_model::cell::Cell;

pub(crate) use self::admission::Admission;
use self::examine::{Examined, Examiner};
use self::job::{Job, jobs};
use crate::interrupt;
use crate::observer::Observer;
use crate::session::Session;
use crate::sync::lock;

/// Hosts that are examined at a time. Nothing is timed here but the canary loops of the proofs,
/// which are repeated when other work disturbs them.
const WORKERS: usize = 2;

/// Invokes every combination of function, size, storage and target in `cells` once, and demands
/// a proof of its mode from every artifact.
///
/// The limits of the scenario do not apply: they are a part of the experiment, not of the work.
/// A function that exceeds them is measured, as a failure.
///
/// # Errors
/// When the user interrupts.
pub(crate) fn run(
    session: &Session,
    cells: &[Cell],
    observer: &dyn Observer,
) -> anyhow::Result<Admission> {
    let jobs = Mutex::new(jobs(cells).into_iter());
    let examiner = Examiner::new(session);
    let work = || -> Vec<Examined> {
        let next = || if interrupt::is_interrupted() { None } else { lock(&jobs).next() };
        let examine = |job: Job| {
            observer.note(&format!("{} {}", job.function, job.target));
            examiner.examine(job)
        };
        std::iter::from_fn(next).map(examine).collect()
    };
    let examined = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| worker.join());
        results.flat_map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    interrupt::check()?;
    Ok(judge::judge(cells, examined))
}
