//! What a function may ask for while it runs.

use std::time::Instant;

use lumos_wire::phases::{GuestPhase, GuestPhases};

use crate::{Error, Sink, Source, Stored, storage};

/// Storage and phase marks of one invocation.
#[derive(Default)]
pub struct Context {
    pub(crate) phases: GuestPhases,
}

impl Context {
    /// Fetches the bytes that `source` names.
    ///
    /// # Errors
    /// When there is no such value, or the storage does not answer.
    pub fn get(&mut self, source: Source) -> Result<Vec<u8>, Error> {
        storage::get(source, &mut self.phases)
    }

    /// Stores `bytes` where `sink` says.
    ///
    /// # Errors
    /// When the storage refuses or does not answer.
    pub fn put(&mut self, sink: Sink, bytes: Vec<u8>) -> Result<Stored, Error> {
        storage::put(sink, bytes, &mut self.phases)
    }

    /// Counts the time of `turn` as `deserialize`: stored bytes become the function's
    /// data.
    pub fn deserialize<T>(&mut self, turn: impl FnOnce() -> T) -> T {
        self.timed(GuestPhase::Deserialize, turn)
    }

    /// Counts the time of `turn` as `serialize`: the function's data become bytes to be
    /// stored. The response's own encoding counts by itself.
    pub fn serialize<T>(&mut self, turn: impl FnOnce() -> T) -> T {
        self.timed(GuestPhase::Serialize, turn)
    }

    fn timed<T>(&mut self, phase: GuestPhase, turn: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let data = turn();
        self.phases.add(phase, nanoseconds_since(started));
        data
    }
}

/// Nanoseconds from `started` until now; `u64` holds 584 years of them.
pub(crate) fn nanoseconds_since(started: Instant) -> u64 {
    started.elapsed().as_nanos() as u64
}
