//! Load: when to send requests, sending them at that time, and the outcome of each.
//!
//! In: the description of a traffic ([`lumos_model::arrival::Traffic`]), a seed, and for HTTP a
//! URL. Out: intended times, waits that end at them, and the outcome and latency of each
//! request. `lumos load` and the `http` driver of a run use the generator; the `direct` driver
//! of `lumos-platform` uses arrivals and pacer only; `lumos trace` uses arrivals and traces.
//!
//! | module | contents |
//! |---|---|
//! | [`arrivals`] | from a description and a seed to intended times, the same on every machine |
//! | [`trace`] | recorded arrivals, read as a stream |
//! | [`pacer`] | waits until a time, exactly, and records the lateness |
//! | [`http`] | the load generator: sends HTTP requests at their intended times |
//! | `random` | seeded random numbers, the same on every machine |
//! | `time` | nanoseconds |
//!
//! Each module uses only modules below it: `http` uses `pacer` and `arrivals`, `arrivals` uses
//! `trace`.
#![forbid(unsafe_code)]

pub mod arrivals;
pub mod http;
pub mod pacer;
mod random;
mod time;
pub mod trace;
