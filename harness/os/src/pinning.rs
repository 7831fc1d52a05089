//! The cores that a process may run on.

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// Restricts a process, and those that it starts from now on, to `core`. `None` changes nothing.
///
/// # Errors
/// When the kernel refuses.
pub fn pin(pid: Pid, core: Option<usize>) -> nix::Result<()> {
    let Some(core) = core else { return Ok(()) };
    let mut cores = CpuSet::new();
    cores.set(core)?;
    sched_setaffinity(pid, &cores)
}
