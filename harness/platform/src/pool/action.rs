//! What a pool is asked for and what it answers.

/// The caller's identifier of a request; unique among the waiting requests.
pub(crate) type Ticket = u64;

/// The number of an instance in its pool, from 0. It is not reused while the instance exists.
pub(crate) type InstanceId = u32;

/// What the caller must do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make an instance, then call `Pool::provisioned` or
    /// `Pool::provisioning_failed`.
    Provision { instance: InstanceId },
    /// Let an instance serve a request, then call `Pool::served`.
    Assign {
        ticket: Ticket,
        instance: InstanceId,
        /// The instance has never served before.
        fresh: bool,
        /// The request has waited in the queue. With `fresh` it waited for a cold start,
        /// otherwise for a busy instance. `fresh` without `waited`: the instance was ready
        /// before the request came, as part of the minimum or the reserve.
        waited: bool,
    },
    /// End an instance. The pool counts it as gone already.
    Reclaim { instance: InstanceId },
    /// Answer a request without serving it.
    Reject { ticket: Ticket, why: Rejection },
}

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rejection {
    /// No instance is idle, none is being provisioned for the request, and the queue is full.
    QueueFull,
    /// The pool is draining.
    Draining,
    /// Provisioning failed, or the maximum number of instances is zero.
    NoInstance,
}
