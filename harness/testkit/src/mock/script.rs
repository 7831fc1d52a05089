//! What a mock module does, written down beforehand.

use std::collections::VecDeque;
use std::time::Duration;

use lumos_runtime::error::InvokeError;

/// How long the parts of a module's life take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// The artifact read: `load`.
    pub load: Duration,
    /// Its code compiled: `compile`.
    pub compile: Duration,
    /// An instance made: `instantiate`.
    pub instantiate: Duration,
    /// An instance freed: `teardown`.
    pub teardown: Duration,
    /// The request copied in: `request`.
    pub request: Duration,
    /// The answer copied out: `response`.
    pub response: Duration,
    /// What no phase covers: `other`.
    pub other: Duration,
}

/// A module's life: its costs, and what its invocations do one after the other, over all
/// of its instances.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub(super) costs: Costs,
    pub(super) acts: VecDeque<Act>,
    pub(super) otherwise: Act,
    pub(super) memory_bytes: u64,
    pub(super) room: Option<usize>,
}

impl Script {
    /// With these costs instead of none.
    #[must_use]
    pub fn costs(mut self, costs: Costs) -> Self {
        self.costs = costs;
        self
    }

    /// The next invocation does `act`.
    #[must_use]
    pub fn then(mut self, act: Act) -> Self {
        self.acts.push_back(act);
        self
    }

    /// What invocations do when all that was written down is done; an empty answer
    /// unless told.
    #[must_use]
    pub fn otherwise(mut self, act: Act) -> Self {
        self.otherwise = act;
        self
    }

    /// Linear memory of a new instance; none unless told.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// No further instance can be made while so many live.
    #[must_use]
    pub fn room(mut self, instances: usize) -> Self {
        self.room = Some(instances);
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

    /// After computing for so long: `compute`. What passes the deadline is stopped at it.
    #[must_use]
    pub fn taking(mut self, compute: Duration) -> Self {
        self.compute = compute;
        self
    }

    /// And waiting for so long without the CPU: `io_read`.
    #[must_use]
    pub fn waiting(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// And growing the linear memory.
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
