//! The interface of runtimes whose instances are processes of their own.

use std::path::{Path, PathBuf};

use lumos_model::capability::Capabilities;
use lumos_model::cell::Target;
use lumos_model::protocol::{Limits, ModeProof, Prepare};
use lumos_os::spawn::ProcessCommand;

use crate::error::HostError;
use crate::instance_config::InstanceConfig;
use crate::sandbox::{NewGroup, Sandbox};

/// A runtime that starts sandboxes: processes that each hold one instance.
pub trait Launcher: Send + Sync + 'static {
    /// Targets, versions and settings, with the reason for each target that is unavailable.
    fn capabilities(&self) -> Capabilities;

    /// Proves that `artifact` runs in the target's mode.
    ///
    /// # Errors
    /// When the evidence contradicts the mode. Without a proof nothing is measured.
    fn prove_mode(&self, target: &Target, artifact: &Path) -> Result<ModeProof, HostError>;

    /// Prepares to launch sandboxes of `config`. All work that they have in common is done
    /// here, before any clock starts.
    ///
    /// # Errors
    /// When no such sandbox can be launched.
    fn prepare(&self, config: SandboxConfig) -> Result<Box<dyn PreparedLaunch>, HostError>;
}

/// A launch that can be repeated.
pub trait PreparedLaunch: Send + Sync {
    /// Launches a sandbox in a new control group, or in none.
    ///
    /// # Errors
    /// When the group or the sandbox cannot be created.
    fn launch(&self, group: Option<NewGroup<'_>>) -> Result<Sandbox, HostError>;
}

/// The configuration of the sandboxes of one function.
#[derive(Clone, Debug, PartialEq)]
pub struct SandboxConfig {
    /// Runtime and mode.
    pub target: Target,
    /// The artifact's file.
    pub artifact: PathBuf,
    /// The configuration of the instance.
    pub instance: InstanceConfig,
    /// Bounds on the sandbox.
    pub limits: Limits,
}

impl From<&Prepare> for SandboxConfig {
    fn from(prepare: &Prepare) -> Self {
        Self {
            target: prepare.target.clone(),
            artifact: prepare.artifact.clone(),
            instance: InstanceConfig::from(prepare),
            limits: prepare.limits.clone(),
        }
    }
}

/// A launch that starts one command, without further state.
pub struct CommandLaunch {
    /// The program, which speaks the frame protocol.
    pub command: ProcessCommand,
    /// The limits of its control group.
    pub limits: Limits,
}

impl PreparedLaunch for CommandLaunch {
    fn launch(&self, group: Option<NewGroup<'_>>) -> Result<Sandbox, HostError> {
        Sandbox::start(&self.command, group, &self.limits)
    }
}
