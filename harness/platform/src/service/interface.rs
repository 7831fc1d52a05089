//! What a gateway and a host see of a function that is served.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use lumos_model::counters::Counters;
use lumos_model::pool::PoolEvent;

use super::request::{Answer, Request};
use crate::pool::Standing;

/// The answer to a request that was submitted. Dropping it means that the client left: a
/// request that waits is taken out of the queue, one that runs finishes without an answer.
pub type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A function with its pool. Each request that it is given has exactly one answer.
pub trait Service: Send + Sync + 'static {
    /// The function's name.
    fn name(&self) -> &str;

    /// Serves `request` on the calling thread if an instance is idle and the function's recent
    /// durations are short enough to hold up the other work of that thread. Otherwise returns
    /// the request. The caller must let another thread take over the event loop in case the
    /// function takes longer this time.
    fn serve_here(&self, request: Request) -> Result<Answer, Request>;

    /// Serves `request` as soon as there is an instance for it.
    fn submit(self: Arc<Self>, request: Request) -> Pending;

    /// The current state of the pool.
    fn standing(&self) -> Standing;

    /// Accepts no further requests. Ends idle instances now and each busy one after its
    /// request. Resolves when no instance is left.
    fn drain(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Ends all instances now. Requests that wait or run are answered as
    /// [`Cause::Draining`](super::Cause::Draining).
    fn stop(&self);
}

/// A service whose pool keeps telemetry.
pub trait PooledService: Service {
    /// Resolves when no instance is being created: those of the minimum and the reserve are
    /// ready or have failed.
    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Stops keeping events and counters and reading CPU clocks, for a pool whose telemetry
    /// is never taken. The clocks would cost a warm request a tenth of its time.
    fn forget_telemetry(&self);

    /// Changes of instance states since the last call, in order, and how many were dropped
    /// because there were too many.
    fn take_events(&self) -> (Vec<PoolEvent>, u64);

    /// Counters of the control groups of instances that ended since the last call.
    fn take_counters(&self) -> Vec<Counters>;
}
