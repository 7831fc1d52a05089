//! What the storages of functions have in common.

/// Objects by key, as functions find and leave them.
pub(super) trait ObjectStore {
    /// Stores `bytes` under `key`.
    fn put(&self, key: &str, bytes: &[u8]) -> anyhow::Result<()>;

    /// What is stored under `key`; `None` when there is nothing.
    fn get(&self, key: &str) -> anyhow::Result<Option<Vec<u8>>>;

    /// Deletes what is stored under `key`, if there is anything.
    fn delete(&self, key: &str) -> anyhow::Result<()>;
}
