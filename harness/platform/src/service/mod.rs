//! A function that is served by a pool of instances. A gateway drives it from outside the
//! host, a load driver from inside.
//!
//! A request passes these stations:
//!
//! 1. [`Request`]: the body, the intended arrival and a number. It reaches [`Executor`] by
//!    one of four methods, which differ in the thread that serves it:
//!    [`serve`](Executor::serve) blocks the calling thread until there is an instance,
//!    [`serve_here`](Service::serve_here) uses the calling thread only if that is quick,
//!    [`submit`](Service::submit) and [`dispatch`](Executor::dispatch) use a worker thread.
//! 2. `State`: under the lock, the pool decides. The request waits, or is refused, or gets an
//!    instance.
//! 3. `Assignment`: the request with its instance, given to the thread that serves it.
//! 4. `Invocation`: the readings around the call of the instance.
//! 5. [`Answer`]: the cause, the sample and the output.
//!
//! | module | subject |
//! |---|---|
//! | `request` | requests, answers and their causes |
//! | `interface` | the traits `Service` and `PooledService` |
//! | `provider` | the interface to the two kinds of isolation |
//! | `in_process` | instances inside the host process |
//! | `sandboxed` | instances in processes of their own |
//! | `pooled_instance` | an instance with the buffer of its answers |
//! | `answer` | from the readings around a request to its answer |
//! | `effects` | the work that follows from a decision |
//! | `state` | pool, instances and requests, under one lock |
//! | `recent_mean` | how long an operation is expected to take |
//! | `executor` | carries out the decisions, on threads |
//! | `service_impl` | how requests reach an executor from an event loop |

mod answer;
mod effects;
mod executor;
mod in_process;
mod interface;
mod pooled_instance;
mod provider;
mod recent_mean;
mod request;
mod sandboxed;
mod service_impl;
mod state;
#[cfg(test)]
mod tests;

pub use executor::Executor;
pub use in_process::InProcess;
pub use interface::{Pending, PooledService, Service};
pub use provider::Provider;
pub use request::{Answer, Cause, Request};
pub use sandboxed::Sandboxed;
