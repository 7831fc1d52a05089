//! Hosts and scenarios for tests that need a plan.

use std::collections::BTreeMap;
use std::path::Path;

use lumos_model::capability::{Capabilities, TargetCapability};
use lumos_model::cell::{Isolation, Start, Storage};
use lumos_scenario::Scenario;
use lumos_scenario::hosts::Host;

/// The functions that these scenarios may name.
pub const FUNCTIONS: [&str; 3] = ["noop", "fibonacci", "fuzzy-search"];

fn host(runtime: &str, targets: &[&str], isolations: &[Isolation]) -> Host {
    let targets = targets.iter().map(|target| TargetCapability {
        target: target.parse().unwrap(),
        unavailable: (*target == "wasmtime-jit").then(|| "no JIT here: install it".to_owned()),
        form: (*target).into(),
        compiled_from: None,
        isolations: isolations.to_vec(),
        starts: Start::ALL.to_vec(),
        storages: vec![Storage::Inline, Storage::Redis],
        settings: BTreeMap::new(),
    });
    Host {
        path: format!("lumos-host-{runtime}").into(),
        result: Ok(Capabilities {
            protocol: 1,
            runtime: runtime.to_owned(),
            versions: BTreeMap::new(),
            targets: targets.collect(),
        }),
    }
}

/// A native host, and a Wasmtime host whose JIT is unavailable.
pub fn hosts() -> Vec<Host> {
    vec![
        host("native", &["native"], &[Isolation::Process]),
        host("wasmtime", &["wasmtime-aot", "wasmtime-jit"], Isolation::ALL),
    ]
}

/// The scenario in `toml`, which must not have a name.
pub fn scenario(toml: &str) -> Scenario {
    let text = format!("name = \"t\"\n{toml}");
    Scenario::parse(&text, Path::new("t.toml"), &FUNCTIONS).unwrap_or_else(|e| panic!("{e}"))
}

/// A scenario with cells that cannot run on [`hosts`].
pub const SMALL: &str = r#"
    repetitions = 5
    block = 2
    [matrix]
    functions = ["noop", "fibonacci"]
    sizes = ["tiny"]
    targets = ["native", "wasmtime-aot", "wasmtime-jit", "wasmedge-aot"]
    isolation = ["process", "thread"]
    start = ["cold:process", "warm"]
"#;

/// A scenario under load: two drivers, two concurrencies, two keep-alives. The first native
/// cell is the control.
pub const LOAD: &str = r#"
    repetitions = 3
    [matrix]
    functions = ["noop"]
    sizes = ["tiny"]
    targets = ["native", "wasmtime-aot"]
    isolation = ["process", "thread"]
    [arrival]
    kind = "closed"
    concurrency = [4, 32]
    [load]
    driver = ["direct", "http"]
    duration = "2s"
    requests = 5000
    [pool]
    keep_alive = ["0s", "1s"]
"#;
