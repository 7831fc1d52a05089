//! Checks of the CPU, its clock, its power and its heat, and of who else uses it.

use lumos_model::fingerprint::Fingerprint;
use lumos_model::health::{Condition, MAX_STEAL_SHARE, STEADY_GOVERNORS, Throttled};

use super::check::Check;
use super::facts::Machine;

/// Raspberry Pis cap their clock from 80 degrees on and lower it further at 85 (Raspberry Pi
/// documentation, "Frequency management and thermal control"); a run adds some ten.
const WARM_C: f64 = 70.0;

/// So many tasks already running leave a busy core of two or a core of four.
const MOST_LOAD: f64 = 0.5;

/// One core for what is measured, one for the driver.
const FEWEST_CORES: u32 = 2;

/// All of them.
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
        return Check::ok(NAME, "nothing says that this is one");
    };
    let stolen = steal.map(|share| format!("; {:.2} % of CPU time stolen so far", share * 100.0));
    let much = steal.is_some_and(|share| share > MAX_STEAL_SHARE);
    let advice = if much {
        "ask for cores of your own, or measure on hardware"
    } else {
        "measure on hardware what is to be published"
    };
    let stolen = stolen.unwrap_or_default();
    Check::warn(NAME, format!("yes ({hint}): others share the hardware unseen{stolen}"))
        .mend(advice)
        .caution("a virtual machine: others share its hardware, and clock and heat are unseen")
}

fn governor(print: &Fingerprint) -> Check {
    const NAME: &str = "CPU governor";
    let governors = print.governors();
    let names = governors.join(", ");
    if governors.is_empty() {
        return Check::warn(NAME, "neither governor nor clock can be read, so none is recorded");
    }
    match governors.iter().all(|name| STEADY_GOVERNORS.contains(name)) {
        true => Check::ok(NAME, names),
        false => {
            let meaning =
                format!("{names}: the clock follows the load, so pauses make what follows slower");
            Check::warn(NAME, meaning)
                .mend(
                    "echo performance | sudo tee \
                     /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
                )
                .caution(format!("CPU governor {names}: the clock follows the load"))
        }
    }
}

fn cores(cores: u32) -> Check {
    match cores < FEWEST_CORES {
        true => Check::warn("cores", "1: functions and driver take turns")
            .mend("measure on a machine with two cores or more")
            .caution("one core: functions and driver take turns on it"),
        false => Check::ok("cores", format!("{cores}: functions can have one of their own")),
    }
}

fn power(bits: Throttled) -> Check {
    const NAME: &str = "power and throttling";
    let check = match (bits.now(), bits.occurred()) {
        (_, occurred) if occurred.is_empty() => {
            return Check::ok(NAME, "never throttled since the boot");
        }
        (now, occurred) if now.is_empty() => {
            let what = listed(&occurred);
            Check::warn(NAME, format!("{what} since the boot ({bits}): it may come again"))
                .caution(format!("since the boot there was: {what} ({bits})"))
        }
        (now, _) => {
            let what = listed(&now);
            Check::warn(NAME, format!("{what} now ({bits}): the clock is below its setting"))
                .caution(format!("{what} at the run's start ({bits})"))
        }
    };
    match bits.occurred().contains(&Condition::UnderVoltage) {
        true => check.mend("use the board's own power supply and a short cable, then reboot"),
        false => check.mend("add a heat sink or fan, then reboot"),
    }
}

fn listed(conditions: &[Condition]) -> String {
    let names: Vec<&str> = conditions.iter().map(|condition| condition.as_str()).collect();
    names.join(", ")
}

fn temperature(celsius: f64) -> Check {
    match celsius >= WARM_C {
        true => {
            Check::warn("temperature", format!("{celsius:.0} °C before any load: capped at 80"))
                .mend("let it cool, add a heat sink or fan")
                .caution(format!("the CPU had {celsius:.0} °C at the run's start"))
        }
        false => Check::ok("temperature", format!("{celsius:.0} °C")),
    }
}

fn swap(bytes: u64) -> Check {
    match bytes {
        0 => Check::ok("swap", "off"),
        _ => Check::warn(
            "swap",
            format!("{} MiB on: memory may go to disk while it is measured", bytes >> 20),
        )
        .mend("sudo swapoff -a")
        .caution("swap is on: memory may have gone to disk"),
    }
}

/// No caution: a run's own gate loads the machine too, and blocks are watched one by one.
fn load(one_minute: f64) -> Check {
    match one_minute > MOST_LOAD {
        true => Check::warn("other load", format!("{one_minute} tasks in the last minute"))
            .mend("ps -eo pcpu,pid,args --sort=-pcpu | head"),
        false => Check::ok("other load", format!("{one_minute} tasks in the last minute")),
    }
}
