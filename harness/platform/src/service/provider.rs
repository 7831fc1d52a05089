//! The interface between a pool and the two kinds of isolation.

use lumos_model::cell::{Isolation, Start};
use lumos_model::counters::Counters;
use lumos_model::phase::{Phase, Phases};
use lumos_model::row::ProvisionSpans;
use lumos_runtime::error::InvokeError;
use nix::unistd::Pid;

/// Creates the instances of one function.
pub trait Provider: Send + Sync + 'static {
    /// An instance that is ready to serve.
    type Instance: PoolInstance;

    /// Where its instances live.
    const ISOLATION: Isolation;

    /// Creates instance `number` and waits until it is ready. A process dies with the thread
    /// that started it, so this must be called on a thread that stays.
    ///
    /// # Errors
    /// When the instance cannot be created.
    fn provision(&self, number: u32) -> Result<(Self::Instance, Provisioning), InvokeError>;
}

/// An instance of a pool. It serves one invocation at a time.
pub trait PoolInstance: Send + 'static {
    /// Where the envelope begins in the buffer of an answer.
    const ENVELOPE_AT: usize;

    /// Serves `request` until `deadline_ns` and leaves the envelope in `answer`.
    fn invoke(
        &mut self,
        request: &[u8],
        deadline_ns: u64,
        clocks: CpuClocks,
        answer: &mut Vec<u8>,
    ) -> Invocation;

    /// Its process, if it has one of its own.
    fn pid(&self) -> Option<Pid>;

    /// Counters of its control group, if it has one. Reading them takes tens of microseconds.
    fn counters(&self) -> Option<Counters>;
}

/// Whether an invocation reads CPU clocks, which takes about 0.6 us each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuClocks {
    /// Before and after the invocation.
    Read,
    /// Not at all.
    Skipped,
}

/// The readings around one invocation.
#[derive(Debug)]
pub struct Invocation {
    /// When it began, nanoseconds of `CLOCK_MONOTONIC`.
    pub began_ns: u64,
    /// When it ended.
    pub ended_ns: u64,
    /// Host phases.
    pub phases: Phases,
    /// CPU time of the instance.
    pub cpu_ns: Option<u64>,
    /// Linear memory afterwards; zero if there is none.
    pub linear_memory_bytes: u64,
    /// Whether there is an envelope. After an error the instance is dead.
    pub result: Result<(), InvokeError>,
}

/// The readings around the creation of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Provisioning {
    /// When it began, nanoseconds of `CLOCK_MONOTONIC`.
    pub began_ns: u64,
    /// `provision`, `load`, `compile` and `instantiate`.
    pub phases: Phases,
    /// Parts of `provision`.
    pub spans: Option<ProvisionSpans>,
    /// CPU time.
    pub cpu_ns: Option<u64>,
}

impl Provisioning {
    /// The part of it that a request waited for which arrived at `arrived_ns`. The phases
    /// follow one another, so time before the arrival is taken from the front.
    pub fn since(&self, arrived_ns: u64) -> Phases {
        let mut missed_ns = arrived_ns.saturating_sub(self.began_ns);
        let mut seen = Phases::default();
        for phase in [Phase::Provision, Phase::Load, Phase::Compile, Phase::Instantiate] {
            let all_ns = self.phases.get(phase);
            let left_ns = all_ns.saturating_sub(missed_ns);
            missed_ns -= all_ns - left_ns;
            seen.add(phase, left_ns);
        }
        seen
    }
}

/// The start kind of a request that waited for an instance to be created.
pub const fn cold_start(isolation: Isolation) -> Start {
    match isolation {
        Isolation::Thread => Start::ColdInstance,
        Isolation::Process => Start::ColdProcess,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_arrives_late_sees_the_rest_of_the_provisioning() {
        let mut phases = Phases::default();
        phases.add(Phase::Provision, 50);
        phases.add(Phase::Compile, 30);
        phases.add(Phase::Instantiate, 20);
        let made = Provisioning { began_ns: 1_000, phases, spans: None, cpu_ns: None };
        let seen = |arrived_ns| {
            let seen = made.since(arrived_ns);
            [Phase::Provision, Phase::Compile, Phase::Instantiate].map(|phase| seen.get(phase))
        };
        assert_eq!(seen(900), [50, 30, 20]);
        assert_eq!(seen(1_010), [40, 30, 20]);
        assert_eq!(seen(1_060), [0, 20, 20]);
        assert_eq!(seen(1_200), [0, 0, 0]);
    }
}
