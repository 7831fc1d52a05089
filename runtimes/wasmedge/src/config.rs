//! WasmEdge's configuration: mode, memory and compiler settings.

use lumos_runtime::HostError;
use wasmedge_sdk::config::{CommonConfigOptions, CompilerConfigOptions, ConfigBuilder};
use wasmedge_sdk::{CompilerOptimizationLevel, CompilerOutputFormat};
use wasmedge_sys::{Config, ffi};

use crate::mode::Mode;
use crate::vm::PAGE_BYTES;

/// Of both compilers. WasmEdge's default, too.
pub const OPTIMISATION: CompilerOptimizationLevel = CompilerOptimizationLevel::O3;
/// Code for the CPU at hand, WasmEdge's default, not for the architecture's baseline.
pub const GENERIC_CPU: bool = false;
/// Checks for interruption in compiled code. They would be measured with the guest; see
/// [`crate::watchdog`] for what takes their place.
pub const INTERRUPTIBLE: bool = false;

/// The configuration of an engine.
///
/// # Errors
/// When WasmEdge cannot make one.
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
        // SAFETY: the configuration is not shared yet. The SDK has no function for it.
        unsafe {
            ffi::WasmEdge_ConfigureAddHostRegistration(
                config.as_ptr().cast_mut(),
                ffi::WasmEdge_HostRegistration_Wasi,
            );
        }
    }
    Ok(config)
}

/// Whole pages of memory within a bound.
pub fn memory_pages(memory_bytes: Option<u64>) -> Option<u32> {
    memory_bytes.map(|bytes| u32::try_from(bytes / PAGE_BYTES).unwrap_or(u32::MAX).min(1 << 16))
}

/// The configuration of the AoT compiler, for code in a shared library.
///
/// # Errors
/// When WasmEdge cannot make one.
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
    fn a_configuration_keeps_mode_and_memory() {
        for mode in Mode::ALL {
            let config = engine(mode, Some(3 * PAGE_BYTES + 1)).unwrap();
            assert_eq!(config.get_run_mode(), mode.run_mode());
            assert_eq!(config.get_max_memory_pages(), 3);
            assert!(!config.interruptible_enabled());
        }
    }

    #[test]
    fn sdk_and_engine_agree_on_the_compiler() {
        let (sdk, sys) = (compiler().unwrap(), engine(Mode::Jit, None).unwrap());
        assert_eq!(sdk.optimization_level(), sys.get_aot_optimization_level());
        assert_eq!(sdk.generic_binary_enabled(), sys.generic_binary_enabled());
        assert_eq!(sdk.interruptible_enabled(), sys.interruptible_enabled());
    }
}
