//! The serverless platform: functions with pools of instances, under load from inside the
//! process or over HTTP.
//!
//! *Comes in:* a [`Provider`](service::Provider) of instances for each function (inside the host
//! process, or as sandboxes), and a load ([`Load`]) or a list of functions to serve ([`Serve`]). *Goes out:* a sample per request, the pool's state changes, and the
//! counters of instances ([`LoadResult`], [`PoolRecords`]).
//!
//! | module | subject |
//! |---|---|
//! | [`drive`] | sends a load to one pool, without a network |
//! | [`serving`] | opens a gateway with its pools, and closes it |
//! | [`gateway`] | functions over HTTP; its page follows one request |
//! | [`service`] | carries out what a pool decides: makes, invokes and ends instances |
//! | `pool` | decides: which request gets which instance, when instances are made and ended |
//! | `threads` | the threads on which instances are made and invoked |
//!
//! `drive` and `gateway` use `service`, which uses `pool`. `pool` reads no clock and starts no
//! thread, so its tests are exact to the nanosecond.
//!
//! [`Load`]: lumos_model::protocol::Load
//! [`Serve`]: lumos_model::protocol::Serve
//! [`LoadResult`]: lumos_model::protocol::LoadResult
//! [`PoolRecords`]: lumos_model::protocol::PoolRecords

pub mod drive;
pub mod gateway;
pub(crate) mod pool;
pub mod service;
pub mod serving;
mod threads;
