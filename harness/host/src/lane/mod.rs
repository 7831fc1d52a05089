//! A lane measures one cell: it provisions what the start kind asks for, invokes, and
//! reads the clocks.

mod process;
mod thread;

use std::thread::sleep;
use std::time::{Duration, Instant};

use lumos_model::cell::{Isolation, Start};
use lumos_model::protocol::{BlockResult, Prepare};
use lumos_model::row::{Outcome, Sample};

use crate::cgroup::{Base, Counters};
use crate::error::HostError;
use crate::measure;
use crate::runtime::Runtime;
pub(crate) use process::ProcessLane;
pub(crate) use thread::ThreadLane;

/// One way of holding instances.
pub(crate) trait Lane {
    /// Takes one sample of the start kind; `keep_output` returns the output with it.
    fn sample(&mut self, seq: u32, start: Start, keep_output: bool) -> Sample;

    /// Counters of the instances since the last call.
    fn take_counters(&mut self) -> Vec<Counters>;
}

/// A cell made ready to be measured.
pub struct Prepared<'r> {
    lane: Box<dyn Lane + 'r>,
    prepare: Prepare,
    served: u32,
}

impl<'r> Prepared<'r> {
    /// Makes ready for `prepare`; a warm instance is started and warmed up, and the
    /// samples of that are returned.
    ///
    /// # Errors
    /// When the artifact cannot be loaded or no instance can be made.
    pub fn new<R: Runtime>(
        runtime: &'r R,
        prepare: Prepare,
        base: Option<&'r Base>,
    ) -> Result<(Self, Vec<Sample>), HostError> {
        let lane: Box<dyn Lane + 'r> = match prepare.isolation {
            Isolation::Thread => Box::new(ThreadLane::new(runtime, &prepare)?),
            Isolation::Process => Box::new(ProcessLane::new(runtime, &prepare, base)?),
        };
        let mut prepared = Self { lane, prepare, served: 0 };
        let warmup = match prepared.prepare.start {
            Start::Warm => prepared.warm_up(),
            _ => Vec::new(),
        };
        Ok((prepared, warmup))
    }

    /// Takes up to `samples` samples, fewer when `budget` runs out, but at least one.
    pub fn block(
        &mut self,
        samples: u32,
        keep_output: bool,
        budget: Option<Duration>,
    ) -> BlockResult {
        let begin = Instant::now();
        let start = self.prepare.start;
        let timeout = self.prepare.limits.timeout.0;
        let mut taken = Vec::with_capacity(samples as usize);
        self.lane.take_counters();
        for seq in 0..samples {
            if seq > 0 && budget.is_some_and(|budget| begin.elapsed() >= budget) {
                break;
            }
            if start.is_cold() {
                sleep(self.prepare.gap.0);
            } else if self.served == 0 {
                // The last invocation ended its instance.
                self.warm_up();
            }
            let mut sample = self.lane.sample(seq, start, keep_output);
            measure::reclassify_io_timeout(&mut sample, timeout);
            self.served = if sample.outcome == Outcome::Ok { self.served + 1 } else { 0 };
            if sample.start_kind != start && sample.outcome == Outcome::Ok {
                sample.outcome = Outcome::WrongStart;
            }
            taken.push(sample);
        }
        let instances = self.lane.take_counters();
        BlockResult { samples: taken, instances, host: crate::telemetry::host_counters() }
    }

    fn warm_up(&mut self) -> Vec<Sample> {
        let mut samples = Vec::new();
        // A warm instance has served at least once, whatever the scenario says.
        for seq in 0..self.prepare.warmup.max(1) {
            let sample = self.lane.sample(seq, Start::Warm, false);
            let ended = sample.outcome != Outcome::Ok;
            samples.push(sample);
            self.served += 1;
            if ended {
                break;
            }
        }
        samples
    }
}

/// What the scenario's limits and environment mean for an instance.
fn instance_config(prepare: &Prepare) -> crate::runtime::InstanceConfig {
    crate::runtime::InstanceConfig {
        env: prepare.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        memory_bytes: prepare.limits.memory.map(|memory| memory.0),
    }
}
