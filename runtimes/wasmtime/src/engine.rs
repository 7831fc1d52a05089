//! A resident engine: the settings, the host functions and the watchdog of one mode.

use lumos_runtime::HostError;
use wasmtime::component::Linker;
use wasmtime::{Config, Enabled, Engine, OptLevel, PoolingAllocationConfig};

use crate::guest::Guest;
use crate::mode::Mode;
use crate::storage;
use crate::watchdog::Watchdog;

/// The value of [`Config::target`] that selects the interpreter.
pub const PULLEY: &str = "pulley64";

/// What all modules of one mode share.
pub struct ModeEngine {
    pub mode: Mode,
    pub engine: Engine,
    pub linker: Linker<Guest>,
    pub watchdog: Watchdog,
}

impl ModeEngine {
    /// An engine that allocates the memory of each instance when it is created.
    pub fn new(mode: Mode) -> Result<Self, HostError> {
        Self::with(mode, |_| {})
    }

    /// An engine that reserves address space for `instances` instances at a time.
    pub fn reserving(mode: Mode, instances: u32) -> Result<Self, HostError> {
        Self::with(mode, |config| {
            config.allocation_strategy(reservation(instances));
        })
        .map_err(|error| {
            HostError::engine(format!(
                "{error}; address space for {instances} instances could not be reserved: allow fewer \
                 instances, or disable the reservation (--reserve false)"
            ))
        })
    }

    fn with(mode: Mode, change: impl FnOnce(&mut Config)) -> Result<Self, HostError> {
        let cannot = |error: wasmtime::Error| {
            HostError::engine(format!("{}: the engine cannot be created: {error:#}", mode.target()))
        };
        let mut config = config(mode).map_err(cannot)?;
        change(&mut config);
        let engine = Engine::new(&config).map_err(cannot)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(cannot)?;
        storage::add_to_linker(&mut linker).map_err(cannot)?;
        let watchdog = Watchdog::start(engine.clone())
            .map_err(|error| HostError::system("start the watchdog's thread", error))?;
        Ok(Self { mode, engine, linker, watchdog })
    }

    /// How the mode was selected, in the engine's own terms.
    pub fn setting(&self) -> String {
        let pulley = self.engine.is_pulley();
        match self.mode {
            Mode::Interp => format!("Config::target({PULLEY:?}); Engine::is_pulley() = {pulley}"),
            Mode::Jit => format!("Component::new; Engine::is_pulley() = {pulley}"),
            Mode::Aot => format!("Component::deserialize_file; Engine::is_pulley() = {pulley}"),
        }
    }
}

/// The settings that affect the code. `capabilities` reports them to the user.
fn config(mode: Mode) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    if mode == Mode::Interp {
        config.target(PULLEY)?;
    }
    config
        .cranelift_opt_level(OptLevel::Speed)
        // The only way to stop a guest that never yields. The epoch moves only when a deadline
        // has passed.
        .epoch_interruption(true);
    Ok(config)
}

/// Slots for `instances`. A slot keeps the pages that its last instance touched if the kernel
/// reports which those are (`PAGEMAP_SCAN`, Linux 6.7). Without the report all kept pages
/// would have to be written again.
fn reservation(instances: u32) -> PoolingAllocationConfig {
    /// For instances that are being freed while others serve.
    const SPARE: u32 = 32;
    /// Core modules and tables of a component: the function's own, WASI adapters and shims.
    const PARTS: u32 = 8;
    /// More than a small function touches. Pages beyond it are returned to the system.
    const KEPT_BYTES: usize = 4 << 20;
    let slots = instances.saturating_add(SPARE);
    let parts = slots.saturating_mul(PARTS);
    let mut config = PoolingAllocationConfig::new();
    config
        .total_component_instances(slots)
        .total_memories(slots)
        .total_stacks(slots)
        .total_core_instances(parts)
        .total_tables(parts)
        .max_unused_warm_slots(slots)
        .async_stack_keep_resident(64 << 10);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        config.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(KEPT_BYTES);
    }
    config
}
