//! Scripts: the costs and acts of a mock module.

use std::collections::VecDeque;
use std::time::Duration;

use lumos_runtime::error::InvokeError;

/// How long the steps of a module's life take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Reading the artifact: `load`.
    pub load: Duration,
    /// Compiling its code: `compile`.
    pub compile: Duration,
    /// Creating an instance: `instantiate`.
    pub instantiate: Duration,
    /// Freeing an instance: `teardown`.
    pub teardown: Duration,
    /// Copying the request in: `request`.
    pub request: Duration,
    /// Copying the answer out: `response`.
    pub response: Duration,
    /// Time in no phase: `other`.
    pub other: Duration,
}

/// A module: its costs, and the acts of its invocations, in order over all of its instances.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub(super) costs: Costs,
    pub(super) acts: VecDeque<Act>,
    pub(super) otherwise: Act,
    pub(super) memory_bytes: u64,
    pub(super) max_instances: Option<usize>,
}

impl Script {
    /// Sets the costs, which are zero by default.
    #[must_use]
    pub fn costs(mut self, costs: Costs) -> Self {
        self.costs = costs;
        self
    }

    /// Adds the act of the next invocation.
    #[must_use]
    pub fn then(mut self, act: Act) -> Self {
        self.acts.push_back(act);
        self
    }

    /// Sets the act of all invocations after the listed ones. By default they answer with an
    /// empty output.
    #[must_use]
    pub fn otherwise(mut self, act: Act) -> Self {
        self.otherwise = act;
        self
    }

    /// Sets the linear memory of a new instance, which has none by default.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// Limits how many instances exist at a time.
    #[must_use]
    pub fn max_instances(mut self, instances: usize) -> Self {
        self.max_instances = Some(instances);
        self
    }
}

/// One invocation.
#[derive(Clone, Debug)]
pub struct Act {
    pub(super) end: End,
    pub(super) compute: Duration,
    pub(super) wait: Duration,
    pub(super) grows_by: u64,
}

/// How an invocation ends.
#[derive(Clone, Debug)]
pub(super) enum End {
    Answer(String),
    Error(String),
    Died(InvokeError),
}

impl Act {
    /// The function answers with an output.
    pub fn answer(output: &str) -> Self {
        Self::new(End::Answer(output.to_owned()))
    }

    /// The function answers with an error; its instance lives on.
    pub fn error(message: &str) -> Self {
        Self::new(End::Error(message.to_owned()))
    }

    /// The guest traps.
    pub fn trap(message: &str) -> Self {
        Self::new(End::Died(InvokeError::Trap(message.to_owned())))
    }

    /// The guest runs out of memory.
    pub fn out_of_memory(message: &str) -> Self {
        Self::new(End::Died(InvokeError::OutOfMemory(message.to_owned())))
    }

    /// The guest computes until it is stopped at its deadline.
    pub fn hang() -> Self {
        Self::answer("").taking(Duration::MAX)
    }

    /// Sets the computing time: `compute`. The guest is stopped if it exceeds the deadline.
    #[must_use]
    pub fn taking(mut self, compute: Duration) -> Self {
        self.compute = compute;
        self
    }

    /// Sets the waiting time, in which the CPU is idle: `io_read`.
    #[must_use]
    pub fn waiting(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Sets by how much the linear memory grows.
    #[must_use]
    pub fn growing(mut self, bytes: u64) -> Self {
        self.grows_by = bytes;
        self
    }

    fn new(end: End) -> Self {
        Self { end, compute: Duration::ZERO, wait: Duration::ZERO, grows_by: 0 }
    }
}

impl Default for Act {
    fn default() -> Self {
        Self::answer("")
    }
}
