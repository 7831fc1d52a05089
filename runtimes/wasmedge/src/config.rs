//! WasmEdge's configuration: mode, memory and compiler settings.

use lumos_runtime::HostError;
use wasmedge_sdk::config::{CommonConfigOptions, CompilerConfigOptions, ConfigBuilder};
use wasmedge_sdk::{CompilerOptimizationLevel, CompilerOutputFormat};
use wasmedge_sys::{Config, ffi};

use crate::mode::Mode;
use crate::vm::PAGE_BYTES;

/// The optimisation of both compilers, which is WasmEdge's default.
pub const OPTIMISATION: CompilerOptimizationLevel = CompilerOptimizationLevel::O3;
/// Code is compiled for this machine's CPU, which is WasmEdge's default, and not for the
/// architecture's baseline.
pub const GENERIC_CPU: bool = false;
/// Compiled code has no checks for interruption, which would be measured with the guest. The
/// watchdog replaces them.
pub const INTERRUPTIBLE: bool = false;

/// The configuration of an engine.
///
/// # Errors
/// When WasmEdge cannot create it.
pub fn engine(mode: Mode, memory_bytes: Option<u64>) -> Result<Config, HostError> {
    let mut config = Config::create().map_err(HostError::engine)?;
    config.set_run_mode(mode.run_mode());
    config.set_aot_optimization_level(OPTIMISATION);
    config.generic_binary(GENERIC_CPU);
    config.interruptible(INTERRUPTIBLE);
    if let Some(pages) = memory_pages(memory_bytes) {
        config.set_max_memory_pages(pages);
    }
    if mode == Mode::Jit {
        // SAFETY: the configuration is not shared yet. The SDK offers no function for this.
        unsafe {
            ffi::WasmEdge_ConfigureAddHostRegistration(
                config.as_ptr().cast_mut(),
                ffi::WasmEdge_HostRegistration_Wasi,
            );
        }
    }
    Ok(config)
}

/// The whole pages of memory within a bound.
pub fn memory_pages(memory_bytes: Option<u64>) -> Option<u32> {
    memory_bytes.map(|bytes| u32::try_from(bytes / PAGE_BYTES).unwrap_or(u32::MAX).min(1 << 16))
}

/// The configuration of the AoT compiler, for code in a shared library.
///
/// # Errors
/// When WasmEdge cannot create it.
pub fn compiler() -> Result<wasmedge_sdk::config::Config, HostError> {
    let options = CompilerConfigOptions::new()
        .out_format(CompilerOutputFormat::Native)
        .optimization_level(OPTIMISATION)
        .generic_binary(GENERIC_CPU)
        .interruptible(INTERRUPTIBLE);
    ConfigBuilder::new(CommonConfigOptions::new().run_mode(Mode::Aot.run_mode()))
        .with_compiler_config(options)
        .build()
        .map_err(HostError::engine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_has_the_mode_and_the_memory_bound() {
        for mode in Mode::ALL {
            let config = engine(mode, Some(3 * PAGE_BYTES + 1)).unwrap();
            assert_eq!(config.get_run_mode(), mode.run_mode());
            assert_eq!(config.get_max_memory_pages(), 3);
            assert!(!config.interruptible_enabled());
        }
    }

    #[test]
    fn both_compilers_have_the_same_settings() {
        let (sdk, sys) = (compiler().unwrap(), engine(Mode::Jit, None).unwrap());
        assert_eq!(sdk.optimization_level(), sys.get_aot_optimization_level());
        assert_eq!(sdk.generic_binary_enabled(), sys.generic_binary_enabled());
        assert_eq!(sdk.interruptible_enabled(), sys.interruptible_enabled());
    }
}
