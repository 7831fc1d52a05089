//! The lock on the creation of groups.

use std::sync::{LockResult, Mutex, MutexGuard};

static CREATION: Mutex<()> = Mutex::new(());

/// The permission to create a group.
pub(super) struct CreationGuard {
    /// The lock protects no data, so a panic of another thread does not matter.
    _guard: LockResult<MutexGuard<'static, ()>>,
}

/// Waits until no other thread of this process creates a group, or forever once creation is
/// forbidden.
pub(super) fn creation() -> CreationGuard {
    CreationGuard { _guard: CREATION.lock() }
}

/// Forbids the creation of groups until the process ends.
pub(super) fn forbid_creation() {
    std::mem::forget(creation());
}
