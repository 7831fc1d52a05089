//! A lane measures one cell: it provisions what the start kind asks for, invokes, and
//! reads the clocks.

mod process;
mod thread;

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lumos_model::cell::{Isolation, Start, Target};
use lumos_model::protocol::{BlockResult, ModeProof, Prepare};
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
    fn sample(&mut self, seq: u32, start: Start, request: &str, keep_output: bool) -> Sample;

    /// Counters of the instances since the last call.
    fn take_counters(&mut self) -> Vec<Counters>;

    /// Proves the mode of the module that it holds; `None`: it holds no such module.
    fn prove_mode(&self, target: &Target, artifact: &Path) -> Option<Result<ModeProof, HostError>> {
        let _ = (target, artifact);
        None
    }
}

/// Where instances that are processes come from and where they go.
#[derive(Clone, Default)]
pub struct Processes<'r> {
    /// The host that is started again as `instance`; `None`: this executable.
    pub host: Option<PathBuf>,
    /// Folder of their cgroups; `None`: they get none.
    pub base: Option<&'r Base>,
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
        processes: Processes<'r>,
    ) -> Result<(Self, Vec<Sample>), HostError> {
        let lane: Box<dyn Lane + 'r> = match prepare.isolation {
            Isolation::Thread => Box::new(ThreadLane::new(runtime, &prepare)?),
            Isolation::Process => Box::new(ProcessLane::new(runtime, &prepare, processes)?),
        };
        let mut prepared = Self { lane, prepare, served: 0 };
        let warmup = match prepared.prepare.start {
            Start::Warm => prepared.warm_up(),
            _ => Vec::new(),
        };
        Ok((prepared, warmup))
    }

    /// Proves the mode of the very module that is made ready; `None`: there is none of
    /// that artifact in this process.
    pub fn prove_mode(
        &self,
        target: &Target,
        artifact: &Path,
    ) -> Option<Result<ModeProof, HostError>> {
        self.lane.prove_mode(target, artifact)
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
            let mut sample = self.lane.sample(seq, start, &self.prepare.request, keep_output);
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

    /// Serves a request of the caller's own with the instance at hand, or a new one where
    /// there is none; outside of any block, and without a warm-up.
    #[cfg(feature = "conformance")]
    pub(crate) fn ask(&mut self, request: &str) -> Sample {
        let mut sample = self.lane.sample(0, Start::Warm, request, true);
        measure::reclassify_io_timeout(&mut sample, self.prepare.limits.timeout.0);
        sample
    }

    fn warm_up(&mut self) -> Vec<Sample> {
        let mut samples = Vec::new();
        // A warm instance has served at least once, whatever the scenario says.
        for seq in 0..self.prepare.warmup.max(1) {
            let sample = self.lane.sample(seq, Start::Warm, &self.prepare.request, false);
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
        folder: prepare.folder.clone(),
    }
}
