//! The pool of a function's instances: which request gets which instance, when an instance is
//! made and when it is ended.
//!
//! A [`Pool`] only decides: it reads no clock, starts no thread and performs no [`Action`].
//! The caller reports each event with its time, and carries out the actions that the pool
//! returns. The same sequence of calls therefore gives the same decisions on every machine.
//!
//! | module | subject |
//! |---|---|
//! | `action` | what the pool tells its caller to do |
//! | `calls` | what the caller reports to the pool |
//! | `scaling` | brings the number of instances to what is wanted |
//! | `demand` | how many instances are wanted, and when that changes |
//! | `state` | what the pool knows |
//! | `autoscaler`, `window` | Knative's autoscaler, and the windows of its averages |
//! | `instances` | the existing instances |
//! | `backoff` | the delay after failed provisioning |
//! | `events` | the log of state changes |
//! | `standing` | gauges and counters |
//!
//! # Rules
//!
//! "Provisioning" is the state of an instance from the moment it is requested until it is
//! ready.
//!
//! * An instance serves one invocation at a time. A request gets the most recently used idle
//!   instance, so that surplus instances age; instances that never served are taken last.
//!   Waiting requests are served in order of arrival.
//! * **Keep-alive** counts from the end of the last invocation, or from readiness if there was
//!   none. From `idle since + keep_alive` on, the instance serves no request: a request that
//!   arrives at exactly that nanosecond finds it reclaimed, even if [`Pool::tick`] was not
//!   called in time. With a keep-alive of zero every instance serves exactly once; a shortfall
//!   of the minimum or the reserve is then made up by new instances.
//! * **`min_instances`** are requested at the start. Nothing is reclaimed while no more than
//!   this number are ready (except with a keep-alive of zero). A failed instance is replaced.
//! * **`prewarmed`** is the reserve: the number of instances that are idle or provisioning in
//!   addition to the busy ones and to those that waiting requests need. When a request takes
//!   one, a replacement is requested. Idle instances beyond the reserve age. Instances that
//!   have served age first: an unused one stays in the reserve however long it is idle.
//! * **`max_instances`** bounds all instances, including provisioning ones, whatever they are
//!   for. It overrides the minimum and the reserve.
//! * **`queue`** bounds the waiting requests in excess of the provisioning instances. With a
//!   queue of zero a request may still wait for a cold start, but not for a busy instance.
//! * When **provisioning fails**, the oldest waiting request is rejected
//!   ([`Rejection::NoInstance`]), so that no request waits for ever. For requests that still
//!   wait, another instance is requested at once. Instances for the minimum, the reserve or
//!   the autoscaler are retried after 1 s, then 2 s and so on up to 30 s, until one succeeds.
//!
//! With [`Scaling::Immediate`] an instance is requested for each request that finds neither an
//! idle instance nor a provisioning one that no other request waits for.
//!
//! With [`Scaling::Window`] an autoscaler decides the number of instances, as in Knative
//! (`autoscaler.rs`). The keep-alive then applies to the last instance only: other instances
//! are reclaimed as soon as the autoscaler wants fewer, the last one when the autoscaler wants
//! none and it was idle for the keep-alive (Knative's `scale-to-zero-pod-retention-period`).
//! Only the first request of an empty pool has an instance requested at once, as with
//! Knative's activator; all other requests need room in the queue.
//!
//! [`Scaling::Immediate`]: lumos_model::pool::Scaling::Immediate
//! [`Scaling::Window`]: lumos_model::pool::Scaling::Window

mod action;
mod autoscaler;
mod backoff;
mod calls;
mod convert;
mod demand;
mod events;
mod instances;
mod scaling;
mod standing;
mod state;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use self::action::{Action, Rejection, Ticket};
pub use self::standing::Standing;
pub(crate) use self::state::Pool;
