//! What a host returns for a block of samples.

use serde::{Deserialize, Serialize};

use crate::counters::Counters;
use crate::row::Sample;

/// The samples of a block, and the counters read before and after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockResult {
    /// The invocations, in order.
    pub samples: Vec<Sample>,
    /// Counters of the instances' cgroups, one entry for each instance that ended or was read.
    pub instances: Vec<Counters>,
    /// The host process: what it used during the block (`cpu_ns`, page faults), and its memory at
    /// the end. If an instance lives inside the host, also its memory without the instance
    /// (`pss_before_bytes`, `anonymous_before_bytes`) and with it (`pss_with_instance_bytes`,
    /// `anonymous_with_instance_bytes`). The difference is the memory of the instance and of the
    /// code that the engine compiled for it.
    pub host: Counters,
}
