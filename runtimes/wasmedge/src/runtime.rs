//! The runtime as lumos sees it.

use std::path::Path;

use lumos_model::capability::Capabilities;
use lumos_model::cell::Target;
use lumos_model::protocol::ModeProof;
use lumos_runtime::{Compiled, Engine, HostError, InstanceConfig, Marks, Resident};

use crate::capabilities::capabilities;
use crate::compile::compile;
use crate::instance::Instance;
use crate::log;
use crate::maps::CodeHome;
use crate::mode::Mode;
use crate::module::Module;
use crate::proof::{self, CodeSeen};

/// WasmEdge in its three modes.
#[derive(Debug)]
pub struct WasmEdgeRuntime {
    /// Executable mappings before the code of any guest; an error if they cannot be read.
    baseline: Result<CodeSeen, HostError>,
}

impl WasmEdgeRuntime {
    /// Creates the runtime and redirects WasmEdge's log.
    #[must_use]
    pub fn new() -> Self {
        log::capture();
        Self { baseline: CodeSeen::now(&CodeHome::Anonymous) }
    }
}

impl Default for WasmEdgeRuntime {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for WasmEdgeRuntime {
    type Module = Module;
    type Instance = Instance;

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn compile(&self, target: &Target, from: &Path, to: &Path) -> Result<Compiled, HostError> {
        match Mode::of(target)? {
            Mode::Aot => compile(from, to),
            Mode::Interp | Mode::Jit => Err(HostError::unsupported(format!(
                "{target} compiles nothing ahead of time: it runs the .wasm file"
            ))),
        }
    }

    fn load(
        &self,
        target: &Target,
        artifact: &Path,
        marks: &mut Marks,
    ) -> Result<Module, HostError> {
        Module::load(Mode::of(target)?, artifact, marks)
    }

    fn instantiate(
        &self,
        module: &Module,
        config: &InstanceConfig,
        marks: &mut Marks,
    ) -> Result<Instance, HostError> {
        Instance::new(module, config, marks)
    }

    fn prove_mode(
        &self,
        target: &Target,
        artifact: &Path,
        resident: Option<Resident<'_, Module>>,
    ) -> Result<ModeProof, HostError> {
        proof::prove(Mode::of(target)?, artifact, resident, &self.baseline)
    }
}
