//! The quantities that are gathered, summarised and compared.

use std::fmt;

use lumos_model::phase::Phase;
use lumos_model::quantity::Unit;
use serde::{Serialize, Serializer};

/// A measured quantity. Less is better for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// From the intended arrival to the response.
    Total,
    /// Provision, load, compile and instantiate together. Only cold cells have it.
    ColdStart,
    /// One phase. A sample in which it did not occur counts as 0.
    Phase(Phase),
    /// CPU time of the instance.
    Cpu,
    /// Peak memory of the instance's cgroup.
    MemoryPeak,
    /// Size of the guest's linear memory.
    LinearMemory,
    /// Under load: the total without the queue.
    Service,
    /// With the `http` driver: the client's latency beyond the gateway's own account.
    Platform,
    /// Time per good response: one over a block's throughput. Only cells under load have it.
    PerResponse,
}

impl Metric {
    /// The name in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Metric::Total => "total",
            Metric::ColdStart => "cold_start",
            Metric::Phase(phase) => phase.as_str(),
            Metric::Cpu => "cpu",
            Metric::MemoryPeak => "memory_peak",
            Metric::LinearMemory => "linear_memory",
            Metric::Service => "service",
            Metric::Platform => "platform",
            Metric::PerResponse => "per_response",
        }
    }

    /// The unit of its values.
    pub const fn unit(self) -> Unit {
        match self {
            Metric::MemoryPeak | Metric::LinearMemory => Unit::Bytes,
            _ => Unit::Nanoseconds,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
