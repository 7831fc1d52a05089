//! The control group folder of a host's instances.

use std::sync::{Arc, Mutex, MutexGuard};

use lumos_model::protocol::Prepare;
use lumos_os::cgroup::{self, Base};
use lumos_runtime::error::HostError;

/// The folder in which instances get their control groups.
#[derive(Default)]
pub(crate) struct InstanceGroups {
    base: Option<Arc<Base>>,
    cleanup: Cleanup,
}

impl InstanceGroups {
    /// The folder for the instances of `prepare`, which is created if it is not the current
    /// one; `None`: they get no control groups.
    pub fn folder(&mut self, prepare: &Prepare) -> Result<Option<Arc<Base>>, HostError> {
        let wanted = prepare.cgroup.as_ref().map(|cgroup| cgroup.path.as_str());
        if self.base.as_ref().map(|base| base.path()) != wanted {
            // Registered before it is created, because the input may end at any moment.
            self.cleanup.register(wanted);
            self.base = wanted.map(Base::create).transpose()?.map(Arc::new);
        }
        Ok(self.base.clone())
    }

    /// The removal of the folder, for another thread.
    pub fn cleanup(&self) -> Cleanup {
        self.cleanup.clone()
    }
}

/// Removes the folder of instances, whatever runs in it.
#[derive(Clone, Default)]
pub(crate) struct Cleanup(Arc<Mutex<Option<String>>>);

impl Cleanup {
    /// Removes the current folder, if there is one.
    pub fn run(&self) {
        if let Some(path) = &*self.lock() {
            cgroup::leave(path);
        }
    }

    fn register(&self, path: Option<&str>) {
        *self.lock() = path.map(str::to_owned);
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().expect("no thread panics while it holds the path")
    }
}
