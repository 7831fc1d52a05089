//! Linux, as far as lumos needs it.
//!
//! Hosts and `lumos` itself reach the operating system through this crate only: they start
//! processes in control groups, read clocks and counters, and ask about the machine. What goes in
//! are commands, limits and paths. What comes out are processes, time stamps in nanoseconds, and
//! the counters and facts of `lumos-model`. Errors are [`OsError`]s, or those of the system. All
//! unsafe code here wraps an interface of the kernel.
//!
//! | module | what it gives | privileges |
//! |---|---|---|
//! | [`clock`] | monotonic time and CPU time | none |
//! | [`command`] | the output of a program, within a time limit | none |
//! | [`spawn`] | a process, started in its cgroup without `fork` | write access to the cgroup, if one is given |
//! | [`cgroup`] | control groups: limits, counters, removal | root or a delegated cgroup |
//! | [`usage`] | CPU time, page faults and memory of this process | none |
//! | [`page_cache`] | eviction of a file's pages | read access to the file |
//! | [`pinning`] | the cores that a process may run on | the process's user, or `CAP_SYS_NICE` |
//! | [`machine`] | the machine, its settings and its state | none |
//! | [`error`] | the error type | |
//! | `simulated` | a clock for tests (feature `simulated-clock`) | none |

pub mod cgroup;
pub mod clock;
pub mod command;
pub mod error;
pub mod machine;
pub mod page_cache;
pub mod pinning;
pub mod priority;
#[cfg(any(test, feature = "simulated-clock"))]
pub mod simulated;
pub mod spawn;
pub mod usage;

pub use error::OsError;
