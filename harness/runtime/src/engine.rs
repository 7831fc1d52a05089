//! The interface of runtimes whose instances live inside the host process.

use std::path::Path;
use std::time::Duration;

use lumos_model::capability::Capabilities;
use lumos_model::cell::Target;
use lumos_model::protocol::ModeProof;

use crate::error::{HostError, InvokeError};
use crate::instance_config::InstanceConfig;
use crate::marks::Marks;

/// A runtime that executes artifacts inside the host process.
///
/// A `Module` comes only from [`load`](Engine::load) and an `Instance` only from a
/// `Module`, so phases cannot run out of order.
pub trait Engine: Send + Sync + 'static {
    /// An artifact that was read and then compiled or mapped.
    type Module: Send + Sync;
    /// An instance. One thread may create it and others invoke it, one at a time.
    type Instance: Instance + Send + 'static;

    /// Targets, versions and settings, with the reason for each target that is unavailable.
    fn capabilities(&self) -> Capabilities;

    /// Compiles `from` ahead of time for `target` and writes the code to `to`.
    ///
    /// # Errors
    /// When the target has no ahead-of-time compiler or the input is not a valid module.
    fn compile(&self, target: &Target, from: &Path, to: &Path) -> Result<Compiled, HostError> {
        let _ = (from, to);
        Err(HostError::unsupported(format!("{target} compiles nothing ahead of time")))
    }

    /// Reads and validates an artifact ([`Phase::Load`]), then compiles or maps its code
    /// ([`Phase::Compile`]).
    ///
    /// # Errors
    /// When the file cannot be read, has another form than the target's, or would not run
    /// in the target's mode.
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
    /// a time in this process. The engine may reserve their memory.
    ///
    /// # Errors
    /// As `load`, and when the memory cannot be reserved.
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

    /// Links the module, allocates its memory and initialises it, so that it can serve a
    /// request ([`Phase::Instantiate`]).
    ///
    /// # Errors
    /// When an import is missing or the instance exceeds its limits.
    ///
    /// [`Phase::Instantiate`]: lumos_model::phase::Phase::Instantiate
    fn instantiate(
        &self,
        module: &Self::Module,
        config: &InstanceConfig,
        marks: &mut Marks,
    ) -> Result<Self::Instance, HostError>;

    /// Proves that `artifact` runs in the target's mode: the mode is set, the code is
    /// mapped as the mode requires, and the canary takes the time of that mode. If the
    /// artifact is already loaded, `resident` is its module and it is not loaded again.
    ///
    /// # Errors
    /// When any of these contradicts the mode. Without a proof nothing is measured.
    fn prove_mode(
        &self,
        target: &Target,
        artifact: &Path,
        resident: Option<Resident<'_, Self::Module>>,
    ) -> Result<ModeProof, HostError>;
}

/// An instance of a function. It serves one invocation at a time.
pub trait Instance {
    /// Serves one invocation: copies `request` in ([`Phase::Request`]), calls the
    /// function, and replaces the content of `answer` with its envelope
    /// ([`Phase::Response`]). The guest's own phases stay in the envelope.
    ///
    /// # Errors
    /// When the guest trapped, ran out of memory or exceeded the `timeout`. The instance
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

    /// Size of the linear memory in bytes; zero if it has none.
    fn memory_bytes(&self) -> u64;
}

/// A module that is loaded, with the configuration of its instances.
#[derive(Clone, Copy, Debug)]
pub struct Resident<'m, M> {
    /// The module.
    pub module: &'m M,
    /// The configuration of its instances.
    pub config: &'m InstanceConfig,
}

/// What an ahead-of-time compiler reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// Name and version of the compiler.
    pub compiler: String,
    /// The settings that affect the code.
    pub flags: String,
}
