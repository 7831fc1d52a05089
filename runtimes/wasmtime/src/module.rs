//! An artifact, ready to be instantiated.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lumos_model::phase::Phase;
use lumos_runtime::{HostError, Marks};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};
use wasmtime::{Engine, Precompiled};

use crate::engine::ModeEngine;
use crate::instance::Guest;
use crate::mode::Mode;

const BUILD: &str = "scripts/build.sh builds the artifacts";

/// A component that was read and compiled or mapped, with its imports linked.
pub struct WasmtimeModule {
    pub(crate) engine: Arc<ModeEngine>,
    pub(crate) path: PathBuf,
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) invoke: ComponentExportIndex,
    /// A stranger's component may have none; then its mode cannot be proven.
    pub(crate) canary: Option<ComponentExportIndex>,
}

impl WasmtimeModule {
    pub(crate) fn load(
        engine: Arc<ModeEngine>,
        path: &Path,
        marks: &mut Marks,
    ) -> Result<Self, HostError> {
        let component = match engine.mode {
            Mode::Interp | Mode::Jit => {
                let bytes = marks.span(Phase::Load, || read_component(path))?;
                marks.span(Phase::Compile, || Component::new(&engine.engine, &bytes)).map_err(
                    |error| {
                        HostError::artifact(path, format!("no valid component: {error:#}; {BUILD}"))
                    },
                )?
            }
            Mode::Aot => {
                marks.span(Phase::Load, || check_code(path))?;
                marks.span(Phase::Compile, || map(&engine.engine, path))?
            }
        };
        marks.span(Phase::Instantiate, || Self::link(engine, path, &component))
    }

    fn link(
        engine: Arc<ModeEngine>,
        path: &Path,
        component: &Component,
    ) -> Result<Self, HostError> {
        let invoke = component.get_export_index(None, "invoke").ok_or_else(|| {
            HostError::artifact(
                path,
                "the component exports no `invoke`: build it with the lumos function SDK",
            )
        })?;
        let canary = component.get_export_index(None, "canary");
        let pre = engine.linker.instantiate_pre(component).map_err(|error| {
            HostError::artifact(
                path,
                format!(
                    "an import is part neither of WASI 0.2 nor of lumos:function, and nothing else \
                     is offered: {error:#}"
                ),
            )
        })?;
        Ok(Self { engine, path: path.to_owned(), pre, invoke, canary })
    }

    /// The component.
    pub(crate) fn component(&self) -> &Component {
        self.pre.component()
    }
}

/// Reads a file that should be a component and says what it is if it is none.
pub fn read_component(path: &Path) -> Result<Vec<u8>, HostError> {
    // "\0asm", then a 16-bit version and a 16-bit layer: 0 is a core module, 1 a component.
    const WASM: &[u8] = b"\0asm";
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let wrong = |what: &str| Err(HostError::artifact(path, format!("{what}; {BUILD}")));
    match bytes.get(..8) {
        _ if Engine::detect_precompiled(&bytes).is_some() => {
            wrong("ahead-of-time code of Wasmtime, where a component (.wasm) is wanted")
        }
        Some(header) if header.starts_with(WASM) && header[6..] == [1, 0] => Ok(bytes),
        Some(header) if header.starts_with(WASM) => wrong(
            "a core WebAssembly module, where a component is wanted: build it for wasm32-wasip2",
        ),
        _ => wrong("no WebAssembly component"),
    }
}

/// Refuses what is no ahead-of-time code of a component.
fn check_code(path: &Path) -> Result<(), HostError> {
    // The ELF parser cannot tell a missing file from a malformed one.
    std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let what = match Engine::detect_precompiled_file(path) {
        Ok(Some(Precompiled::Component)) => return Ok(()),
        Ok(Some(Precompiled::Module)) => "ahead-of-time code of a core module, not of a component",
        Ok(None) | Err(_) => "no ahead-of-time code of Wasmtime",
    };
    Err(HostError::artifact(path, format!("{what}; {BUILD}")))
}

/// Maps ahead-of-time code into the process.
fn map(engine: &Engine, path: &Path) -> Result<Component, HostError> {
    // SAFETY: the file must be what `Engine::precompile_component` wrote, unchanged, and
    // must not change while it is mapped. Artifacts come from the manifest of the user's
    // own build, `compile` replaces them whole by renaming, and the engine checks its
    // version, settings and CPU features, which are in the file.
    unsafe { Component::deserialize_file(engine, path) }.map_err(|error| {
        HostError::artifact(
            path,
            format!("this engine cannot run its ahead-of-time code: {error:#}; {BUILD}"),
        )
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> HostError {
    HostError::artifact(path, format!("{error}; {BUILD}"))
}
