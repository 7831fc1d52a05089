//! The parent folder of groups.

use std::path::PathBuf;

use cgroups_rs::fs::hierarchies::{V1, V2};
use cgroups_rs::fs::{Cgroup, Hierarchy, Subsystem};

use super::hierarchy::{Mode, controllers, detect, own_procs};
use super::{library, lock};
use crate::error::OsError;

/// A folder in which groups can be created.
pub struct Base {
    mode: Mode,
    path: String,
    /// The names of the needed controllers that this machine offers.
    controllers: Vec<String>,
    /// The version 1 mounts, read once: looking them up costs each group 50 us.
    mounts: V1,
    /// The version 2 mount, if there is one.
    unified: Option<PathBuf>,
    /// Version 1: `cgroup.procs` of a group that this process is in.
    own_procs: Option<PathBuf>,
}

impl Base {
    /// Creates the folder `path` (such as `lumos/run-17`) in each hierarchy that limits and
    /// counters need.
    ///
    /// # Errors
    /// When the machine has no control groups, or this user may not create any.
    pub fn create(path: &str) -> Result<Self, OsError> {
        // A run that ends may remove the common parent folder between two steps of this one.
        const ATTEMPTS: usize = 3;
        for _ in 1..ATTEMPTS {
            if let Ok(base) = Self::try_create(path) {
                return Ok(base);
            }
        }
        Self::try_create(path)
    }

    fn try_create(path: &str) -> Result<Self, OsError> {
        let _creation = lock::creation();
        let (mode, unified) = detect()?;
        let base = Self {
            mode,
            path: path.to_owned(),
            controllers: controllers().iter().map(Subsystem::controller_name).collect(),
            mounts: V1::new(),
            unified,
            own_procs: if mode == Mode::V2 { None } else { own_procs() },
        };
        base.create_folders()?;
        Ok(base)
    }

    fn create_folders(&self) -> Result<(), OsError> {
        let path = &self.path;
        let created = if self.mode == Mode::V2 {
            // Creates every folder of the path and enables the controllers below it.
            let setup = self.load(&format!("{path}/setup"));
            setup.create().and_then(|()| setup.delete())
        } else {
            self.load(path).create()
        };
        created.map_err(|error| {
            OsError::unavailable(format!(
                "cannot create the cgroup {path}: {}; run as root, or delegate a cgroup to this user",
                library::with_cause(&error)
            ))
        })?;
        if let (Mode::Hybrid, Some(root)) = (self.mode, &self.unified) {
            let folder = root.join(path);
            std::fs::create_dir_all(&folder).map_err(|e| OsError::folder(&folder, e))?;
        }
        Ok(())
    }

    /// A handle on the group at `path`, which need not exist.
    pub(super) fn load(&self, path: &str) -> Cgroup {
        let hierarchy: Box<dyn Hierarchy> = match self.mode {
            Mode::V2 => Box::new(V2::new()),
            _ => Box::new(self.mounts.clone()),
        };
        Cgroup::load_with_specified_controllers(hierarchy, path, self.controllers.clone())
    }

    /// The version 2 mount, if there is one.
    pub(super) fn unified(&self) -> Option<&PathBuf> {
        self.unified.as_ref()
    }

    /// How this machine mounts control groups.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Version 1: makes the kernel take the lock that moving a process needs, by moving this
    /// process to the group that it is in. After an idle gap, the first taker of the lock waits for
    /// an RCU grace period of 4 to 15 ms, whichever process it moves. A child that is born into a
    /// version 2 group takes no such lock. Call it outside the measured time, just before a process
    /// is created.
    pub fn warm_cgroup_lock(&self) {
        if let Some(procs) = &self.own_procs {
            // If the file is not writable, the wait is part of the sample's `attach_ns`.
            let _ = std::fs::write(procs, "0");
        }
    }

    /// The folder's path below the root of each hierarchy.
    pub fn path(&self) -> &str {
        &self.path
    }
}
