//! Samples of an instance in a process of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lumos_model::cell::Start;
use lumos_model::counters::Counters;
use lumos_model::phase::Phases;
use lumos_model::protocol::Prepare;
use lumos_model::row::{Outcome, Sample};
use lumos_model::wire::RequestKind;
use lumos_model::wire::frame::REPLY_HEAD;
use lumos_os::cgroup::{Base, Group};
use lumos_os::clock::monotonic_ns;
use lumos_os::page_cache::{self, Eviction};
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::exchange::Exchange;
use lumos_runtime::launcher::Launcher;
use lumos_runtime::sample::{self, Output, Reading};
use lumos_runtime::sandbox::Sandbox;
use lumos_runtime::sandbox_source::SandboxSource;

use super::interface::Sampler;

/// Holds the instance of a cell in a sandbox.
pub(crate) struct ProcessSampler {
    sandboxes: SandboxSource,
    artifact: PathBuf,
    timeout: Duration,
    launched: u32,
    sandbox: Option<Sandbox>,
    answer: Vec<u8>,
    /// Counters that were not taken yet.
    counters: Vec<Counters>,
    /// Counters of the running sandbox when they were last taken; `None`: it is new.
    counters_taken: Option<Counters>,
    /// The eviction of the artifact's pages before the current sample.
    eviction: Option<Eviction>,
}

impl ProcessSampler {
    /// Prepares to launch sandboxes, with their control groups in `groups`.
    pub fn new(
        launcher: &dyn Launcher,
        prepare: &Prepare,
        groups: Option<Arc<Base>>,
    ) -> Result<Self, HostError> {
        Ok(Self {
            sandboxes: SandboxSource::new(launcher, prepare, groups)?,
            artifact: prepare.artifact.clone(),
            timeout: prepare.limits.timeout.0,
            launched: 0,
            sandbox: None,
            answer: Vec::new(),
            counters: Vec::new(),
            counters_taken: None,
            eviction: None,
        })
    }

    /// Prepares the state in which a sample of the start kind begins, before its clock starts.
    /// For `cold:instance` and `cold:module` that is a process that has served such a request
    /// and has freed what it created for it.
    fn make_ready(
        &mut self,
        start: Start,
        request: &str,
        deadline_ns: u64,
    ) -> Result<(), InvokeError> {
        match start {
            Start::ColdProcess => {
                self.discard();
            }
            Start::ColdImage => {
                self.discard();
                let evicted = page_cache::evict(&self.artifact);
                let failed = |e| InvokeError::Failed(format!("the artifact's pages stay: {e}"));
                self.eviction = Some(evicted.map_err(failed)?);
            }
            Start::ColdInstance | Start::ColdModule if self.sandbox.is_none() => {
                self.serve(start, request, deadline_ns)?;
            }
            _ => {}
        }
        if self.sandbox.is_none() {
            self.sandboxes.warm_cgroup_lock();
        }
        Ok(())
    }

    /// Creates what `start` asks for and sends the request at once, as a platform does for a
    /// request that waits.
    fn serve(
        &mut self,
        start: Start,
        request: &str,
        deadline_ns: u64,
    ) -> Result<Exchange, InvokeError> {
        if self.sandbox.is_none() {
            let name = format!("instance-{}", self.launched);
            self.launched += 1;
            self.sandbox = Some(self.sandboxes.launch(&name)?);
        }
        let kind = match start {
            Start::ColdInstance => RequestKind::NewInstance,
            Start::ColdModule => RequestKind::NewModule,
            _ => RequestKind::Invoke,
        };
        let sandbox = self.sandbox.as_mut().expect("launched above");
        sandbox.exchange(kind, request.as_bytes(), deadline_ns, &mut self.answer)
    }

    /// The readings around an invocation, given those of the exchange if there was one.
    /// `launched_ns` is the start of the sandbox's launch if it is new.
    fn describe(&self, reading: &mut Reading, exchange: &Exchange, launched_ns: Option<u64>) {
        reading.answered_ns = exchange.answered_ns;
        reading.phases = exchange.phases(launched_ns);
        reading.linear_memory_bytes = exchange.reply.memory_bytes;
        if let (Some(sandbox), Some(_)) = (&self.sandbox, launched_ns) {
            reading.spans = Some(sandbox.spans(exchange.reply.entered_ns));
        }
    }

    /// Ends the instance after its counters were read. Returns how long the ending took.
    fn discard(&mut self) -> Option<u64> {
        let sandbox = self.sandbox.take()?;
        let taken = self.counters_taken.take();
        let counters = sandbox.group().map(Group::counters);
        self.counters.extend(counters.map(|counters| counters.since(taken.as_ref())));
        let begin_ns = monotonic_ns();
        drop(sandbox);
        Some(monotonic_ns() - begin_ns)
    }

    fn cpu_ns(&self) -> Option<u64> {
        self.sandbox.as_ref().and_then(Sandbox::cpu_ns)
    }

    fn memory_peak_bytes(&self) -> Option<u64> {
        self.sandbox.as_ref()?.group()?.memory_peak_bytes()
    }
}

impl Sampler for ProcessSampler {
    fn sample(&mut self, seq: u32, start: Start, request: &str, output: Output) -> Sample {
        let timeout_ns = self.timeout.as_nanos() as u64;
        let ready = self.make_ready(start, request, monotonic_ns() + timeout_ns);
        let fresh = self.sandbox.is_none();
        let cpu_before_ns = self.cpu_ns();
        let intended_ns = monotonic_ns();
        let result = ready.and_then(|()| self.serve(start, request, intended_ns + timeout_ns));
        let answered_ns = monotonic_ns();
        let cpu_after_ns = self.cpu_ns();
        let mut reading = Reading {
            intended_ns,
            answered_ns,
            phases: Phases::default(),
            spans: None,
            cpu_ns: cpu_spent(fresh, cpu_before_ns, cpu_after_ns),
            linear_memory_bytes: 0,
            memory_peak_bytes: self.memory_peak_bytes(),
        };
        if let Ok(exchange) = &result {
            self.describe(&mut reading, exchange, fresh.then_some(intended_ns));
        }
        let eviction = self.eviction.take();
        let kind = match start {
            _ if fresh => start_of_a_new_process(eviction.as_ref()),
            Start::ColdInstance | Start::ColdModule => start,
            _ => Start::Warm,
        };
        let answer = result.as_ref().map(|_| &self.answer[REPLY_HEAD..]);
        let mut sample = sample::sample(seq, kind, reading, answer, output);
        record_eviction(&mut sample, eviction);
        if result.is_err() || matches!(start, Start::ColdProcess | Start::ColdImage) {
            sample.teardown_ns = self.discard();
        }
        sample
    }

    fn take_counters(&mut self) -> Vec<Counters> {
        if let Some(now) = self.sandbox.as_ref().and_then(Sandbox::group).map(Group::counters) {
            self.counters.push(now.clone().since(self.counters_taken.as_ref()));
            self.counters_taken = Some(now);
        }
        std::mem::take(&mut self.counters)
    }

    fn last_answer(&self) -> &[u8] {
        self.answer.get(REPLY_HEAD..).unwrap_or_default()
    }
}

/// The start kind of a sample that launched its process.
fn start_of_a_new_process(eviction: Option<&Eviction>) -> Start {
    match eviction {
        Some(eviction) if eviction.resident_after == 0 => Start::ColdImage,
        _ => Start::ColdProcess,
    }
}

/// Records how many of the artifact's pages were evicted. If some stayed, the start is wrong.
fn record_eviction(sample: &mut Sample, eviction: Option<Eviction>) {
    let Some(eviction) = eviction else { return };
    sample.evicted_pages = Some(eviction.evicted());
    sample.resident_pages_after = Some(eviction.resident_after);
    if sample.outcome == Outcome::Ok && eviction.reason.is_some() {
        sample.outcome = Outcome::WrongStart;
        sample.error = eviction.reason;
    }
}

/// CPU time between two readings. A new process begins at zero.
fn cpu_spent(fresh: bool, before_ns: Option<u64>, after_ns: Option<u64>) -> Option<u64> {
    let before_ns = if fresh { 0 } else { before_ns? };
    after_ns?.checked_sub(before_ns)
}

#[cfg(test)]
mod tests {
    use lumos_model::wire::{GuestPhases, Status, envelope};

    use super::*;

    #[test]
    fn cpu_time_needs_both_readings_unless_the_process_is_new() {
        assert_eq!(cpu_spent(true, None, Some(5)), Some(5));
        assert_eq!(cpu_spent(false, Some(2), Some(5)), Some(3));
        assert_eq!(cpu_spent(false, None, Some(5)), None);
        assert_eq!(cpu_spent(true, None, None), None);
    }

    #[test]
    fn resident_pages_make_the_start_wrong() {
        let eviction = |resident_after, reason: Option<&str>| Eviction {
            resident_before: 9,
            resident_after,
            reason: reason.map(str::to_owned),
        };
        let sample = |kind| {
            let reading = Reading {
                intended_ns: 0,
                answered_ns: 1,
                phases: Phases::default(),
                spans: None,
                cpu_ns: None,
                linear_memory_bytes: 0,
                memory_peak_bytes: None,
            };
            let mut answer = Vec::new();
            envelope::seal(&mut answer, &GuestPhases::default(), Status::Ok);
            sample::sample(0, kind, reading, Ok(&answer), Output::Hashed)
        };
        let gone = eviction(0, None);
        let mut cold = sample(start_of_a_new_process(Some(&gone)));
        record_eviction(&mut cold, Some(gone));
        assert_eq!((cold.start_kind, cold.outcome), (Start::ColdImage, Outcome::Ok));
        assert_eq!((cold.evicted_pages, cold.resident_pages_after), (Some(9), Some(0)));

        let stayed = eviction(4, Some("they are mapped"));
        let mut warmer = sample(start_of_a_new_process(Some(&stayed)));
        record_eviction(&mut warmer, Some(stayed));
        assert_eq!((warmer.start_kind, warmer.outcome), (Start::ColdProcess, Outcome::WrongStart));
        assert_eq!((warmer.evicted_pages, warmer.resident_pages_after), (Some(5), Some(4)));
        assert_eq!(warmer.error.as_deref(), Some("they are mapped"));
    }
}
