//! A module: an artifact that is ready to be instantiated.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lumos_model::phase::Phase;
use lumos_runtime::{HostError, Marks};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};
use wasmtime::{Engine, Precompiled};

use crate::engine::ModeEngine;
use crate::guest::Guest;
use crate::mode::Mode;

const BUILD: &str = "scripts/build.sh builds the artifacts";

/// A component that was read, compiled or mapped, and linked with its imports.
pub struct WasmtimeModule {
    pub(crate) engine: Arc<ModeEngine>,
    pub(crate) path: PathBuf,
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) invoke: ComponentExportIndex,
    /// A component that was not built with the lumos SDK may have none. Its mode cannot be
    /// proven then.
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
                    "an import belongs neither to WASI 0.2 nor to lumos:function, and the host offers \
                     no other interface: {error:#}"
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

/// Reads a component. The error says what the file is instead.
pub fn read_component(path: &Path) -> Result<Vec<u8>, HostError> {
    // "\0asm", then a 16-bit version and a 16-bit layer: 0 is a core module, 1 a component.
    const WASM: &[u8] = b"\0asm";
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let wrong = |what: &str| Err(HostError::artifact(path, format!("{what}; {BUILD}")));
    match bytes.get(..8) {
        _ if Engine::detect_precompiled(&bytes).is_some() => {
            wrong("ahead-of-time code of Wasmtime; a component (.wasm) is needed")
        }
        Some(header) if header.starts_with(WASM) && header[6..] == [1, 0] => Ok(bytes),
        Some(header) if header.starts_with(WASM) => {
            wrong("a core WebAssembly module; a component is needed: build it for wasm32-wasip2")
        }
        _ => wrong("no WebAssembly component"),
    }
}

/// Checks that the file is ahead-of-time code of a component.
fn check_code(path: &Path) -> Result<(), HostError> {
    // The ELF parser reports a missing file as a malformed one.
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
    // SAFETY: the file must be the unchanged output of `Engine::precompile_component` and must
    // not change while it is mapped. Artifacts come from the manifest of the user's own build,
    // and `compile` replaces them as a whole by renaming. The engine checks its version,
    // settings and CPU features, which are in the file.
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
