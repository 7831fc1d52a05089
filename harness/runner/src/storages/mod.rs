//! The storages in which functions find their input and leave their output.
//!
//! | module | content |
//! |---|---|
//! | `object_store` | what all storages can do |
//! | `data_folder` | the storage `local` |
//! | `redis_server` | the storages `redis` and `host` |

mod data_folder;
mod object_store;
mod redis_server;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use lumos_model::cell::Storage;
use lumos_model::manifest::RedisFacts;
use lumos_model::wire::{CONNECTION, IO_TIMEOUT_MS, REDIS_URL};
use lumos_scenario::scenario::Connection;

use self::data_folder::DataFolder;
use self::object_store::ObjectStore;
use self::redis_server::RedisServer;

/// The storages of a session. Each is opened when a cell first needs it.
#[derive(Default)]
pub(crate) struct Storages {
    redis: Option<RedisServer>,
    folder: Option<DataFolder>,
}

/// How an instance reaches its storage.
#[derive(Debug, Default)]
pub(crate) struct StorageAccess {
    /// Variables of the instance's environment.
    pub(crate) env: BTreeMap<String, String>,
    /// The folder of the instance's files.
    pub(crate) folder: Option<PathBuf>,
}

impl Storages {
    /// Opens `storage`, unless it is open. A Redis server is the one at `redis_url`; without a
    /// URL one is started, on `core` if one is given.
    ///
    /// # Errors
    /// When there is no Redis server, or the folder cannot be created.
    pub(crate) fn open(
        &mut self,
        storage: Storage,
        redis_url: Option<&str>,
        core: Option<usize>,
    ) -> anyhow::Result<()> {
        match storage {
            Storage::Redis | Storage::Host if self.redis.is_none() => {
                self.redis = Some(RedisServer::open(redis_url, core)?);
            }
            Storage::Local if self.folder.is_none() => self.folder = Some(DataFolder::create()?),
            Storage::Inline | Storage::Local | Storage::Redis | Storage::Host => {}
        }
        Ok(())
    }

    /// Stores `bytes` under `key`; the storage `inline` keeps nothing.
    ///
    /// # Errors
    /// When the storage is not open or does not accept it.
    pub(crate) fn put(&self, storage: Storage, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.store(storage)?.map_or(Ok(()), |store| store.put(key, bytes))
    }

    /// What is stored under `key`; `None` when there is nothing.
    ///
    /// # Errors
    /// When the storage is not open or does not answer.
    pub(crate) fn get(&self, storage: Storage, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        self.store(storage)?.map_or(Ok(None), |store| store.get(key))
    }

    /// Deletes what is stored under `key`, if there is anything.
    ///
    /// # Errors
    /// When the storage is not open or does not delete it.
    pub(crate) fn delete(&self, storage: Storage, key: &str) -> anyhow::Result<()> {
        self.store(storage)?.map_or(Ok(()), |store| store.delete(key))
    }

    /// The Redis server in a manifest; `None` when no cell needs one.
    pub(crate) fn redis_facts(&self) -> Option<RedisFacts> {
        self.redis.as_ref().map(RedisServer::facts)
    }

    /// How instances reach `storage`, with connections that live as long as `connection` says
    /// and time out after `timeout`.
    pub(crate) fn access(
        &self,
        storage: Storage,
        connection: Connection,
        timeout: Duration,
    ) -> anyhow::Result<StorageAccess> {
        match storage {
            Storage::Inline => Ok(StorageAccess::default()),
            Storage::Local => {
                let folder = Some(self.folder()?.path().to_owned());
                Ok(StorageAccess { folder, ..StorageAccess::default() })
            }
            Storage::Redis | Storage::Host => {
                let connection = match connection {
                    Connection::Request => "request",
                    Connection::Instance => "instance",
                };
                let env = [
                    (REDIS_URL, self.redis()?.url().to_owned()),
                    (CONNECTION, connection.to_owned()),
                    (IO_TIMEOUT_MS, timeout.as_millis().max(1).to_string()),
                ];
                let env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                Ok(StorageAccess { env, folder: None })
            }
        }
    }

    fn store(&self, storage: Storage) -> anyhow::Result<Option<&dyn ObjectStore>> {
        Ok(match storage {
            Storage::Inline => None,
            Storage::Local => Some(self.folder()?),
            Storage::Redis | Storage::Host => Some(self.redis()?),
        })
    }

    fn folder(&self) -> anyhow::Result<&DataFolder> {
        self.folder.as_ref().context("the storage `local` is not open")
    }

    fn redis(&self) -> anyhow::Result<&RedisServer> {
        self.redis.as_ref().context("the storage `redis` is not open")
    }
}
