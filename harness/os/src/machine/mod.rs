//! The machine that measures, its settings, and its state meanwhile.
//!
//! | file | content |
//! |---|---|
//! | [`fingerprint`] | the machine and its settings; read once per run |
//! | [`health`] | steal, load, temperature and clock, read before and after each block |
//! | `cpufreq` | the clocks of the cores |
//! | `throttle` | the throttle bits of a Raspberry Pi |
//! | `virtualisation` | evidence of a virtual machine |
//! | `git` | the state of the checkout |
//! | `parse` | parsers of the kernel's files |
//! | `root` | where these files are, on this machine or in a test |

mod cpufreq;
pub mod fingerprint;
#[cfg(test)]
mod fixture;
mod git;
pub mod health;
pub(crate) mod parse;
mod root;
mod throttle;
mod virtualisation;

pub use health::{Health, Probe};
pub use parse::kernel_version;
pub use root::Root;
