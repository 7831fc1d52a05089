//! Samplers take the samples of one cell.
//!
//! | module | subject |
//! |---|---|
//! | `interface` | the trait `Sampler` |
//! | `thread` | an instance inside the host process |
//! | `process` | an instance in a process of its own |

mod interface;
mod process;
mod thread;

pub use interface::Sampler;
pub(crate) use process::ProcessSampler;
pub(crate) use thread::ThreadSampler;
