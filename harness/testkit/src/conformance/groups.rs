//! Control group folders for one test, removed when the test ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lumos_model::protocol::CgroupBase;
use lumos_os::cgroup::{self, Base};

/// A folder of control groups that is emptied and removed when this is dropped.
pub struct Groups {
    base: Arc<Base>,
}

impl Groups {
    /// # Panics
    /// When control groups cannot be created, because limits cannot be tested then.
    pub fn create() -> Self {
        let base = Base::create(&unused_path()).unwrap_or_else(|error| {
            panic!("this test needs control groups; run it where they can be created: {error}")
        });
        Self { base: Arc::new(base) }
    }

    pub fn base(&self) -> Arc<Base> {
        Arc::clone(&self.base)
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        cgroup::evacuate(self.base.path());
    }
}

/// The name of a folder that a host creates and removes. Dropping this removes the folder if
/// the host did not.
pub struct ReservedName(CgroupBase);

impl ReservedName {
    pub fn new() -> Self {
        Self(CgroupBase { path: unused_path() })
    }

    /// The name as it is sent to the host.
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

impl Drop for ReservedName {
    fn drop(&mut self) {
        cgroup::evacuate(&self.0.path);
    }
}

/// A path at the top level: a folder that tests share would be removed by the first test that
/// ends, while another creates its groups in it.
fn unused_path() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{}-conformance-{number}-{}", cgroup::ROOT, std::process::id())
}
