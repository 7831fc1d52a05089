//! The WasmEdge host: interpreter, JIT and AoT behind [`lumos_runtime::Runtime`].
//!
//! What is peculiar to WasmEdge and where it is dealt with:
//! - it interprets in silence when anything is amiss: [`proof`];
//! - its JIT compiles inside of a VM's first instantiation: [`module`];
//! - it cannot interrupt compiled code at no cost: [`watchdog`] and [`interrupt`];
//! - it explains its errors in its log only: [`log`];
//! - a guest that has its host store things imports the module `lumos`: `storage`.
//!
//! What it does not survive: unbounded recursion of compiled code. WasmEdge's fault
//! handler runs on the stack that has just overflowed, so the process dies of SIGSEGV.
//! With process isolation that is one dead instance, with thread isolation the host.

pub mod ast;
pub mod capabilities;
pub mod compile;
pub mod config;
pub mod failure;
pub mod instance;
pub mod interrupt;
pub mod log;
pub mod maps;
pub mod mode;
pub mod module;
pub mod proof;
mod storage;
pub mod surroundings;
pub mod vm;
pub mod watchdog;

use std::path::Path;

use instance::Instance;
use lumos_model::capability::Capabilities;
use lumos_model::cell::Target;
use lumos_model::protocol::ModeProof;
use lumos_runtime::{Compiled, HostError, InstanceConfig, Marks, Resident};
use mode::Mode;
use module::Module;

/// WasmEdge.
#[derive(Debug)]
pub struct WasmEdgeRuntime {
    /// Executable mappings before any guest had code; `Err`: they cannot be read.
    baseline: Result<proof::CodeSeen, HostError>,
}

impl WasmEdgeRuntime {
    /// The runtime; WasmEdge's log is captured from here on.
    #[must_use]
    pub fn new() -> Self {
        log::capture();
        Self { baseline: proof::CodeSeen::now(&maps::CodeHome::Anonymous) }
    }
}

impl Default for WasmEdgeRuntime {
    fn default() -> Self {
        Self::new()
    }
}

impl lumos_runtime::Runtime for WasmEdgeRuntime {
    type Module = Module;
    type Instance = Instance;

    fn capabilities(&self) -> Capabilities {
        capabilities::capabilities()
    }

    fn compile(&self, target: &Target, from: &Path, to: &Path) -> Result<Compiled, HostError> {
        match Mode::of(target)? {
            Mode::Aot => compile::compile(from, to),
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
