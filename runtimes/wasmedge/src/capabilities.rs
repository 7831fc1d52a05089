//! What the runtime offers.

use std::collections::BTreeMap;

use lumos_model::artifact::Form;
use lumos_model::capability::{Capabilities, TargetCapability};
use lumos_model::cell::{Isolation, Start, Storage};
use lumos_model::protocol::PROTOCOL;

use crate::compile;
use crate::config::OPTIMISATION;
use crate::failure;
use crate::mode::Mode;

pub fn capabilities() -> Capabilities {
    Capabilities {
        protocol: PROTOCOL,
        runtime: "wasmedge".to_owned(),
        versions: BTreeMap::from([("wasmedge".to_owned(), failure::version())]),
        targets: Mode::ALL.map(target).to_vec(),
    }
}

fn target(mode: Mode) -> TargetCapability {
    let p1 = Form::from(Form::P1);
    let (form, compiled_from) = match mode {
        Mode::Interp | Mode::Jit => (p1, None),
        Mode::Aot => (Form::from(mode.target().as_str()), Some(p1)),
    };
    TargetCapability {
        target: mode.target(),
        unavailable: None,
        form,
        compiled_from,
        isolations: vec![Isolation::Process, Isolation::Thread],
        starts: Start::SINGLE.to_vec(),
        storages: vec![Storage::Inline, Storage::Local, Storage::Redis, Storage::Host],
        settings: settings(mode),
    }
}

fn settings(mode: Mode) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::from([("run_mode".to_owned(), format!("{:?}", mode.run_mode()))]);
    let mut set = |key: &str, value: String| settings.insert(key.to_owned(), value);
    match mode {
        Mode::Interp => {
            set("interruption", "stop token, checked at each branch".to_owned());
        }
        Mode::Jit | Mode::Aot => {
            set("optimisation", format!("{OPTIMISATION:?}"));
            set("cpu", compile::cpu().to_owned());
            set("interruption", "signal; no checks in the code".to_owned());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_is_listed_once_with_its_form() {
        let found: Vec<_> = capabilities()
            .targets
            .into_iter()
            .map(|t| (t.target.to_string(), t.form.0, t.compiled_from.map(|form| form.0)))
            .collect();
        let p1 = || "p1".to_owned();
        assert_eq!(
            found,
            [
                ("wasmedge-interp".to_owned(), p1(), None),
                ("wasmedge-jit".to_owned(), p1(), None),
                ("wasmedge-aot".to_owned(), "wasmedge-aot".to_owned(), Some(p1())),
            ]
        );
    }
}
