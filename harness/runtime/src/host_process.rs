//! `process` isolation of every engine: the host executable is started again as `instance`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lumos_model::capability::Capabilities;
use lumos_model::cell::Target;
use lumos_model::protocol::ModeProof;
use lumos_os::spawn::ProcessCommand;
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::error::HostError;
use crate::launcher::{CommandLaunch, Launcher, PreparedLaunch, SandboxConfig};

/// How much longer an instance process waits for its guest than the host, which kills the
/// process first.
const GRACE: Duration = Duration::from_secs(2);

/// The argument of the command `instance`, as JSON. The environment of the process is the
/// guest's.
#[derive(Debug, Serialize, Deserialize)]
pub struct InstanceArgs {
    /// Runtime and mode.
    pub target: Target,
    /// The artifact's file.
    pub artifact: PathBuf,
    /// Bound on the linear memory, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The folder of the instance's files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The longest time of one invocation, in nanoseconds.
    pub timeout_ns: u64,
}

/// Launches instances of an engine in processes of its host executable.
pub struct HostProcesses<E> {
    engine: Arc<E>,
    host: PathBuf,
}

impl<E> HostProcesses<E> {
    /// A launcher that starts the executable `host`, which must be a host of `engine`.
    pub fn new(engine: Arc<E>, host: PathBuf) -> Self {
        Self { engine, host }
    }
}

impl<E: Engine> Launcher for HostProcesses<E> {
    fn capabilities(&self) -> Capabilities {
        self.engine.capabilities()
    }

    fn prove_mode(&self, target: &Target, artifact: &Path) -> Result<ModeProof, HostError> {
        self.engine.prove_mode(target, artifact, None)
    }

    fn prepare(&self, config: SandboxConfig) -> Result<Box<dyn PreparedLaunch>, HostError> {
        let SandboxConfig { target, artifact, instance, limits } = config;
        let args = InstanceArgs {
            target,
            artifact,
            memory_bytes: instance.memory_bytes,
            folder: instance.folder,
            timeout_ns: (limits.timeout.0 + GRACE).as_nanos() as u64,
        };
        let args = serde_json::to_string(&args).expect("plain data");
        let command = ProcessCommand {
            program: self.host.clone(),
            args: vec!["instance".into(), args],
            env: instance.env,
        };
        Ok(Box::new(CommandLaunch { command, limits }))
    }
}
