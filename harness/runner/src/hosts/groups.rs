//! The control groups of this `lumos` process.

use std::sync::atomic::{AtomicU32, Ordering};

use lumos_model::warning::Warning;
use lumos_os::cgroup::{self, Base, Mode};

/// The control groups of one `lumos` process, removed when this is dropped.
pub(crate) struct ControlGroups {
    /// Path below the root of each hierarchy, such as `lumos/run-1234`; `None` when this user
    /// may not create groups.
    path: Option<String>,
    hosts: AtomicU32,
}

impl ControlGroups {
    /// Creates the folder for the groups of this process, after removing those that killed runs
    /// left. Without permission returns no groups, and a warning that says what is lost.
    pub(crate) fn create() -> (Self, Option<Warning>) {
        cgroup::sweep_stale();
        let path = format!("{}/run-{}", cgroup::ROOT, std::process::id());
        // A dead run may have had the process id that is ours now.
        cgroup::evacuate(&path);
        let (path, loss) = match Base::create(&path) {
            Ok(_) => (Some(path), None),
            Err(error) => (None, Some(Warning::NoControlGroups { reason: error.to_string() })),
        };
        (Self { path, hosts: AtomicU32::new(0) }, loss)
    }

    /// How this machine mounts control groups; `None` when none are used.
    pub(crate) fn mode(&self) -> Option<Mode> {
        self.path.as_ref().and_then(|_| Some(cgroup::detect().ok()?.0))
    }

    /// A new path for the groups of a host and its instances.
    pub(super) fn next_host(&self) -> Option<String> {
        let number = self.hosts.fetch_add(1, Ordering::Relaxed);
        self.path.as_ref().map(|path| format!("{path}/{number}"))
    }
}

impl Drop for ControlGroups {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            cgroup::evacuate(path);
        }
    }
}
