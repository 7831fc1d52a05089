//! Where the processes of one function's instances come from, and where their control
//! groups go.

use std::sync::Arc;

use lumos_model::protocol::Prepare;
use lumos_os::cgroup::Base;

use crate::artifact::check_exists;
use crate::error::HostError;
use crate::launcher::{Launcher, PreparedLaunch, SandboxConfig};
use crate::sandbox::{NewGroup, Sandbox};

/// Launches the sandboxes of one function, each in a control group of its own.
pub struct SandboxSource {
    launch: Box<dyn PreparedLaunch>,
    groups: Option<Arc<Base>>,
}

impl SandboxSource {
    /// A source of the sandboxes that `prepare` describes. Their control groups are created
    /// in `groups`; `None`: they get none.
    ///
    /// # Errors
    /// When the artifact is missing or the launcher cannot launch it.
    pub fn new(
        launcher: &dyn Launcher,
        prepare: &Prepare,
        groups: Option<Arc<Base>>,
    ) -> Result<Self, HostError> {
        check_exists(&prepare.artifact)?;
        Ok(Self { launch: launcher.prepare(SandboxConfig::from(prepare))?, groups })
    }

    /// Launches a sandbox. `name` is the name of its control group, if it gets one.
    ///
    /// # Errors
    /// When the group or the sandbox cannot be created.
    pub fn launch(&self, name: &str) -> Result<Sandbox, HostError> {
        self.launch.launch(self.groups.as_deref().map(|base| NewGroup { base, name }))
    }

    /// Takes a wait of the kernel that the next launch would otherwise see; see
    /// [`Base::warm_cgroup_lock`].
    pub fn warm_cgroup_lock(&self) {
        if let Some(groups) = &self.groups {
            groups.warm_cgroup_lock();
        }
    }
}
