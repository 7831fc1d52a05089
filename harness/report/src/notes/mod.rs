//! What a reader must know besides the tables, as lines of text.
//!
//! | file | what it words |
//! |---|---|
//! | `failures` | failed invocations |
//! | `missing` | cells that did not run, and cells without a ratio |
//! | `noise` | how far `native` differs from itself |
//! | `samples` | few samples, disturbed samples |

pub(crate) mod failures;
pub(crate) mod missing;
pub(crate) mod noise;
pub(crate) mod samples;
