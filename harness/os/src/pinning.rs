//! Which cores a process may run on.

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// Has a process, and those that it starts from now on, run on `core` alone. `None`: on any.
///
/// # Errors
/// When the kernel refuses.
pub fn pin(pid: Pid, core: Option<usize>) -> nix::Result<()> {
    let Some(core) = core else { return Ok(()) };
    let mut cores = CpuSet::new();
    cores.set(core)?;
    sched_setaffinity(pid, &cores)
}
