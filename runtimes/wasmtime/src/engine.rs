//! A resident engine: the settings, the host functions and the watchdog of one mode.

use lumos_host::HostError;
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, OptLevel};

use crate::instance::Guest;
use crate::mode::Mode;
use crate::storage;
use crate::watchdog::Watchdog;

/// The target of [`Config::target`] that selects the interpreter.
pub const PULLEY: &str = "pulley64";

/// What all modules of one mode share for as long as the process lives.
pub struct ModeEngine {
    pub mode: Mode,
    pub engine: Engine,
    pub linker: Linker<Guest>,
    pub watchdog: Watchdog,
}

impl ModeEngine {
    pub fn new(mode: Mode) -> Result<Self, HostError> {
        let cannot = |error: wasmtime::Error| {
            HostError::engine(format!("{}: the engine cannot be made: {error:#}", mode.target()))
        };
        let engine = Engine::new(&config(mode).map_err(cannot)?).map_err(cannot)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(cannot)?;
        storage::add_to_linker(&mut linker).map_err(cannot)?;
        let watchdog = Watchdog::start(engine.clone())
            .map_err(|error| HostError::system("start the watchdog's thread", error))?;
        Ok(Self { mode, engine, linker, watchdog })
    }

    /// How the mode was chosen, in the engine's own terms.
    pub fn setting(&self) -> String {
        let pulley = self.engine.is_pulley();
        match self.mode {
            Mode::Interp => format!("Config::target({PULLEY:?}); Engine::is_pulley() = {pulley}"),
            Mode::Jit => format!("Component::new; Engine::is_pulley() = {pulley}"),
            Mode::Aot => format!("Component::deserialize_file; Engine::is_pulley() = {pulley}"),
        }
    }
}

/// Settings that bear on the code; [`crate::capabilities`] tells them to the user.
fn config(mode: Mode) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    if mode == Mode::Interp {
        config.target(PULLEY)?;
    }
    config
        .cranelift_opt_level(OptLevel::Speed)
        // The only way to stop a spinning guest. The epoch moves when a deadline has
        // passed and at no other time.
        .epoch_interruption(true)
        // A cell has one thread. On more, the thread's CPU time would miss the others'.
        .parallel_compilation(false);
    Ok(config)
}
