//! A cgroup folder for one test, gone when the test ends.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use lumos_model::protocol::CgroupBase;

use crate::cgroup::{self, Base};

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

/// The name of a folder that nobody uses. A host makes and removes it by itself.
pub fn unused() -> CgroupBase {
    CgroupBase { path: unused_path() }
}

/// The folders of `base` that exist, in any hierarchy.
pub fn folders(base: &CgroupBase) -> Vec<PathBuf> {
    let folders = cgroup::roots().into_iter().map(|root| root.join(&base.path));
    folders.filter(|folder| folder.exists()).collect()
}

/// At the top level, since a folder that tests share would be removed by the first to end
/// while the next one makes its own in it.
fn unused_path() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{}-conformance-{number}-{}", cgroup::ROOT, std::process::id())
}
