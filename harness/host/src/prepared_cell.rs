//! A cell that is ready to be measured, block by block.

use std::path::Path;
use std::time::Duration;

use lumos_model::cell::{Start, Target};
use lumos_model::protocol::{BlockResult, ModeProof, Prepare};
use lumos_model::row::{Outcome, Sample};
use lumos_model::wire::{Status, envelope};
use lumos_os::clock::{monotonic_ns, sleep};
use lumos_os::usage::{self, Usage};
use lumos_runtime::error::HostError;
use lumos_runtime::sample::{self, Output};

use crate::sampler::Sampler;

/// A cell that is ready to be measured. A warm cell has an instance that was warmed up.
pub struct PreparedCell {
    sampler: Box<dyn Sampler>,
    prepare: Prepare,
    /// Successful invocations of the current instance.
    served: u32,
}

impl PreparedCell {
    /// Prepares a cell. A warm instance is created and warmed up, and the samples of its
    /// warm-up are returned.
    pub fn new(sampler: Box<dyn Sampler>, prepare: Prepare) -> (Self, Vec<Sample>) {
        let mut cell = Self { sampler, prepare, served: 0 };
        let warmup = match cell.prepare.start {
            Start::Warm => cell.warm_up(),
            _ => Vec::new(),
        };
        (cell, warmup)
    }

    /// Proves the mode of the very module that is measured; `None` if `artifact` is not loaded
    /// in this process for `target`.
    pub fn prove_mode(
        &self,
        target: &Target,
        artifact: &Path,
    ) -> Option<Result<ModeProof, HostError>> {
        self.sampler.prove_mode(target, artifact)
    }

    /// Takes up to `samples` samples. It takes fewer when the `budget` runs out, but at least
    /// one.
    pub fn block(&mut self, samples: u32, output: Output, budget: Option<Duration>) -> BlockResult {
        let begin_ns = monotonic_ns();
        let mut taken = Vec::with_capacity(samples as usize);
        self.sampler.take_counters();
        let before = Usage::now();
        for seq in 0..samples {
            let spent = Duration::from_nanos(monotonic_ns() - begin_ns);
            if seq > 0 && budget.is_some_and(|budget| spent >= budget) {
                break;
            }
            taken.push(self.sample(seq, output));
        }
        let mut host = Usage::now().since(&before);
        let instances = self.sampler.take_counters();
        host.extend(usage::memory());
        self.sampler.attribute_memory(&mut host);
        BlockResult { samples: taken, instances, host }
    }

    /// Takes one sample of a block: after the gap of a cold start, or with a warm instance.
    fn sample(&mut self, seq: u32, output: Output) -> Sample {
        let start = self.prepare.start;
        let gap_ns = start.is_cold().then(|| idle(self.prepare.gap.0));
        if !start.is_cold() && self.served == 0 {
            // The previous invocation ended its instance.
            self.warm_up();
        }
        let mut sample = self.sampler.sample(seq, start, &self.prepare.request, output);
        sample.gap_ns = gap_ns;
        sample::reclassify_io_timeout(&mut sample, self.prepare.limits.timeout.0);
        self.served = if sample.outcome == Outcome::Ok { self.served + 1 } else { 0 };
        sample::reclassify_wrong_start(&mut sample, start);
        sample
    }

    /// Serves a request of the caller's own, outside of any block and without a warm-up. It
    /// uses the current instance, or creates one.
    pub fn ask(&mut self, request: &str) -> Sample {
        let mut sample = self.sampler.sample(0, Start::Warm, request, Output::Kept);
        sample::reclassify_io_timeout(&mut sample, self.prepare.limits.timeout.0);
        sample
    }

    /// The status that the function gave its last answer.
    pub fn last_status(&self) -> Option<Status> {
        envelope::open(self.sampler.last_answer()).ok().map(|envelope| envelope.status)
    }

    fn warm_up(&mut self) -> Vec<Sample> {
        let mut samples = Vec::new();
        // A warm instance has served at least once, whatever the scenario says.
        for seq in 0..self.prepare.warmup.max(1) {
            let request = &self.prepare.request;
            let sample = self.sampler.sample(seq, Start::Warm, request, Output::Hashed);
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

/// Sleeps for `gap`. Returns how long that took, in nanoseconds.
fn idle(gap: Duration) -> u64 {
    let begin_ns = monotonic_ns();
    sleep(gap);
    monotonic_ns() - begin_ns
}
