//! The three ways in which Wasmtime runs a component.

use lumos_model::artifact::Form;
use lumos_model::cell::Target;
use lumos_model::protocol::Execution;
use lumos_runtime::HostError;

/// The first part of each target's name.
pub const RUNTIME: &str = "wasmtime";

/// How code is executed. The second part of a target's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Pulley, Wasmtime's interpreter, with bytecode that Cranelift compiles at load time.
    Interp,
    /// Machine code that Cranelift compiles at load time.
    Jit,
    /// Machine code that Cranelift compiled ahead of time.
    Aot,
}

impl Mode {
    pub const ALL: [Mode; 3] = [Mode::Interp, Mode::Jit, Mode::Aot];

    /// The mode of a target.
    pub fn of(target: &Target) -> Result<Self, HostError> {
        Self::ALL.into_iter().find(|mode| mode.target() == *target).ok_or_else(|| {
            HostError::unsupported(format!(
                "{RUNTIME} has no target {target}; it has {}",
                Self::ALL.map(|mode| mode.target().to_string()).join(", ")
            ))
        })
    }

    const fn word(self) -> &'static str {
        match self {
            Mode::Interp => "interp",
            Mode::Jit => "jit",
            Mode::Aot => "aot",
        }
    }

    /// The target of this mode.
    pub fn target(self) -> Target {
        format!("{RUNTIME}-{}", self.word()).parse().expect("lower case words and a dash")
    }

    /// The form of its artifacts.
    pub fn form(self) -> Form {
        match self {
            Mode::Interp | Mode::Jit => Form::P2.into(),
            Mode::Aot => Form(self.target().to_string()),
        }
    }

    /// The kind of execution that the canary must show.
    pub const fn execution(self) -> Execution {
        match self {
            Mode::Interp => Execution::Interpreted,
            Mode::Jit | Mode::Aot => Execution::Compiled,
        }
    }
}
