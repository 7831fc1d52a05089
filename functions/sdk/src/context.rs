//! What a function can use while it runs.

use lumos_wire::phases::{GuestPhase, GuestPhases};

use crate::error::Error;
use crate::storage::{self, Sink, Source, Stored};
use crate::time::timed;

/// Storage and phase marks of one invocation.
#[derive(Default)]
pub struct Context {
    pub(crate) phases: GuestPhases,
}

impl Context {
    /// Fetches the bytes that `source` names.
    ///
    /// # Errors
    /// When the value does not exist, or the storage does not respond.
    pub fn get(&mut self, source: Source) -> Result<Vec<u8>, Error> {
        storage::get(source, &mut self.phases)
    }

    /// Stores `bytes` in `sink`.
    ///
    /// # Errors
    /// When the storage rejects the value or does not respond.
    pub fn put(&mut self, sink: Sink, bytes: Vec<u8>) -> Result<Stored, Error> {
        storage::put(sink, bytes, &mut self.phases)
    }

    /// Adds the time of `work` to the phase `deserialize`: it turns stored bytes into the
    /// function's data.
    pub fn deserialize<T>(&mut self, work: impl FnOnce() -> T) -> T {
        timed(&mut self.phases, GuestPhase::Deserialize, work)
    }

    /// Adds the time of `work` to the phase `serialize`: it turns the function's data into bytes to
    /// store. The encoding of the response is counted without this call.
    pub fn serialize<T>(&mut self, work: impl FnOnce() -> T) -> T {
        timed(&mut self.phases, GuestPhase::Serialize, work)
    }
}
