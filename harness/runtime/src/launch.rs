//! How the host executable is started again to serve one instance.

use std::path::PathBuf;
use std::time::Duration;

use lumos_model::cell::Target;
use lumos_os::spawn::ProcessCommand;
use serde::{Deserialize, Serialize};

use crate::engine::InstanceConfig;

/// What an instance process is told on its command line, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub struct InstanceArgs {
    /// The target.
    pub target: Target,
    /// The artifact's file.
    pub artifact: PathBuf,
    /// Bound on the linear memory, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The folder of its files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The longest that one invocation may take, in nanoseconds.
    pub timeout_ns: u64,
}

/// The command that starts `host` as an instance of `artifact`; the environment is the
/// guest's.
pub fn command(
    host: PathBuf,
    target: &Target,
    artifact: PathBuf,
    config: &InstanceConfig,
    timeout: Duration,
) -> ProcessCommand {
    let args = InstanceArgs {
        target: target.clone(),
        artifact,
        memory_bytes: config.memory_bytes,
        folder: config.folder.clone(),
        timeout_ns: timeout.as_nanos() as u64,
    };
    let args = serde_json::to_string(&args).expect("plain data");
    ProcessCommand { program: host, args: vec!["instance".into(), args], env: config.env.clone() }
}
