//! Control groups: one for each instance that is a process, and one for each host.
//!
//! cgroups-rs handles hierarchies, limits and membership, on machines with version 1, version 2
//! and both. Counters are read from the kernel's files directly, because cgroups-rs reports an
//! absent counter as zero.
//!
//! | file | content |
//! |---|---|
//! | `hierarchy` | how this machine mounts control groups, and where |
//! | `library` | the errors of cgroups-rs, with their causes |
//! | `lock` | the lock held while a group is created |
//! | `folders` | the folders of a group, its processes, its removal |
//! | `counters` | what the kernel counts for a group |
//! | `base` | [`Base`]: the parent folder of groups |
//! | `group` | [`Group`]: a group for one process, with its limits |
//! | `sweep` | removal of groups, whatever became of their processes |

mod base;
mod counters;
mod folders;
mod group;
mod hierarchy;
mod library;
mod lock;
mod sweep;

pub use self::base::Base;
pub use self::group::Group;
pub use self::hierarchy::{Mode, ROOT, detect, roots};
pub use self::sweep::{evacuate, leave, sweep_stale};
