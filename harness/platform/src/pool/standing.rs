//! How a pool stands, as a reading of its gauges.

/// How a pool stands at one moment, and what it has done since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Instances on their way.
    pub provisioning: u32,
    /// Instances that are ready and serve nothing.
    pub idle: u32,
    /// Instances that serve.
    pub busy: u32,
    /// Requests that wait.
    pub queued: u32,
    /// Instances made since the beginning.
    pub made: u64,
    /// Instances reclaimed since the beginning.
    pub reclaimed: u64,
    /// Instances that failed since the beginning.
    pub failed: u64,
}
