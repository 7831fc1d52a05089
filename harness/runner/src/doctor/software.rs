//! Checks of what is installed and built.

use lumos_model::capability::TargetCapability;
use lumos_scenario::hosts::Host;

use super::check::Check;
use super::facts::Software;
use super::freshness::Built;

/// Twice what a run of a million rows of 480 bytes takes.
const MIN_FREE_BYTES: u64 = 1 << 30;

/// All checks of software.
pub(super) fn checks(software: &Software) -> Vec<Check> {
    let mut checks = hosts(software);
    checks.push(artifacts(&software.artifacts));
    checks.push(redis(software.has_redis));
    checks.push(permission(&software.cgroups));
    checks.extend(software.free_bytes.map(disk));
    checks
}

fn hosts(software: &Software) -> Vec<Check> {
    let mut checks: Vec<Check> = software.hosts.iter().map(host).collect();
    checks.extend(software.absent.iter().map(|runtime| {
        let meaning = "not built: its targets cannot run";
        let check = Check::missing(format!("host {runtime}"), meaning);
        essential_if_native(runtime, check.fix("./scripts/setup.sh && ./scripts/build.sh"))
    }));
    checks
}

fn host(host: &Host) -> Check {
    let name = format!("host {}", host.runtime());
    let can = match &host.result {
        Ok(can) => can,
        Err(why) => {
            let check = Check::missing(name, why).fix("./scripts/build.sh");
            return essential_if_native(host.runtime(), check);
        }
    };
    let (available, lacking): (Vec<_>, Vec<_>) =
        can.targets.iter().partition(|target| target.unavailable.is_none());
    let names = |targets: &[&TargetCapability]| {
        targets.iter().map(|target| target.target.to_string()).collect::<Vec<_>>().join(", ")
    };
    match (&available[..], &lacking[..]) {
        ([], []) => Check::missing(name, "has no targets"),
        (_, []) => Check::ok(name, names(&available)),
        (_, [first, ..]) => {
            let why = first.unavailable.as_deref().unwrap_or_default();
            let meaning = format!("cannot run {}: {why}", names(&lacking));
            match available.is_empty() {
                true => essential_if_native(host.runtime(), Check::missing(name, meaning)),
                false => Check::warn(name, meaning),
            }
        }
    }
}

/// `native` is the base of every ratio.
fn essential_if_native(runtime: &str, check: Check) -> Check {
    if runtime == "native" { check.essential() } else { check }
}

fn artifacts(built: &Result<Built, String>) -> Check {
    const NAME: &str = "functions";
    const BUILD: &str = "./scripts/build.sh";
    let built = match built {
        Ok(built) => built,
        Err(why) => return Check::missing(NAME, why).fix(BUILD).essential(),
    };
    match (&built.damaged[..], &built.newer_source) {
        _ if built.artifacts == 0 => {
            Check::missing(NAME, "no function is built").fix(BUILD).essential()
        }
        ([first, ..], _) => {
            let meaning = format!("{} of {}: {first}", built.damaged.len(), built.artifacts);
            Check::warn(NAME, meaning).fix(BUILD)
        }
        ([], Some(source)) => {
            let meaning = format!("{} changed after the build", source.display());
            Check::warn(NAME, meaning).fix(BUILD)
        }
        ([], None) => {
            Check::ok(NAME, format!("{} artifacts, unchanged since the build", built.artifacts))
        }
    }
}

fn redis(is_installed: bool) -> Check {
    match is_installed {
        true => Check::ok("redis-server", "lumos starts it when a scenario needs it"),
        false => Check::missing("redis-server", "cells with redis storage cannot run")
            .fix("sudo apt-get install redis-server"),
    }
}

fn permission(cgroups: &Result<(), String>) -> Check {
    const NAME: &str = "cgroup permission";
    match cgroups {
        Ok(()) => Check::ok(NAME, "each instance gets a control group of its own"),
        // A run has its own warning for this, so it needs no caution here.
        Err(why) => {
            let meaning =
                format!("limits are not applied, and memory and pressure are not measured: {why}");
            Check::warn(NAME, meaning).fix("sudo ./target/release/lumos run ..")
        }
    }
}

fn disk(free: u64) -> Check {
    let meaning = format!("{:.1} GiB free for runs", free as f64 / f64::from(1 << 30));
    match free < MIN_FREE_BYTES {
        true => Check::warn("disk", format!("{meaning}: a million rows take 0.5 GiB"))
            .fix("remove old runs from results/, or set another folder with lumos run --out"),
        false => Check::ok("disk", meaning),
    }
}
