//! What a host needs to know before it measures a cell.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use crate::cell::{Isolation, Start, Target};
use crate::units::Span;

/// Everything that a host must know to measure one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepare {
    /// Runtime and mode.
    pub target: Target,
    /// The artifact's file.
    pub artifact: PathBuf,
    /// Where the instance lives.
    pub isolation: Isolation,
    /// The start kind of each sample.
    pub start: Start,
    /// Resource limits of the instance.
    pub limits: Limits,
    /// The complete environment of the instance.
    pub env: BTreeMap<String, String>,
    /// The folder of the instance's files; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The request of each invocation.
    pub request: String,
    /// Number of invocations before the first warm sample.
    pub warmup: u32,
    /// Pause before each cold sample.
    pub gap: Span,
    /// The parent of the instances' cgroups. Absent: the host creates none, and CPU time and
    /// memory come from process accounting alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<CgroupBase>,
}

/// Where the host creates the cgroups of its instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupBase {
    /// Path below the root of each hierarchy, such as `lumos/run-1234/instances`.
    pub path: String,
}
