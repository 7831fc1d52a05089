//! Checks of the kernel and its settings.

use lumos_model::fingerprint::Fingerprint;
use lumos_os::machine::kernel_version;

use super::check::Check;

/// The first kernel with `CLONE_INTO_CGROUP` (clone(2)).
const CLONE_INTO_CGROUP: (u32, u32) = (5, 7);

/// What the kernel gives a process that does not ask (prctl(2), `PR_SET_TIMERSLACK`).
const USUAL_SLACK_NS: u64 = 50_000;

/// Clocks that are read without a system call.
const FAST_CLOCKS: [&str; 3] = ["tsc", "kvm-clock", "arch_sys_counter"];

/// All of them.
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
        return Check::warn(NAME, "its version cannot be read");
    };
    match kernel_version(release) {
        Some(version) if version < CLONE_INTO_CGROUP => {
            let meaning = format!(
                "{release} is older than 5.7: processes cannot be made in their cgroup, so cold \
                 starts hold the move"
            );
            Check::warn(NAME, meaning)
                .mend("sudo apt-get full-upgrade && sudo reboot")
                .caution(format!("kernel {release} makes cold starts hold a move between cgroups"))
        }
        _ => Check::ok(NAME, release),
    }
}

fn controllers(print: &Fingerprint) -> Check {
    const NAME: &str = "cgroup controllers";
    let Some(mode) = &print.cgroup_mode else {
        return Check::warn(NAME, "control groups are not mounted: no limits, no memory numbers")
            .mend("sudo mount -t cgroup2 none /sys/fs/cgroup");
    };
    let has = |name: &&str| print.cgroup_controllers.iter().any(|there| there == name);
    let lacking: Vec<&str> = ["cpu", "memory", "pids"].into_iter().filter(|n| !has(n)).collect();
    if lacking.is_empty() {
        return Check::ok(NAME, format!("{mode}: {}", print.cgroup_controllers.join(" ")));
    }
    let meaning = format!("{mode} without {}: not limited and not measured", lacking.join(", "));
    let check = Check::warn(NAME, meaning);
    let check = match lacking.contains(&"memory") {
        true => check.mend(enable_memory(print)),
        false => check.mend("systemd-run --user --scope -p Delegate=yes lumos run .."),
    };
    check.caution(format!(
        "no cgroup controller {}: neither limited nor measured",
        lacking.join(", ")
    ))
}

/// The firmware of a Raspberry Pi turns the controller off unless the command line of the
/// kernel asks for it (Raspberry Pi documentation, "Kernel command line").
fn enable_memory(print: &Fingerprint) -> &'static str {
    match print.board.as_deref().is_some_and(|board| board.contains("Raspberry Pi")) {
        true => {
            "sudo sed -i '1s/$/ cgroup_enable=memory cgroup_memory=1/' /boot/firmware/cmdline.txt \
             && sudo reboot"
        }
        false => "add cgroup_enable=memory to the kernel's command line and reboot",
    }
}

fn clock_source(source: &str) -> Check {
    const NAME: &str = "clock source";
    match FAST_CLOCKS.contains(&source) {
        true => Check::ok(NAME, format!("{source}: read without a system call")),
        false => Check::warn(NAME, format!("{source}: each clock read is a slow system call"))
            .mend(
                "echo tsc | sudo tee \
                 /sys/devices/system/clocksource/clocksource0/current_clocksource",
            )
            .caution(format!("the clock is {source}: short phases hold its cost")),
    }
}

fn timer_slack(ns: u64) -> Check {
    let meaning = format!("sleeps may end {} us late", ns / 1_000);
    match ns > USUAL_SLACK_NS {
        true => Check::warn("timer slack", meaning).mend("start lumos from a plain shell"),
        false => Check::ok("timer slack", meaning),
    }
}

fn aslr(mode: u8) -> Check {
    let meaning = match mode {
        0 => "off: all processes share one layout, lucky or not",
        _ => "on: each process has another layout, so medians are over many of them",
    };
    Check::ok("address randomisation", meaning)
}

fn hugepages(mode: &str) -> Check {
    let meaning = match mode {
        "always" => "always: big memories are backed as the kernel finds room; peaks may be higher",
        "madvise" => "madvise: only where a runtime asks for it",
        other => other,
    };
    Check::ok("transparent huge pages", meaning)
}

fn counters(are_there: bool) -> Check {
    let meaning = match are_there {
        true => "there, and not used by lumos: its CPU times come from clocks",
        false => "none, as in most virtual machines; lumos needs none",
    };
    Check::ok("hardware counters", meaning)
}
