//! Checks of the kernel and its settings.

use lumos_model::fingerprint::Fingerprint;
use lumos_os::machine::kernel_version;

use super::check::Check;

/// The first kernel with `CLONE_INTO_CGROUP` (clone(2)).
const CLONE_INTO_CGROUP: (u32, u32) = (5, 7);

/// The timer slack of a process that sets none (prctl(2), `PR_SET_TIMERSLACK`).
const DEFAULT_SLACK_NS: u64 = 50_000;

/// Clocks that the vDSO reads, without a system call.
const FAST_CLOCKS: [&str; 3] = ["tsc", "kvm-clock", "arch_sys_counter"];

/// All checks of the kernel.
pub(super) fn checks(print: &Fingerprint, has_hardware_counters: bool) -> Vec<Check> {
    let mut checks = vec![version(print), controllers(print)];
    checks.extend(print.clock_source.as_deref().map(clock_source));
    checks.extend(print.timer_slack_ns.map(timer_slack));
    checks.extend(print.aslr.map(aslr));
    checks.extend(print.transparent_hugepages.as_deref().map(hugepages));
    checks.push(counters(has_hardware_counters));
    checks
}

fn version(print: &Fingerprint) -> Check {
    const NAME: &str = "kernel";
    let Some(release) = &print.kernel else {
        return Check::warn(NAME, "the version cannot be read");
    };
    match kernel_version(release) {
        Some(version) if version < CLONE_INTO_CGROUP => {
            let meaning = format!(
                "{release} is older than 5.7: a new process must be moved into its cgroup, and cold \
                 starts include that move"
            );
            Check::warn(NAME, meaning).fix("sudo apt-get full-upgrade && sudo reboot").caution(
                format!(
                    "kernel {release} is older than 5.7: cold starts include a move between cgroups"
                ),
            )
        }
        _ => Check::ok(NAME, release),
    }
}

fn controllers(print: &Fingerprint) -> Check {
    const NAME: &str = "cgroup controllers";
    let Some(mode) = &print.cgroup_mode else {
        return Check::warn(
            NAME,
            "control groups are not mounted: limits are not applied, and memory is not measured",
        )
        .fix("sudo mount -t cgroup2 none /sys/fs/cgroup");
    };
    let has = |name: &&str| print.cgroup_controllers.iter().any(|there| there == name);
    let lacking: Vec<&str> = ["cpu", "memory", "pids"].into_iter().filter(|n| !has(n)).collect();
    if lacking.is_empty() {
        return Check::ok(NAME, format!("{mode}: {}", print.cgroup_controllers.join(" ")));
    }
    let meaning =
        format!("{mode} without {0}: {0} is neither limited nor measured", lacking.join(", "));
    let check = Check::warn(NAME, meaning);
    let check = match lacking.contains(&"memory") {
        true => check.fix(enable_memory(print)),
        false => check.fix("systemd-run --user --scope -p Delegate=yes lumos run .."),
    };
    check.caution(format!(
        "no cgroup controller {0}: {0} is neither limited nor measured",
        lacking.join(", ")
    ))
}

/// The firmware of a Raspberry Pi disables the controller unless the kernel's command line
/// enables it (Raspberry Pi documentation, "Kernel command line").
fn enable_memory(print: &Fingerprint) -> &'static str {
    match print.board.as_deref().is_some_and(|board| board.contains("Raspberry Pi")) {
        true => {
            "sudo sed -i '1s/$/ cgroup_enable=memory cgroup_memory=1/' /boot/firmware/cmdline.txt \
             && sudo reboot"
        }
        false => "add cgroup_enable=memory to the kernel's command line, then reboot",
    }
}

fn clock_source(source: &str) -> Check {
    const NAME: &str = "clock source";
    match FAST_CLOCKS.contains(&source) {
        true => Check::ok(NAME, format!("{source}: read without a system call")),
        false => Check::warn(NAME, format!("{source}: each clock read is a slow system call"))
            .fix(
                "echo tsc | sudo tee \
                 /sys/devices/system/clocksource/clocksource0/current_clocksource",
            )
            .caution(format!("the clock is {source}: short phases include the cost of reading it")),
    }
}

fn timer_slack(ns: u64) -> Check {
    let meaning = format!("sleeps may end {} us late", ns / 1_000);
    match ns > DEFAULT_SLACK_NS {
        true => Check::warn("timer slack", meaning).fix("start lumos from a plain shell"),
        false => Check::ok("timer slack", meaning),
    }
}

fn aslr(mode: u8) -> Check {
    let meaning = match mode {
        0 => "off: all processes have the same memory layout, fast or slow",
        _ => "on: each process has its own memory layout, so medians average over many",
    };
    Check::ok("address randomisation", meaning)
}

fn hugepages(mode: &str) -> Check {
    let meaning = match mode {
        "always" => {
            "always: used for large allocations when the kernel can; memory peaks may be higher"
        }
        "madvise" => "madvise: used only where a runtime asks for them",
        other => other,
    };
    Check::ok("transparent huge pages", meaning)
}

fn counters(are_available: bool) -> Check {
    let meaning = match are_available {
        true => "available; lumos does not use them: its CPU times come from clocks",
        false => "not available, as in most virtual machines; lumos does not need them",
    };
    Check::ok("hardware counters", meaning)
}
