//! What the runtime offers, and how its sandboxes start.

use std::collections::BTreeMap;
use std::path::Path;

use lumos_model::artifact::Form;
use lumos_model::capability::{Capabilities, TargetCapability};
use lumos_model::cell::{Isolation, Start, Storage, Target};
use lumos_model::protocol::{ModeProof, PROTOCOL};
use lumos_model::wire::DATA_FOLDER;
use lumos_os::spawn::ProcessCommand;
use lumos_runtime::{CommandLaunch, HostError, Launcher, PreparedLaunch, SandboxConfig};

use crate::elf;

/// Launches native executables.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeLauncher;

impl Launcher for NativeLauncher {
    fn capabilities(&self) -> Capabilities {
        let target: Target = "native".parse().expect("a plain word");
        let settings = [
            ("cpu", "the compiler's baseline for this architecture, no target-cpu"),
            ("interruption", "the process is killed"),
        ];
        Capabilities {
            protocol: PROTOCOL,
            runtime: "native".to_owned(),
            versions: BTreeMap::from([("kernel".to_owned(), kernel_release())]),
            targets: vec![TargetCapability {
                target,
                unavailable: None,
                form: Form::from(Form::NATIVE),
                compiled_from: None,
                isolations: vec![Isolation::Process],
                starts: vec![Start::Warm, Start::ColdProcess, Start::ColdImage],
                storages: vec![Storage::Inline, Storage::Local, Storage::Redis],
                settings: settings.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            }],
        }
    }

    /// Reads the artifact's ELF header: it must be machine code of this architecture. The
    /// canary is not run, because the kernel executes the file without an engine.
    fn prove_mode(&self, target: &Target, artifact: &Path) -> Result<ModeProof, HostError> {
        Ok(ModeProof {
            target: target.clone(),
            setting: "executed by the kernel".to_owned(),
            code: elf::describe_code(artifact)?,
            canary_ns: 0,
            reference_ns: 0,
        })
    }

    fn prepare(&self, config: SandboxConfig) -> Result<Box<dyn PreparedLaunch>, HostError> {
        let SandboxConfig { artifact, instance, limits, .. } = config;
        let mut env = instance.env;
        if let Some(folder) = &instance.folder {
            env.push((DATA_FOLDER.to_owned(), folder.to_string_lossy().into_owned()));
        }
        let command = ProcessCommand { program: artifact, args: Vec::new(), env };
        Ok(Box::new(CommandLaunch { command, limits }))
    }
}

fn kernel_release() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prove(artifact: &Path) -> Result<ModeProof, HostError> {
        NativeLauncher.prove_mode(&"native".parse().unwrap(), artifact)
    }

    #[test]
    fn an_executable_is_proven_to_be_native_code() {
        let proof = prove(&std::env::current_exe().unwrap()).unwrap();
        assert!(proof.code.starts_with("ELF executable"));
    }

    #[test]
    fn a_text_file_and_a_missing_file_are_not_proven() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = prove(&manifest).unwrap_err().to_string();
        assert!(error.contains("no executable of this machine"), "{error}");
        let error = prove(Path::new("/none")).unwrap_err().to_string();
        assert!(error.starts_with("/none: "), "{error}");
    }
}
