//! The gauges and counters of a pool.

/// A pool's gauges at one moment, and its counters since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Instances that are being provisioned.
    pub provisioning: u32,
    /// Instances that are ready and not serving.
    pub idle: u32,
    /// Instances that are serving.
    pub busy: u32,
    /// Requests that wait for an instance.
    pub queued: u32,
    /// Instances provisioned so far.
    pub made: u64,
    /// Instances reclaimed so far.
    pub reclaimed: u64,
    /// Instances that failed so far.
    pub failed: u64,
}
