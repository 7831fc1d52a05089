//! What a runtime's crate must provide.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lumos_model::capability::Capabilities;
use lumos_model::cell::Target;
use lumos_model::protocol::{ModeProof, Prepare};
use lumos_os::spawn::ProcessCommand;

use crate::error::{HostError, InvokeError};
use crate::marks::Marks;

/// An engine that executes artifacts.
///
/// A `Module` comes only from [`load`](Runtime::load) and an `Instance` only from a
/// `Module`, so that phases cannot run out of order.
pub trait Runtime: Send + Sync + 'static {
    /// An artifact that was read and compiled or mapped; it stays resident.
    type Module: Send + Sync;
    /// A provisioned sandbox; one thread may make it and others invoke it in turn.
    type Instance: Instance + Send;

    /// Targets, versions and settings; what is unavailable here and why.
    fn capabilities(&self) -> Capabilities;

    /// Compiles `from` ahead of time for `target` and writes the code to `to`.
    ///
    /// # Errors
    /// When the target has no ahead-of-time compiler or the input is no valid module.
    fn compile(&self, target: &Target, from: &Path, to: &Path) -> Result<Compiled, HostError> {
        let _ = (from, to);
        Err(HostError::unsupported(format!("{target} compiles nothing ahead of time")))
    }

    /// Reads and validates an artifact ([`Phase::Load`]) and compiles or maps its code
    /// ([`Phase::Compile`]).
    ///
    /// # Errors
    /// When the file cannot be read, is not of the target's form, or would not run in
    /// the target's mode.
    ///
    /// [`Phase::Load`]: lumos_model::phase::Phase::Load
    /// [`Phase::Compile`]: lumos_model::phase::Phase::Compile
    fn load(
        &self,
        target: &Target,
        artifact: &Path,
        marks: &mut Marks,
    ) -> Result<Self::Module, HostError>;

    /// Like [`load`](Self::load), for a module that will have up to `instances` instances at
    /// one time in this process, whose memory may be reserved beforehand. As `load`, unless
    /// an engine has something better.
    ///
    /// # Errors
    /// As `load`, and when so much cannot be reserved.
    fn load_for(
        &self,
        instances: u32,
        target: &Target,
        artifact: &Path,
        marks: &mut Marks,
    ) -> Result<Self::Module, HostError> {
        let _ = instances;
        self.load(target, artifact, marks)
    }

    /// Links, makes memory, initialises: ready to serve ([`Phase::Instantiate`]).
    ///
    /// # Errors
    /// When an import is missing or the instance does not fit its limits.
    ///
    /// [`Phase::Instantiate`]: lumos_model::phase::Phase::Instantiate
    fn instantiate(
        &self,
        module: &Self::Module,
        config: &InstanceConfig,
        marks: &mut Marks,
    ) -> Result<Self::Instance, HostError>;

    /// Shows that `artifact` runs in the target's mode: mode set, code mapped, canary.
    /// What is `resident` already, loaded from that artifact, need not be loaded again.
    ///
    /// # Errors
    /// When any of it says otherwise. No proof, no measurement.
    fn prove_mode(
        &self,
        target: &Target,
        artifact: &Path,
        resident: Option<Resident<'_, Self::Module>>,
    ) -> Result<ModeProof, HostError>;

    /// The program that serves an instance in a process of its own. `None`: this host's
    /// own executable, started again as `instance`.
    fn process_command(
        &self,
        target: &Target,
        artifact: &Path,
        config: &InstanceConfig,
    ) -> Option<ProcessCommand> {
        let _ = (target, artifact, config);
        None
    }
}

/// A module that stays in memory, and what its instances are given.
#[derive(Clone, Copy, Debug)]
pub struct Resident<'m, M> {
    /// The module.
    pub module: &'m M,
    /// What its instances are given.
    pub config: &'m InstanceConfig,
}

/// A provisioned sandbox of a function; it serves one invocation at a time.
pub trait Instance {
    /// Serves one invocation: copies `request` in ([`Phase::Request`]), calls the
    /// function, and copies its envelope into `answer` ([`Phase::Response`]), whose old
    /// content is dropped. Guest phases stay in the envelope.
    ///
    /// # Errors
    /// When the guest trapped, ran out of memory or passed the `timeout`; the instance
    /// is then dead and must be dropped.
    ///
    /// [`Phase::Request`]: lumos_model::phase::Phase::Request
    /// [`Phase::Response`]: lumos_model::phase::Phase::Response
    fn invoke(
        &mut self,
        request: &[u8],
        timeout: Duration,
        answer: &mut Vec<u8>,
        marks: &mut Marks,
    ) -> Result<(), InvokeError>;

    /// Size of the linear memory in bytes; zero: it has none.
    fn memory_bytes(&self) -> u64;
}

/// What an instance is given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceConfig {
    /// Its environment, complete.
    pub env: Vec<(String, String)>,
    /// Bound on its linear memory in bytes; `None`: the engine's own.
    pub memory_bytes: Option<u64>,
    /// The folder of its files, which a wasm guest sees as [`GUEST_FOLDER`]. It learns
    /// the path by [`DATA_FOLDER`] of its environment, which the runtime adds.
    ///
    /// [`DATA_FOLDER`]: lumos_model::wire::DATA_FOLDER
    pub folder: Option<PathBuf>,
}

impl From<&Prepare> for InstanceConfig {
    /// What the scenario's limits and environment mean for an instance.
    fn from(prepare: &Prepare) -> Self {
        Self {
            env: prepare.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            memory_bytes: prepare.limits.memory.map(|memory| memory.0),
            folder: prepare.folder.clone(),
        }
    }
}

/// Where a wasm guest sees the folder of its files.
pub const GUEST_FOLDER: &str = "/data";

/// What an ahead-of-time compiler says of its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// Its name and version.
    pub compiler: String,
    /// The settings that bear on the code.
    pub flags: String,
}
