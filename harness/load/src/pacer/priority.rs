//! Going before other threads.

/// The highest priority of a thread that is no real-time thread (setpriority(2)).
const HIGHEST: libc::c_int = -20;

/// Gives the calling thread the highest priority that does not shut out others (a nice value
/// of -20), and says whether it could: that is root's right (`CAP_SYS_NICE`). What the thread
/// starts has the usual priority.
///
/// Without it, the server's threads interrupt a sender whose time has come, for as long as a
/// request takes them or up to a slice of the scheduler.
#[expect(unsafe_code, reason = "no library offers both calls")]
pub fn run_first() -> bool {
    let policy = libc::SCHED_OTHER | libc::SCHED_RESET_ON_FORK;
    // SAFETY: zeroes are a valid value of a struct of numbers; for this policy the kernel
    // takes no other priority here.
    let usual: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: the struct outlives the call; 0 is the calling thread.
    let resets = unsafe { libc::sched_setscheduler(0, policy, &usual) } == 0;
    // SAFETY: numbers only; to Linux, process 0 is the calling thread alone.
    resets && unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, HIGHEST) } == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nice value of the calling thread, as the kernel tells it (proc_pid_stat(5), field
    /// 19).
    fn nice() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let after_name = stat.rsplit_once(") ").expect("a name").1;
        after_name.split(' ').nth(19 - 3).expect("the field").parse().unwrap()
    }

    /// Whether the process has `CAP_SYS_NICE`, number 23 (capabilities(7)).
    fn may_be_nice() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let bits = u64::from_str_radix(line.expect("a line of capabilities").trim(), 16).unwrap();
        bits >> 23 & 1 == 1
    }

    #[test]
    fn it_is_the_threads_alone_and_said_if_it_may_not_be() {
        let before = nice();
        std::thread::spawn(move || {
            let first = run_first();
            assert_eq!(nice(), if first { HIGHEST } else { before });
            let child = std::thread::spawn(nice).join().unwrap();
            assert_eq!(child, if first { 0 } else { before });
        })
        .join()
        .unwrap();
        assert_eq!(nice(), before);
        assert!(!may_be_nice() || std::thread::spawn(run_first).join().unwrap());
    }
}
