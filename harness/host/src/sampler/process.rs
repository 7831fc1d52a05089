//! Instances in processes of their own.

use std::path::PathBuf;
use std::time::Duration;

use lumos_model::cell::Start;
use lumos_model::counters::Counters;
use lumos_model::phase::Phases;
use lumos_model::protocol::{Limits, Prepare};
use lumos_model::row::{Outcome, Sample};
use lumos_model::wire::RequestKind;
use lumos_model::wire::frame::REPLY_HEAD;
use lumos_os::cgroup::{Base, Group};
use lumos_os::clock::monotonic_ns;
use lumos_os::page_cache::{self, Eviction};
use lumos_os::spawn::ProcessCommand;
use lumos_runtime::engine::InstanceConfig;
use lumos_runtime::engine::Runtime;
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::launch;
use lumos_runtime::process::{Exchange, ProcessInstance};
use lumos_runtime::sample::{self, Reading};

use super::{Lane, Processes};

/// What the parent allows beyond the timeout that the instance itself keeps.
const GRACE: Duration = Duration::from_secs(1);

pub(crate) struct ProcessLane<'r> {
    command: ProcessCommand,
    artifact: PathBuf,
    limits: Limits,
    base: Option<&'r Base>,
    made: u32,
    instance: Option<ProcessInstance>,
    answer: Vec<u8>,
    counters: Vec<Counters>,
    /// Counters of the running instance when they were last taken; `None`: it is new.
    taken: Option<Counters>,
    /// What became of the artifact's pages before the sample at hand.
    eviction: Option<Eviction>,
}

impl<'r> ProcessLane<'r> {
    pub fn new<R: Runtime>(
        runtime: &R,
        prepare: &Prepare,
        Processes { host, base }: Processes<'r>,
    ) -> Result<Self, HostError> {
        let config = InstanceConfig::from(prepare);
        let own = runtime.process_command(&prepare.target, &prepare.artifact, &config);
        let command = match own {
            Some(command) => command,
            None => {
                let host = host
                    .map_or_else(std::env::current_exe, Ok)
                    .map_err(|e| HostError::system("find this executable", e))?;
                let timeout = prepare.limits.timeout.0 + 2 * GRACE;
                let artifact = prepare.artifact.clone();
                launch::command(host, &prepare.target, artifact, &config, timeout)
            }
        };
        if !prepare.artifact.is_file() {
            return Err(HostError::artifact(
                &prepare.artifact,
                "no such file; run scripts/build.sh",
            ));
        }
        Ok(Self {
            command,
            artifact: prepare.artifact.clone(),
            limits: prepare.limits.clone(),
            base,
            made: 0,
            instance: None,
            answer: Vec::new(),
            counters: Vec::new(),
            taken: None,
            eviction: None,
        })
    }

    /// Makes what `start` asks for and sends the request at once, as a platform does
    /// that has a request waiting.
    fn serve(
        &mut self,
        start: Start,
        request: &str,
        deadline_ns: u64,
    ) -> Result<Exchange, InvokeError> {
        if self.instance.is_none() {
            let name = format!("instance-{}", self.made);
            self.made += 1;
            let base = self.base.map(|base| (base, name.as_str()));
            let started = ProcessInstance::start(&self.command, base, &self.limits);
            self.instance = Some(started.map_err(|e| InvokeError::Failed(e.to_string()))?);
        }
        let kind = match start {
            Start::ColdInstance => RequestKind::NewInstance,
            Start::ColdModule => RequestKind::NewModule,
            _ => RequestKind::Invoke,
        };
        let instance = self.instance.as_mut().expect("made above");
        instance.exchange(kind, request.as_bytes(), deadline_ns, &mut self.answer)
    }

    /// What must stand before the clock starts: for the lower rungs, a process that has
    /// served such a request, and has freed what it made for it.
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
            Start::ColdInstance | Start::ColdModule if self.instance.is_none() => {
                self.serve(start, request, deadline_ns)?;
            }
            _ => {}
        }
        if let (None, Some(base)) = (&self.instance, self.base) {
            base.warm_cgroup_lock();
        }
        Ok(())
    }

    /// Ends the instance; its counters are read first. Returns how long the ending took.
    fn discard(&mut self) -> Option<u64> {
        let instance = self.instance.take()?;
        let taken = self.taken.take();
        let counters = instance.group().map(Group::counters);
        self.counters.extend(counters.map(|counters| counters.since(taken.as_ref())));
        let begin_ns = monotonic_ns();
        drop(instance);
        Some(monotonic_ns() - begin_ns)
    }

    fn memory_peak_bytes(&self) -> Option<u64> {
        self.instance.as_ref()?.group()?.memory_peak_bytes()
    }
}

impl Lane for ProcessLane<'_> {
    fn sample(&mut self, seq: u32, start: Start, request: &str, keep_output: bool) -> Sample {
        let allowed_ns = self.limits.timeout.0.as_nanos() as u64;
        let ready = self.make_ready(start, request, monotonic_ns() + allowed_ns);
        let fresh = self.instance.is_none();
        let cpu_before_ns = self.instance.as_ref().and_then(ProcessInstance::cpu_ns);
        let intended_ns = monotonic_ns();
        let result = ready.and_then(|()| self.serve(start, request, intended_ns + allowed_ns));
        let answered_ns = monotonic_ns();
        let cpu_after_ns = self.instance.as_ref().and_then(ProcessInstance::cpu_ns);
        let mut reading = Reading {
            intended_ns,
            answered_ns,
            phases: Phases::default(),
            spans: None,
            cpu_ns: cpu_spent(fresh, cpu_before_ns, cpu_after_ns),
            linear_memory_bytes: 0,
            memory_peak_bytes: self.memory_peak_bytes(),
        };
        if let (Ok(exchange), Some(instance)) = (&result, &self.instance) {
            reading.answered_ns = exchange.answered_ns;
            reading.phases = exchange.phases(fresh.then_some(intended_ns));
            reading.spans = fresh.then(|| instance.spans(exchange.reply.entered_ns));
            reading.linear_memory_bytes = exchange.reply.memory_bytes;
        }
        let eviction = self.eviction.take();
        let kind = match start {
            _ if fresh => rung_of_a_new_process(eviction.as_ref()),
            Start::ColdInstance | Start::ColdModule => start,
            _ => Start::Warm,
        };
        let failed = result.is_err();
        let answer = result.as_ref().map(|_| &self.answer[REPLY_HEAD..]);
        let mut sample = sample::sample(seq, kind, reading, answer, keep_output);
        tell_eviction(&mut sample, eviction);
        if failed || matches!(start, Start::ColdProcess | Start::ColdImage) {
            sample.teardown_ns = self.discard();
        }
        sample
    }

    fn take_counters(&mut self) -> Vec<Counters> {
        if let Some(now) = self.instance.as_ref().and_then(|i| i.group()).map(Group::counters) {
            self.counters.push(now.clone().since(self.taken.as_ref()));
            self.taken = Some(now);
        }
        std::mem::take(&mut self.counters)
    }

    fn last_answer(&self) -> &[u8] {
        self.answer.get(REPLY_HEAD..).unwrap_or_default()
    }
}

/// What was new for a sample that made its process.
fn rung_of_a_new_process(eviction: Option<&Eviction>) -> Start {
    match eviction {
        Some(eviction) if eviction.resident_after == 0 => Start::ColdImage,
        _ => Start::ColdProcess,
    }
}

/// Writes down what became of the artifact's pages, and why some stayed.
fn tell_eviction(sample: &mut Sample, eviction: Option<Eviction>) {
    let Some(eviction) = eviction else { return };
    sample.evicted_pages = Some(eviction.evicted());
    sample.resident_pages_after = Some(eviction.resident_after);
    if sample.outcome == Outcome::Ok && eviction.reason.is_some() {
        sample.outcome = Outcome::WrongStart;
        sample.error = eviction.reason;
    }
}

/// CPU time between two readings; a new process began at zero.
fn cpu_spent(fresh: bool, before_ns: Option<u64>, after_ns: Option<u64>) -> Option<u64> {
    let before_ns = if fresh { 0 } else { before_ns? };
    after_ns?.checked_sub(before_ns)
}

#[cfg(test)]
mod tests {
    use lumos_model::wire::{GuestPhases, Status, envelope};

    use super::*;

    #[test]
    fn cpu_time_is_that_of_a_process_that_was_seen() {
        assert_eq!(cpu_spent(true, None, Some(5)), Some(5));
        assert_eq!(cpu_spent(false, Some(2), Some(5)), Some(3));
        assert_eq!(cpu_spent(false, None, Some(5)), None);
        assert_eq!(cpu_spent(true, None, None), None);
    }

    #[test]
    fn pages_that_stayed_make_the_start_wrong() {
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
            sample::sample(0, kind, reading, Ok(&answer), false)
        };
        let gone = eviction(0, None);
        let mut cold = sample(rung_of_a_new_process(Some(&gone)));
        tell_eviction(&mut cold, Some(gone));
        assert_eq!((cold.start_kind, cold.outcome), (Start::ColdImage, Outcome::Ok));
        assert_eq!((cold.evicted_pages, cold.resident_pages_after), (Some(9), Some(0)));

        let stayed = eviction(4, Some("they are mapped"));
        let mut warmer = sample(rung_of_a_new_process(Some(&stayed)));
        tell_eviction(&mut warmer, Some(stayed));
        assert_eq!((warmer.start_kind, warmer.outcome), (Start::ColdProcess, Outcome::WrongStart));
        assert_eq!((warmer.evicted_pages, warmer.resident_pages_after), (Some(5), Some(4)));
        assert_eq!(warmer.error.as_deref(), Some("they are mapped"));
    }
}
