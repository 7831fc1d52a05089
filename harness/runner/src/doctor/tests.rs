//! The findings for three machines.

use lumos_model::SCHEMA;
use lumos_model::capability::Capabilities;
use lumos_model::fingerprint::{CgroupMode, CoreClock, Fingerprint};
use lumos_model::health::Throttled;
use lumos_model::protocol::PROTOCOL;
use lumos_scenario::hosts::Host;

use super::*;

fn lines(checks: &[Check]) -> String {
    let line = |check: &Check| {
        let fix = check.fix.as_ref().map(|fix| format!("\n        {fix}")).unwrap_or_default();
        let fatal = if check.is_fatal() { " (fatal)" } else { "" };
        format!("{:7} {}{fatal}: {}{fix}", check.state.as_str(), check.check, check.meaning)
    };
    checks.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn host(runtime: &str, targets: &[(&str, Option<&str>)]) -> Host {
    let target = |(name, unavailable): &(&str, Option<&str>)| {
        serde_json::json!({
            "target": name, "unavailable": unavailable, "form": "p2", "isolations": [],
            "starts": [], "storages": [], "settings": {},
        })
    };
    let can = serde_json::json!({
        "schema": SCHEMA, "protocol": PROTOCOL, "runtime": runtime, "versions": {},
        "targets": targets.iter().map(target).collect::<Vec<_>>(),
    });
    let can: Capabilities = serde_json::from_value(can).unwrap();
    Host { path: format!("lumos-host-{runtime}").into(), result: Ok(can) }
}

fn software() -> Software {
    Software {
        hosts: vec![
            host("native", &[("native", None)]),
            host("wasmtime", &[("wasmtime-interp", None), ("wasmtime-aot", None)]),
        ],
        absent: vec![],
        artifacts: Ok(Built { artifacts: 45, ..Built::default() }),
        has_redis: true,
        cgroups: Ok(()),
        free_bytes: Some(20 << 30),
    }
}

fn words(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

fn clock(governor: &str) -> CoreClock {
    CoreClock {
        core: 0,
        governor: Some(governor.to_owned()),
        min_khz: Some(1_500_000),
        max_khz: Some(2_400_000),
        current_khz: Some(2_400_000),
    }
}

/// A Raspberry Pi 5 with nothing to complain about.
fn clean_pi() -> Facts {
    let fingerprint = Fingerprint {
        architecture: "aarch64".into(),
        cpu_model: Some("Cortex-A76".into()),
        board: Some("Raspberry Pi 5 Model B Rev 1.0".into()),
        cores: Some(4),
        clocks: vec![clock("performance")],
        memory_bytes: Some(8 << 30),
        swap_bytes: Some(0),
        kernel: Some("6.12.34+rpt-rpi-2712".into()),
        aslr: Some(2),
        transparent_hugepages: Some("madvise".into()),
        clock_source: Some("arch_sys_counter".into()),
        timer_slack_ns: Some(50_000),
        cgroup_mode: Some(CgroupMode::V2),
        cgroup_controllers: words("cpuset cpu io memory pids"),
        ..Fingerprint::default()
    };
    let machine = Machine {
        fingerprint,
        throttled: Some(Throttled(0)),
        temperature_c: Some(46.2),
        load_1m: Some(0.03),
        steal_share: Some(0.0),
        has_hardware_counters: true,
    };
    Facts { software: software(), machine }
}

/// The same board, badly set up.
fn neglected_pi() -> Facts {
    let mut facts = clean_pi();
    facts.software = Software {
        hosts: vec![host(
            "wasmedge",
            &[("wasmedge-aot", None), ("wasmedge-jit", Some("no JIT in this library"))],
        )],
        absent: words("native wasmtime"),
        artifacts: Err("no functions are built: artifacts.json cannot be read".into()),
        has_redis: false,
        cgroups: Err("permission denied".into()),
        free_bytes: Some(300 << 20),
    };
    let print = &mut facts.machine.fingerprint;
    print.clocks = vec![clock("ondemand")];
    print.cores = Some(1);
    print.swap_bytes = Some(512 << 20);
    print.kernel = Some("5.4.83-v8+".into());
    print.aslr = Some(0);
    print.transparent_hugepages = Some("always".into());
    print.clock_source = Some("hpet".into());
    print.timer_slack_ns = Some(1_000_000);
    print.cgroup_controllers = words("cpuset cpu io pids");
    facts.machine.throttled = Some(Throttled(0x50005));
    facts.machine.temperature_c = Some(78.9);
    facts.machine.load_1m = Some(2.4);
    facts.machine.has_hardware_counters = false;
    facts
}

/// A small virtual machine.
fn virtual_machine() -> Facts {
    let mut facts = clean_pi();
    facts.software.artifacts =
        Ok(Built { newer_source: Some("functions/noop/src/main.rs".into()), ..built(45) });
    let fingerprint = Fingerprint {
        architecture: "x86_64".into(),
        cpu_model: Some("Intel(R) Xeon(R) Processor".into()),
        cores: Some(2),
        smt: Some(true),
        swap_bytes: Some(0),
        kernel: Some("6.18.44".into()),
        virtualisation: Some("CPU flag `hypervisor`".into()),
        aslr: Some(2),
        transparent_hugepages: Some("madvise".into()),
        clock_source: Some("tsc".into()),
        timer_slack_ns: Some(50_000),
        cgroup_mode: Some(CgroupMode::Hybrid),
        cgroup_controllers: words("cpuset cpu cpuacct blkio memory devices freezer pids"),
        ..Fingerprint::default()
    };
    facts.machine = Machine {
        fingerprint,
        load_1m: Some(1.5),
        steal_share: Some(0.000_3),
        ..Machine::default()
    };
    facts
}

fn built(artifacts: usize) -> Built {
    Built { artifacts, ..Built::default() }
}

/// The cautions of a machine, as a report words them.
fn findings(machine: &Machine) -> Vec<String> {
    let finding = |warning| match warning {
        Warning::Machine { finding } => format!("{finding} (`lumos doctor`)"),
        other => panic!("{other:?} is not about the machine"),
    };
    cautions(machine).into_iter().map(finding).collect()
}

#[test]
fn a_clean_pi() {
    let facts = clean_pi();
    insta::assert_snapshot!(lines(&diagnose(&facts)));
    assert!(diagnose(&facts).iter().all(|check| check.state == State::Ok));
    assert_eq!(findings(&facts.machine), [""; 0]);
}

#[test]
fn a_neglected_pi() {
    let facts = neglected_pi();
    insta::assert_snapshot!(lines(&diagnose(&facts)));
    insta::assert_snapshot!("cautions_of_a_neglected_pi", findings(&facts.machine).join("\n"));
}

#[test]
fn a_virtual_machine() {
    let facts = virtual_machine();
    insta::assert_snapshot!(lines(&diagnose(&facts)));
    assert!(!diagnose(&facts).iter().any(Check::is_fatal));
    insta::assert_snapshot!("cautions_of_a_virtual_machine", findings(&facts.machine).join("\n"));
}

#[test]
fn throttling_in_the_past_is_told_from_throttling_now() {
    let machine = Machine { throttled: Some(Throttled(0x80000)), ..Machine::default() };
    let cautions = findings(&machine);
    assert!(
        cautions
            .iter()
            .any(|line| line.starts_with("soft temperature") && line.contains("since the boot")),
        "{cautions:?}"
    );
}
