//! The three ways in which WasmEdge executes a module.

use lumos_model::cell::Target;
use lumos_model::protocol::Execution;
use lumos_runtime::HostError;
use wasmedge_sdk::RunMode;

/// How a target executes code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Instruction by instruction.
    Interp,
    /// Compiled by LLVM when it is first instantiated.
    Jit,
    /// Compiled by LLVM beforehand, into a shared library.
    Aot,
}

impl Mode {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Mode; 3] = [Mode::Interp, Mode::Jit, Mode::Aot];

    /// The mode that a target's name asks for.
    ///
    /// # Errors
    /// When the target is none of this runtime's.
    pub fn of(target: &Target) -> Result<Self, HostError> {
        Self::ALL.into_iter().find(|mode| mode.target() == *target).ok_or_else(|| {
            let known = Self::ALL.map(|mode| mode.target().to_string()).join(", ");
            HostError::unsupported(format!("WasmEdge has no target `{target}`; it has {known}"))
        })
    }

    /// The target's name.
    pub fn target(self) -> Target {
        let name = match self {
            Mode::Interp => "wasmedge-interp",
            Mode::Jit => "wasmedge-jit",
            Mode::Aot => "wasmedge-aot",
        };
        name.parse().expect("a well-formed target name")
    }

    /// WasmEdge's own word for it. Its default interprets whatever it is given.
    pub fn run_mode(self) -> RunMode {
        match self {
            Mode::Interp => RunMode::Interpreter,
            Mode::Jit => RunMode::Jit,
            Mode::Aot => RunMode::Aot,
        }
    }

    /// What the canary must find.
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
    fn targets_name_modes() {
        for mode in Mode::ALL {
            assert_eq!(Mode::of(&mode.target()).unwrap(), mode);
        }
        let error = Mode::of(&"wasmedge-fast".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("wasmedge-interp, wasmedge-jit, wasmedge-aot"));
    }
}
