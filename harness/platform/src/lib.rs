//! The serverless platform: pools of instances, the gateway in front of them, and the driver
//! that loads them from inside the host.
//!
//! A host process (`lumos-host`) creates a [`Provider`](service::Provider) of instances for
//! each function: inside the host process, or as sandboxes. From there,
//!
//! - [`Serving`](serving::Serving) puts the functions behind an HTTP gateway, and
//! - [`drive`](drive::drive) sends the requests of a load to one function without a network.
//!
//! Both give requests to an [`Executor`](service::Executor), which asks the [`pool`] for every
//! decision. Out come answers to clients, and for `lumos` samples, instance events and
//! counters ([`PoolRecords`]).
//!
//! | module | subject |
//! |---|---|
//! | [`pool`] | decides which request gets which instance, when one is created and when one ends |
//! | [`service`] | a function with its pool: carries out the pool's decisions |
//! | [`gateway`] | functions over HTTP |
//! | [`serving`] | a gateway with its services, from opening to draining |
//! | [`drive`] | a load from inside the host |
//! | `threads` | the threads on which instances are created and serve |
//!
//! [`PoolRecords`]: lumos_model::protocol::PoolRecords

pub mod drive;
pub mod gateway;
pub mod pool;
pub mod service;
pub mod serving;
mod threads;
