//! Ahead-of-time compilation with WasmEdge's SDK.

use std::path::Path;

use lumos_runtime::{Compiled, HostError};
use wasmedge_sdk::Compiler;

use crate::config::{self, GENERIC_CPU, INTERRUPTIBLE, OPTIMISATION};
use crate::{failure, log};

/// Compiles a core module to a shared library.
///
/// The library is written next to `to` and then renamed. A killed compiler leaves no partial
/// artifact, and a mapped artifact is not overwritten.
///
/// # Errors
/// When the input is not a valid module or the output cannot be written.
pub fn compile(from: &Path, to: &Path) -> Result<Compiled, HostError> {
    log::capture();
    log::take();
    let refuse = |error: Box<wasmedge_sdk::error::WasmEdgeError>| {
        let mut reason = error.to_string();
        for line in log::take() {
            reason.push_str("; ");
            reason.push_str(&line);
        }
        HostError::artifact(from, reason)
    };
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // The SDK appends the platform's file extension to the name.
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let draft = format!(".{name}.{}", std::process::id());
    let module = std::fs::read(from).map_err(|error| HostError::artifact(from, error))?;
    let compiler = Compiler::new(Some(&config::compiler()?)).map_err(refuse)?;
    let written = compiler.compile_from_bytes(module, draft, folder).map_err(refuse)?;
    std::fs::rename(&written, to)
        .map_err(|error| HostError::system(format!("rename {}", written.display()), error))?;
    Ok(Compiled { compiler: format!("wasmedge {}", failure::version()), flags: flags() })
}

/// The settings of both compilers that affect the code.
pub fn flags() -> String {
    format!("optimisation={OPTIMISATION:?} cpu={} interruptible={INTERRUPTIBLE}", cpu())
}

/// The CPU that the code is compiled for.
pub fn cpu() -> &'static str {
    if GENERIC_CPU { "generic" } else { "native" }
}
