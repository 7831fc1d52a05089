//! The proof of a mode.
//!
//! WasmEdge silently falls back to its interpreter: by default, for AoT code that does not
//! match, and for a JIT that failed or was used through the SDK's executor. Therefore three
//! facts must agree: the run mode in the engine's configuration, the compiled code that is
//! mapped in this process, and the time of the artifact's canary loop.

use std::ops::Range;

use lumos_model::protocol::ModeProof;
use lumos_runtime::{HostError, InstanceConfig, Marks, Resident, canary};
use wasmedge_sdk::RunMode;

use crate::config;
use crate::instance::Instance;
use crate::maps::{self, CodeHome};
use crate::mode::Mode;
use crate::module::Module;

/// Proves that an artifact runs in a mode. The code of a `resident` module was mapped after the
/// `baseline`.
///
/// # Errors
/// When any fact contradicts the mode.
pub fn prove(
    mode: Mode,
    artifact: &std::path::Path,
    resident: Option<Resident<'_, Module>>,
    baseline: &Result<CodeSeen, HostError>,
) -> Result<ModeProof, HostError> {
    if let Some(Resident { module, config }) = resident {
        let before = baseline.as_ref().map_err(HostError::engine)?;
        return prove_module(mode, module, config, before);
    }
    let before = CodeSeen::now(&CodeHome::Anonymous)?;
    let module = Module::load(mode, artifact, &mut Marks::default())?;
    prove_module(mode, &module, &InstanceConfig::default(), &before)
}

fn prove_module(
    mode: Mode,
    module: &Module,
    config: &InstanceConfig,
    before: &CodeSeen,
) -> Result<ModeProof, HostError> {
    let mut instance = Instance::new(module, config, &mut Marks::default())?;
    let setting = config::engine(mode, None)?.get_run_mode();
    let code = match mode {
        Mode::Aot => CodeSeen::now(module.code())?,
        Mode::Interp | Mode::Jit => CodeSeen::now(&CodeHome::Anonymous)?.beyond(before),
    };
    judge(mode, setting, &code, |rounds| instance.canary(rounds))
}

/// Judges the evidence.
///
/// # Errors
/// When any of it contradicts the mode.
pub fn judge(
    mode: Mode,
    setting: RunMode,
    code: &CodeSeen,
    canary: impl FnMut(u32) -> Result<u32, HostError>,
) -> Result<ModeProof, HostError> {
    let target = mode.target();
    let refuse = |reason: String| HostError::Mode { target: target.to_string(), reason };
    if setting != mode.run_mode() {
        return Err(refuse(format!(
            "the engine's run mode is {setting:?} and must be {:?}",
            mode.run_mode()
        )));
    }
    match (mode, code.bytes()) {
        (Mode::Interp, 1..) => {
            return Err(refuse(format!("{code} appeared, but an interpreter needs none")));
        }
        (Mode::Jit | Mode::Aot, 0) => {
            return Err(refuse("no compiled code is mapped in the process".to_owned()));
        }
        _ => {}
    }
    let setting = format!("run mode {setting:?}, as read back from the configuration");
    canary::prove(&target, mode.execution(), setting, code.to_string(), canary)
}

/// The executable mappings that were found.
#[derive(Clone, Debug)]
pub struct CodeSeen {
    home: CodeHome,
    ranges: Vec<Range<usize>>,
}

impl CodeSeen {
    /// The current mappings of `home`.
    ///
    /// # Errors
    /// When the process's mappings cannot be read.
    pub fn now(home: &CodeHome) -> Result<Self, HostError> {
        let ranges = maps::executable(home)
            .map_err(|error| HostError::system("read /proc/self/maps", error))?;
        Ok(Self { home: home.clone(), ranges })
    }

    /// The mappings that did not exist `before`.
    #[must_use]
    pub fn beyond(mut self, before: &Self) -> Self {
        self.ranges.retain(|range| !before.ranges.contains(range));
        self
    }

    /// The size in bytes.
    pub fn bytes(&self) -> usize {
        self.ranges.iter().map(|range| range.len()).sum()
    }
}

impl std::fmt::Display for CodeSeen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.home, self.bytes()) {
            (_, 0) => f.write_str("no executable memory other than the host's own"),
            (CodeHome::Library(path), bytes) => {
                write!(f, "{bytes} bytes of {} mapped executable", path.display())
            }
            (_, bytes) => write!(f, "{bytes} bytes of anonymous executable memory"),
        }
    }
}
