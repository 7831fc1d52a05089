//! Where a function's data comes from and goes to.

use std::io;
use std::path::{Path, PathBuf};

use lumos_wire::DATA_FOLDER;
use lumos_wire::phases::{GuestPhase, GuestPhases};
use serde::{Deserialize, Serialize};

use crate::base64::Base64;
use crate::error::Error;
use crate::time::timed;
use crate::{host, redis};

/// Where input data comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// In the request itself: `{"inline": "text"}`.
    Inline(String),
    /// A value of the Redis server: `{"redis": "key"}`.
    Redis(String),
    /// A file: `{"local": "path"}`, relative to the data folder ([`DATA_FOLDER`]).
    Local(String),
    /// A value that the host fetches: `{"host": "key"}`.
    Host(String),
}

/// Where output data goes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sink {
    /// Into the response: `"inline"`.
    Inline,
    /// To the Redis server: `{"redis": "key"}`.
    Redis(String),
    /// To a file: `{"local": "path"}`, relative to the data folder ([`DATA_FOLDER`]).
    Local(String),
    /// To the host, which stores it: `{"host": "key"}`.
    Host(String),
}

/// Where output data went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Stored {
    /// `{"inline": "<base64>"}`
    Inline {
        /// The data.
        inline: Base64,
    },
    /// `{"redis": "key", "bytes": 1}`
    Redis {
        /// The key.
        redis: String,
        /// Number of bytes stored.
        bytes: u64,
    },
    /// `{"local": "path", "bytes": 1}`
    Local {
        /// The path.
        local: String,
        /// Number of bytes stored.
        bytes: u64,
    },
    /// `{"host": "key", "bytes": 1}`
    Host {
        /// The key.
        host: String,
        /// Number of bytes stored.
        bytes: u64,
    },
}

pub(crate) fn get(source: Source, phases: &mut GuestPhases) -> Result<Vec<u8>, Error> {
    match source {
        Source::Inline(text) => Ok(text.into_bytes()),
        Source::Redis(key) => redis::get(&key, phases),
        Source::Local(path) => timed(phases, GuestPhase::IoRead, || {
            std::fs::read(resolve(&path)).map_err(|error| file_error(&path, error))
        }),
        Source::Host(key) => timed(phases, GuestPhase::IoRead, || host::get(&key)),
    }
}

pub(crate) fn put(sink: Sink, data: Vec<u8>, phases: &mut GuestPhases) -> Result<Stored, Error> {
    let bytes = data.len() as u64;
    match sink {
        Sink::Inline => Ok(Stored::Inline { inline: Base64(data) }),
        Sink::Redis(key) => {
            redis::set(&key, &data, phases)?;
            Ok(Stored::Redis { redis: key, bytes })
        }
        Sink::Local(path) => {
            timed(phases, GuestPhase::IoWrite, || {
                std::fs::write(resolve(&path), &data).map_err(|error| file_error(&path, error))
            })?;
            Ok(Stored::Local { local: path, bytes })
        }
        Sink::Host(key) => {
            timed(phases, GuestPhase::IoWrite, || host::put(&key, &data))?;
            Ok(Stored::Host { host: key, bytes })
        }
    }
}

/// The path of a local file; an absolute path does not change.
fn resolve(path: &str) -> PathBuf {
    match std::env::var_os(DATA_FOLDER) {
        Some(folder) => Path::new(&folder).join(path),
        None => PathBuf::from(path),
    }
}

fn file_error(path: &str, error: io::Error) -> Error {
    Error::new(format!("file {path}: {error}"))
}
