//! Native functions: executables of their own that speak the instance protocol.
//!
//! There is no engine here. An instance is a process, so the only isolation is
//! `process` and the only cold rungs are those that make a process.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use lumos_model::artifact::Form;
use lumos_model::capability::{Capabilities, TargetCapability};
use lumos_model::cell::{Isolation, Start, Storage, Target};
use lumos_model::protocol::{ModeProof, PROTOCOL};
use lumos_model::wire::DATA_FOLDER;
use lumos_os::spawn::ProcessCommand;
use lumos_runtime::{HostError, Instance, InstanceConfig, InvokeError, Marks, Resident, Runtime};

/// The runtime that has none: functions are executables.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeRuntime;

/// Why nothing native lives in a thread.
const PROCESS_ONLY: &str = "a native function is an executable: it has process isolation only";

impl Runtime for NativeRuntime {
    type Module = ();
    type Instance = NoInstance;

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

    fn load(&self, _: &Target, _: &Path, _: &mut Marks) -> Result<(), HostError> {
        Err(HostError::unsupported(PROCESS_ONLY))
    }

    fn instantiate(
        &self,
        (): &(),
        _: &InstanceConfig,
        _: &mut Marks,
    ) -> Result<NoInstance, HostError> {
        Err(HostError::unsupported(PROCESS_ONLY))
    }

    /// A native artifact is machine code of this architecture: its ELF header says so.
    fn prove_mode(
        &self,
        target: &Target,
        artifact: &Path,
        _: Option<Resident<'_, ()>>,
    ) -> Result<ModeProof, HostError> {
        let code = elf_machine(artifact)?;
        Ok(ModeProof {
            target: target.clone(),
            setting: "executed by the kernel".to_owned(),
            code,
            canary_ns: 0,
            reference_ns: 0,
        })
    }

    fn process_command(
        &self,
        _: &Target,
        artifact: &Path,
        config: &InstanceConfig,
    ) -> Option<ProcessCommand> {
        let mut env = config.env.clone();
        if let Some(folder) = &config.folder {
            env.push((DATA_FOLDER.to_owned(), folder.to_string_lossy().into_owned()));
        }
        Some(ProcessCommand { program: artifact.to_owned(), args: Vec::new(), env })
    }
}

/// There is no instance inside a native host.
#[derive(Debug)]
pub enum NoInstance {}

impl Instance for NoInstance {
    fn invoke(
        &mut self,
        _: &[u8],
        _: Duration,
        _: &mut Vec<u8>,
        _: &mut Marks,
    ) -> Result<(), InvokeError> {
        match *self {}
    }

    fn memory_bytes(&self) -> u64 {
        match *self {}
    }
}

fn kernel_release() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().to_owned()
}

/// `e_machine` of a 64-bit little-endian ELF header (elf(5)) for this architecture.
const ELF_MACHINE: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

fn elf_machine(artifact: &Path) -> Result<String, HostError> {
    let mut head = [0; 20];
    File::open(artifact)
        .and_then(|mut file| file.read_exact(&mut head))
        .map_err(|e| HostError::artifact(artifact, format!("{e}; run scripts/build.sh")))?;
    let machine = u16::from_le_bytes([head[18], head[19]]);
    if &head[..5] != b"\x7fELF\x02" || machine != ELF_MACHINE {
        return Err(HostError::artifact(
            artifact,
            format!(
                "no executable of this machine ({}); run scripts/build.sh",
                std::env::consts::ARCH
            ),
        ));
    }
    Ok(format!("ELF executable for {}", std::env::consts::ARCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_program_is_native_code() {
        let target = "native".parse().unwrap();
        let proof =
            NativeRuntime.prove_mode(&target, &std::env::current_exe().unwrap(), None).unwrap();
        assert!(proof.code.starts_with("ELF executable"));
    }

    #[test]
    fn a_text_file_is_not() {
        let target = "native".parse().unwrap();
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = NativeRuntime.prove_mode(&target, &manifest, None).unwrap_err().to_string();
        assert!(error.contains("no executable of this machine"), "{error}");
        let error =
            NativeRuntime.prove_mode(&target, Path::new("/none"), None).unwrap_err().to_string();
        assert!(error.starts_with("/none: "), "{error}");
    }
}
