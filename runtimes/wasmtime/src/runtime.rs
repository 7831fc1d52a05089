//! The runtime as lumos sees it, with one engine for each mode.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lumos_model::capability::Capabilities;
use lumos_model::cell::Target;
use lumos_model::phase::Phase;
use lumos_model::protocol::ModeProof;
use lumos_os::clock::monotonic_ns;
use lumos_runtime::{
    Compiled, Engine, HostError, InstanceConfig, InvokeError, Marks, Resident, canary,
};

use crate::capabilities::{VERSION, capabilities};
use crate::engine::ModeEngine;
use crate::instance::WasmtimeInstance;
use crate::mode::Mode;
use crate::module::{WasmtimeModule, read_component};
use crate::proof;

/// Far longer than the canary loop takes on any machine.
const CANARY_TIMEOUT: Duration = Duration::from_secs(30);

/// Wasmtime in its three modes. The engine of a mode is created on first use and stays.
#[derive(Default)]
pub struct WasmtimeRuntime {
    engines: [Mutex<Option<Arc<ModeEngine>>>; Mode::ALL.len()],
}

impl WasmtimeRuntime {
    /// A runtime without engines.
    pub fn new() -> Self {
        Self::default()
    }

    fn engine(&self, mode: Mode) -> Result<Arc<ModeEngine>, HostError> {
        let mut engine = self.engines[mode as usize]
            .lock()
            .expect("no thread panics while it creates an engine");
        if engine.is_none() {
            *engine = Some(Arc::new(ModeEngine::new(mode)?));
        }
        Ok(Arc::clone(engine.as_ref().expect("created above")))
    }
}

impl Engine for WasmtimeRuntime {
    type Module = WasmtimeModule;
    type Instance = WasmtimeInstance;

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn compile(&self, target: &Target, from: &Path, to: &Path) -> Result<Compiled, HostError> {
        let mode = Mode::of(target)?;
        if mode != Mode::Aot {
            return Err(HostError::unsupported(format!(
                "{target} compiles nothing ahead of time; {} does",
                Mode::Aot.target()
            )));
        }
        let component = read_component(from)?;
        let code =
            self.engine(mode)?.engine.precompile_component(&component).map_err(|error| {
                HostError::artifact(from, format!("cannot be compiled: {error:#}"))
            })?;
        replace(to, &code)?;
        Ok(Compiled {
            compiler: format!("wasmtime {VERSION} (cranelift)"),
            flags: format!(
                "opt-level=speed epoch-interruption target={}-{} cpu-features=detected",
                std::env::consts::ARCH,
                std::env::consts::OS
            ),
        })
    }

    fn load(
        &self,
        target: &Target,
        artifact: &Path,
        marks: &mut Marks,
    ) -> Result<WasmtimeModule, HostError> {
        let mode = Mode::of(target)?;
        // The creation of the engine is part of provisioning, not of loading.
        let start_ns = monotonic_ns();
        let missing = self.engines[mode as usize].lock().is_ok_and(|engine| engine.is_none());
        let engine = self.engine(mode)?;
        if missing {
            marks.add(Phase::Provision, monotonic_ns() - start_ns);
        }
        WasmtimeModule::load(engine, artifact, marks)
    }

    fn load_for(
        &self,
        instances: u32,
        target: &Target,
        artifact: &Path,
        marks: &mut Marks,
    ) -> Result<WasmtimeModule, HostError> {
        let engine = Arc::new(ModeEngine::reserving(Mode::of(target)?, instances)?);
        WasmtimeModule::load(engine, artifact, marks)
    }

    fn instantiate(
        &self,
        module: &WasmtimeModule,
        config: &InstanceConfig,
        marks: &mut Marks,
    ) -> Result<WasmtimeInstance, HostError> {
        marks.span(Phase::Instantiate, || WasmtimeInstance::new(module, config))
    }

    fn prove_mode(
        &self,
        target: &Target,
        artifact: &Path,
        resident: Option<Resident<'_, WasmtimeModule>>,
    ) -> Result<ModeProof, HostError> {
        let mode = Mode::of(target)?;
        let refuse = |reason: String| HostError::Mode { target: target.to_string(), reason };
        let loaded;
        let module = match resident {
            Some(resident) => resident.module,
            None => {
                loaded = self.load(target, artifact, &mut Marks::default())?;
                &loaded
            }
        };
        let code = proof::describe_code(mode, module.component(), artifact)?.map_err(refuse)?;
        let mut instance = WasmtimeInstance::new(module, &InstanceConfig::default())?;
        canary::prove(target, mode.execution(), module.engine.setting(), code, |iterations| {
            match instance.canary(iterations, CANARY_TIMEOUT) {
                Some(Ok(value)) => Ok(value),
                Some(Err(error)) => Err(refuse(canary_failed(&error))),
                None => Err(HostError::artifact(
                    artifact,
                    "exports no `canary` loop, so its mode cannot be proven: build it with the \
                     lumos function SDK",
                )),
            }
        })
    }
}

fn canary_failed(error: &InvokeError) -> String {
    format!("its canary loop failed: {error}")
}

/// Writes `code` to `path` by renaming, so that processes that have the old file mapped keep it.
fn replace(path: &Path, code: &[u8]) -> Result<(), HostError> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    std::fs::write(&new, code)
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(|error| HostError::system(format!("write {}", path.display()), error))
}
