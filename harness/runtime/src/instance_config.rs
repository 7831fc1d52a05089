//! The configuration of an instance.

use std::path::PathBuf;

use lumos_model::protocol::Prepare;

/// Where a wasm guest sees the folder of its files.
pub const GUEST_FOLDER: &str = "/data";

/// The configuration of an instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceConfig {
    /// The complete environment.
    pub env: Vec<(String, String)>,
    /// Bound on the linear memory in bytes; `None`: the engine's own.
    pub memory_bytes: Option<u64>,
    /// The folder of its files, which a wasm guest sees as [`GUEST_FOLDER`]. The runtime
    /// adds the path to the environment as [`DATA_FOLDER`].
    ///
    /// [`DATA_FOLDER`]: lumos_model::wire::DATA_FOLDER
    pub folder: Option<PathBuf>,
}

impl From<&Prepare> for InstanceConfig {
    fn from(prepare: &Prepare) -> Self {
        Self {
            env: prepare.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            memory_bytes: prepare.limits.memory.map(|memory| memory.0),
            folder: prepare.folder.clone(),
        }
    }
}
