//! A lane measures one cell: it provisions what the start kind asks for, invokes, and
//! reads the clocks.

pub(crate) mod process;
mod thread;

use std::path::{Path, PathBuf};
use std::time::Duration;

use lumos_model::cell::{Isolation, Start, Target};
use lumos_model::counters::Counters;
use lumos_model::protocol::{BlockResult, ModeProof, Prepare};
use lumos_model::row::{Outcome, Sample};
use lumos_os::cgroup::Base;
use lumos_os::clock::{monotonic_ns, sleep};
use lumos_os::usage;
use lumos_runtime::engine::Runtime;
use lumos_runtime::error::HostError;
use lumos_runtime::sample;

pub(crate) use process::ProcessLane;
pub(crate) use thread::ThreadLane;

/// One way of holding instances.
pub(crate) trait Lane {
    /// Takes one sample of the start kind; `keep_output` returns the output with it.
    fn sample(&mut self, seq: u32, start: Start, request: &str, keep_output: bool) -> Sample;

    /// Counters of the instances since the last call.
    fn take_counters(&mut self) -> Vec<Counters>;

    /// Adds what the memory of this process, in `host`, tells of the instance in it.
    fn attribute_memory(&self, host: &mut Counters) {
        let _ = host;
    }

    /// What the last invocation answered, trailer and status included; nothing that means
    /// anything when it brought no answer.
    fn last_answer(&self) -> &[u8];

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
        let begin_ns = monotonic_ns();
        let start = self.prepare.start;
        let mut taken = Vec::with_capacity(samples as usize);
        self.lane.take_counters();
        let before = usage::Usage::now();
        for seq in 0..samples {
            let spent = Duration::from_nanos(monotonic_ns() - begin_ns);
            if seq > 0 && budget.is_some_and(|budget| spent >= budget) {
                break;
            }
            let gap_ns = start.is_cold().then(|| idle(self.prepare.gap.0));
            if !start.is_cold() && self.served == 0 {
                // The last invocation ended its instance.
                self.warm_up();
            }
            let mut sample = self.lane.sample(seq, start, &self.prepare.request, keep_output);
            sample.gap_ns = gap_ns;
            sample::reclassify_io_timeout(&mut sample, self.prepare.limits.timeout.0);
            self.served = if sample.outcome == Outcome::Ok { self.served + 1 } else { 0 };
            sample::reclassify_wrong_start(&mut sample, start);
            taken.push(sample);
        }
        let mut host = usage::Usage::now().since(&before);
        let instances = self.lane.take_counters();
        host.extend(usage::memory());
        self.lane.attribute_memory(&mut host);
        BlockResult { samples: taken, instances, host }
    }

    /// Serves a request of the caller's own with the instance at hand, or a new one where
    /// there is none; outside of any block, and without a warm-up.
    pub fn ask(&mut self, request: &str) -> Sample {
        let mut sample = self.lane.sample(0, Start::Warm, request, true);
        sample::reclassify_io_timeout(&mut sample, self.prepare.limits.timeout.0);
        sample
    }

    /// How the function itself judged what was last asked.
    pub fn last_status(&self) -> Option<lumos_model::wire::Status> {
        let envelope = lumos_model::wire::envelope::open(self.lane.last_answer());
        envelope.ok().map(|envelope| envelope.status)
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

/// Does nothing for `gap`; returns how long that was, in nanoseconds.
fn idle(gap: Duration) -> u64 {
    let begin_ns = monotonic_ns();
    sleep(gap);
    monotonic_ns() - begin_ns
}
