//! Where a function's data comes from and goes to.

use std::path::{Path, PathBuf};
use std::time::Instant;

use lumos_wire::DATA_FOLDER;
use lumos_wire::phases::{GuestPhase, GuestPhases};
use serde::{Deserialize, Serialize};

use crate::context::nanoseconds_since;
use crate::{Base64, Error, host, redis};

/// Where input data is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// In the request itself: `{"inline": "text"}`.
    Inline(String),
    /// A value of the Redis server: `{"redis": "key"}`.
    Redis(String),
    /// A file: `{"local": "path"}`, relative to the folder of data ([`DATA_FOLDER`]).
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
    /// To a file: `{"local": "path"}`, relative to the folder of data ([`DATA_FOLDER`]).
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
        /// How many bytes were stored.
        bytes: u64,
    },
    /// `{"local": "path", "bytes": 1}`
    Local {
        /// The path.
        local: String,
        /// How many bytes were stored.
        bytes: u64,
    },
    /// `{"host": "key", "bytes": 1}`
    Host {
        /// The key.
        host: String,
        /// How many bytes were stored.
        bytes: u64,
    },
}

pub(crate) fn get(source: Source, phases: &mut GuestPhases) -> Result<Vec<u8>, Error> {
    match source {
        Source::Inline(text) => Ok(text.into_bytes()),
        Source::Redis(key) => redis::get(&key, phases),
        Source::Local(path) => timed(GuestPhase::IoRead, phases, || {
            std::fs::read(place(&path)).map_err(|error| file_error(&path, error))
        }),
        Source::Host(key) => timed(GuestPhase::IoRead, phases, || host::get(&key)),
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
            timed(GuestPhase::IoWrite, phases, || {
                std::fs::write(place(&path), &data).map_err(|error| file_error(&path, error))
            })?;
            Ok(Stored::Local { local: path, bytes })
        }
        Sink::Host(key) => {
            timed(GuestPhase::IoWrite, phases, || host::put(&key, &data))?;
            Ok(Stored::Host { host: key, bytes })
        }
    }
}

/// Counts what `transfer` takes as `phase`.
fn timed<T>(phase: GuestPhase, phases: &mut GuestPhases, transfer: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = transfer();
    phases.add(phase, nanoseconds_since(started));
    result
}

/// Where a local file is; an absolute path stays as it is.
fn place(path: &str) -> PathBuf {
    match std::env::var_os(DATA_FOLDER) {
        Some(folder) => Path::new(&folder).join(path),
        None => PathBuf::from(path),
    }
}

fn file_error(path: &str, error: std::io::Error) -> Error {
    Error::new(format!("file {path}: {error}"))
}
