//! What the runtime offers.

use std::collections::BTreeMap;

use lumos_model::artifact::Form;
use lumos_model::capability::{Capabilities, TargetCapability};
use lumos_model::cell::{Isolation, Start, Storage};
use lumos_model::protocol::PROTOCOL;

use crate::mode::{Mode, RUNTIME};

/// The version of Wasmtime.
pub const VERSION: &str = wasmtime_environ::VERSION;

pub fn capabilities() -> Capabilities {
    Capabilities {
        protocol: PROTOCOL,
        runtime: RUNTIME.to_owned(),
        versions: BTreeMap::from([(RUNTIME.to_owned(), VERSION.to_owned())]),
        targets: Mode::ALL.map(target).into(),
    }
}

fn target(mode: Mode) -> TargetCapability {
    TargetCapability {
        target: mode.target(),
        unavailable: None,
        form: mode.form(),
        compiled_from: (mode == Mode::Aot).then(|| Form::P2.into()),
        isolations: vec![Isolation::Process, Isolation::Thread],
        starts: Start::SINGLE.to_vec(),
        storages: vec![Storage::Inline, Storage::Local, Storage::Redis, Storage::Host],
        settings: settings(mode),
    }
}

fn settings(mode: Mode) -> BTreeMap<String, String> {
    let code = match mode {
        Mode::Interp => "Pulley bytecode by Cranelift, compiled when loaded on one thread",
        Mode::Jit => "machine code by Cranelift, compiled when loaded on one thread",
        Mode::Aot => "machine code by Cranelift, compiled by the build",
    };
    [
        ("code", code),
        ("optimisation", "speed"),
        ("interruption", "epoch (async yield)"),
        ("simd", "as the module; the host's CPU features are detected"),
        ("memory", "copy-on-write image, guard pages, bounded by the instance's limit"),
        ("allocator", "on-demand"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ahead_of_time_code_has_a_compiler() {
        let capabilities = capabilities();
        let of = |name: &str| {
            capabilities.targets.iter().find(|t| t.target.as_str() == name).expect("a target")
        };
        assert_eq!(of("wasmtime-aot").compiled_from, Some(Form::P2.into()));
        assert_eq!(of("wasmtime-aot").form, Form("wasmtime-aot".into()));
        for name in ["wasmtime-interp", "wasmtime-jit"] {
            assert_eq!((of(name).compiled_from.clone(), of(name).form.0.as_str()), (None, "p2"));
        }
    }
}
