//! Checks of the CPU: its frequency, power and temperature, and other load on it.

use lumos_model::fingerprint::Fingerprint;
use lumos_model::health::{Condition, MAX_STEAL_SHARE, STEADY_GOVERNORS, Throttled};

use super::check::Check;
use super::facts::Machine;

/// Raspberry Pis cap their clock at 80 °C and lower it further at 85 °C (Raspberry Pi
/// documentation, "Frequency management and thermal control"). A run adds about 10 °C.
const WARM_C: f64 = 70.0;

/// Load average up to which one core of two stays free for the measurement.
const MAX_LOAD: f64 = 0.5;

/// One core for the functions, one for the driver.
const MIN_CORES: u32 = 2;

/// All checks of the CPU.
pub(super) fn checks(machine: &Machine) -> Vec<Check> {
    let print = &machine.fingerprint;
    let mut checks = vec![virtualisation(print, machine.steal_share), governor(print)];
    checks.extend(print.cores.map(cores));
    checks.extend(machine.throttled.map(power));
    checks.extend(machine.temperature_c.map(temperature));
    checks.extend(print.swap_bytes.map(swap));
    checks.extend(machine.load_1m.map(load));
    checks
}

fn virtualisation(print: &Fingerprint, steal: Option<f64>) -> Check {
    const NAME: &str = "virtual machine";
    let Some(hint) = &print.virtualisation else {
        return Check::ok(NAME, "no sign of one");
    };
    let stolen = steal.map(|share| format!("; {:.2} % of CPU time stolen so far", share * 100.0));
    let much = steal.is_some_and(|share| share > MAX_STEAL_SHARE);
    let advice = if much {
        "rent dedicated cores, or measure on hardware"
    } else {
        "measure on hardware before you publish numbers"
    };
    let stolen = stolen.unwrap_or_default();
    Check::warn(NAME, format!("yes ({hint}): others share the hardware, which cannot be observed{stolen}"))
        .fix(advice)
        .caution("a virtual machine: others share its hardware, and frequency and temperature cannot be observed")
}

fn governor(print: &Fingerprint) -> Check {
    const NAME: &str = "CPU governor";
    let governors = print.governors();
    let names = governors.join(", ");
    if governors.is_empty() {
        return Check::warn(
            NAME,
            "neither governor nor frequency can be read, so none is recorded",
        );
    }
    match governors.iter().all(|name| STEADY_GOVERNORS.contains(name)) {
        true => Check::ok(NAME, names),
        false => {
            let meaning =
                format!("{names}: the clock follows the load, so samples after a pause are slower");
            Check::warn(NAME, meaning)
                .fix(
                    "echo performance | sudo tee \
                     /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
                )
                .caution(format!("CPU governor {names}: the clock follows the load"))
        }
    }
}

fn cores(cores: u32) -> Check {
    match cores < MIN_CORES {
        true => Check::warn("cores", "1: functions and driver share it")
            .fix("measure on a machine with two cores or more")
            .caution("one core: functions and driver share it"),
        false => Check::ok("cores", format!("{cores}: functions can have a core to themselves")),
    }
}

fn power(bits: Throttled) -> Check {
    const NAME: &str = "power and throttling";
    let check = match (bits.now(), bits.occurred()) {
        (_, occurred) if occurred.is_empty() => {
            return Check::ok(NAME, "not throttled since the boot");
        }
        (now, occurred) if now.is_empty() => {
            let what = listed(&occurred);
            Check::warn(NAME, format!("{what} since the boot ({bits}): it may happen again"))
                .caution(format!("{what} since the boot ({bits})"))
        }
        (now, _) => {
            let what = listed(&now);
            Check::warn(NAME, format!("{what} now ({bits}): the clock is below its setting"))
                .caution(format!("{what} when the run started ({bits})"))
        }
    };
    match bits.occurred().contains(&Condition::UnderVoltage) {
        true => check.fix("use the board's own power supply and a short cable, then reboot"),
        false => check.fix("add a heat sink or fan, then reboot"),
    }
}

fn listed(conditions: &[Condition]) -> String {
    let names: Vec<&str> = conditions.iter().map(|condition| condition.as_str()).collect();
    names.join(", ")
}

fn temperature(celsius: f64) -> Check {
    match celsius >= WARM_C {
        true => Check::warn(
            "temperature",
            format!("{celsius:.0} °C before any load: the clock is capped at 80 °C"),
        )
        .fix("let it cool down; add a heat sink or fan")
        .caution(format!("the CPU was at {celsius:.0} °C when the run started")),
        false => Check::ok("temperature", format!("{celsius:.0} °C")),
    }
}

fn swap(bytes: u64) -> Check {
    match bytes {
        0 => Check::ok("swap", "off"),
        _ => Check::warn(
            "swap",
            format!("on, {} MiB: memory may be swapped out during a measurement", bytes >> 20),
        )
        .fix("sudo swapoff -a")
        .caution("swap is on: memory may have been swapped out"),
    }
}

/// No caution: the gate of a run loads the machine too, and each block records the load.
fn load(one_minute: f64) -> Check {
    match one_minute > MAX_LOAD {
        true => Check::warn("other load", format!("{one_minute} tasks in the last minute"))
            .fix("ps -eo pcpu,pid,args --sort=-pcpu | head"),
        false => Check::ok("other load", format!("{one_minute} tasks in the last minute")),
    }
}
