//! Recorded arrivals, read as a stream. The header shows which of two formats a file has.
//!
//! **Times**: a CSV with a column `at_ns`, `at_us`, `at_ms` or `at_s`: the time of each request
//! from the beginning of the recording, in order. Other columns are ignored. Lines that begin
//! with `#` are comments.
//!
//! **Counts by minute**: the format of the Azure Functions 2019 trace (Shahrad et al.,
//! *Serverless in the Wild*, USENIX ATC 2020): the columns `HashOwner`, `HashApp`,
//! `HashFunction`, `Trigger` and one for each minute, `1` to `1440`, with one row for each
//! function. Only `HashFunction` and the minutes are read. The trace has no times within a
//! minute, so requests are placed independently and uniformly.
//!
//! | module | contents |
//! |---|---|
//! | `file` | opens a trace and finds its format |
//! | `times`, `minutes` | the two formats |
//! | `recorded` | the arrivals of a trace, scaled |
//! | `description` | rates, gaps and predicted cold starts of a list of arrivals |
//! | `lines`, `error` | CSV lines; mistakes with file and line |

mod description;
mod error;
mod file;
mod lines;
mod minutes;
mod recorded;
mod times;

pub use self::description::{Description, IDLE, KEEP_ALIVE};
pub use self::error::TraceError;
pub use self::file::{Trace, TraceFormat};
pub(crate) use self::recorded::{Recorded, check};
