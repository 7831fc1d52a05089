//! A cgroup folder for one test, gone when the test ends.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use lumos_model::protocol::CgroupBase;
use lumos_os::cgroup::{self, Base};

/// A folder of cgroups that is emptied and removed when it is dropped.
pub struct Groups {
    base: Base,
}

impl Groups {
    /// # Panics
    /// When no cgroup can be made: what cannot be bounded cannot be tested.
    pub fn create() -> Self {
        let base = Base::create(&unused_path()).unwrap_or_else(|error| {
            panic!("this test needs cgroups, so run it where they can be made: {error}")
        });
        Self { base }
    }

    pub fn base(&self) -> &Base {
        &self.base
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        cgroup::evacuate(self.base.path());
    }
}

/// The name of a folder that a host makes and removes by itself; if it does not, dropping
/// this does.
pub struct Reserved(CgroupBase);

impl Reserved {
    pub fn new() -> Self {
        Self(CgroupBase { path: unused_path() })
    }

    /// What the host is told.
    pub fn base(&self) -> CgroupBase {
        self.0.clone()
    }

    /// The folders of that name, one a hierarchy.
    pub fn folders(&self) -> Vec<PathBuf> {
        let folders = cgroup::roots().into_iter().map(|root| root.join(&self.0.path));
        folders.filter(|folder| folder.exists()).collect()
    }

    /// The groups in them.
    pub fn members(&self) -> Vec<PathBuf> {
        let entries = self.folders().into_iter().flat_map(|folder| folder.read_dir());
        let paths = entries.flatten().flatten().map(|entry| entry.path());
        paths.filter(|path| path.is_dir()).collect()
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        cgroup::evacuate(&self.0.path);
    }
}

/// At the top level, since a folder that tests share would be removed by the first to end
/// while the next one makes its own in it.
fn unused_path() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{}-conformance-{number}-{}", cgroup::ROOT, std::process::id())
}
