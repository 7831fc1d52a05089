//! The load generator: sends HTTP/1.1 requests at their intended times, from one thread.
//!
//! In an open loop each request is sent at its intended time on a free connection. If none is
//! free, another is opened, up to [`LoadOptions::connections`]; beyond that the request waits
//! in the client. Its latency counts from the intended time and so includes that wait. In a
//! closed loop each client sends its next request after the response to its last one. Such
//! latencies say nothing about requests that would have arrived in the meantime.
//!
//! Each request has exactly one [`Outcome`]; none is retried. Requests in flight at the end are
//! waited for.
//!
//! | module | contents |
//! |---|---|
//! | `run` | one load, from its description to its report |
//! | `options`, `error` | what a caller sets; why nothing could be sent |
//! | `engine` | the event loop |
//! | `schedule` | when the next request is due |
//! | `target`, `request` | where requests are sent, and their bytes |
//! | `connection` | one connection and the request on it |
//! | `response`, `chunked`, `malformed` | responses from bytes in any pieces |
//! | `record`, `tally`, `report` | one outcome, the counts, the result |

mod chunked;
mod connection;
mod engine;
mod error;
mod malformed;
mod options;
mod record;
mod report;
mod request;
mod response;
mod run;
mod schedule;
mod tally;
mod target;

pub use self::error::LoadError;
pub use self::malformed::Malformed;
pub use self::options::{Live, LoadOptions};
pub use self::record::{Outcome, Record};
pub use self::report::Report;
pub use self::request::SEQ_HEADER;
pub use self::response::{Bodies, Progress, ResponseReader};
pub use self::run::run;
pub use self::target::{Target, TargetError};
