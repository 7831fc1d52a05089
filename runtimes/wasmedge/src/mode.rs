//! The three ways in which WasmEdge executes a module.

use lumos_model::cell::Target;
use lumos_model::protocol::Execution;
use lumos_runtime::HostError;
use wasmedge_sdk::RunMode;

/// How a target executes code. The second part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// WasmEdge's interpreter.
    Interp,
    /// Machine code that LLVM compiles at the first instantiation.
    Jit,
    /// Machine code that LLVM compiled ahead of time, in a shared library.
    Aot,
}

impl Mode {
    /// All modes, in the order in which they are listed.
    pub const ALL: [Mode; 3] = [Mode::Interp, Mode::Jit, Mode::Aot];

    /// The mode of a target.
    ///
    /// # Errors
    /// When the runtime has no such target.
    pub fn of(target: &Target) -> Result<Self, HostError> {
        Self::ALL.into_iter().find(|mode| mode.target() == *target).ok_or_else(|| {
            let known = Self::ALL.map(|mode| mode.target().to_string()).join(", ");
            HostError::unsupported(format!("WasmEdge has no target {target}; it has {known}"))
        })
    }

    /// The target of this mode.
    pub fn target(self) -> Target {
        let name = match self {
            Mode::Interp => "wasmedge-interp",
            Mode::Jit => "wasmedge-jit",
            Mode::Aot => "wasmedge-aot",
        };
        name.parse().expect("a well-formed target name")
    }

    /// WasmEdge's name of the mode. Its default interprets every module.
    pub fn run_mode(self) -> RunMode {
        match self {
            Mode::Interp => RunMode::Interpreter,
            Mode::Jit => RunMode::Jit,
            Mode::Aot => RunMode::Aot,
        }
    }

    /// The kind of execution that the canary must show.
    pub fn execution(self) -> Execution {
        match self {
            Mode::Interp => Execution::Interpreted,
            Mode::Jit | Mode::Aot => Execution::Compiled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_modes_correspond() {
        for mode in Mode::ALL {
            assert_eq!(Mode::of(&mode.target()).unwrap(), mode);
        }
        let error = Mode::of(&"wasmedge-fast".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("wasmedge-interp, wasmedge-jit, wasmedge-aot"));
    }
}
