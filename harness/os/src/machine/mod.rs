//! The machine that numbers were measured on, and how it was doing meanwhile.
//!
//! | file | what it does |
//! |---|---|
//! | [`fingerprint`] | what the machine is and how it is set; once a run |
//! | [`health`] | steal, load, heat and clock at the edges of a block, and what they taint |
//! | [`cpufreq`], [`throttle`], [`git`] | parts of these with a format of their own |
//! | [`parse`] | the kernel's files as text, pure |
//! | `root` | where the files are looked for |

pub mod cpufreq;
pub mod fingerprint;
pub mod git;
pub mod health;
pub mod parse;
mod root;
#[cfg(test)]
pub(crate) mod tests;
pub mod throttle;
mod virtualisation;

pub use health::{Health, Probe};
pub use root::Root;
