//! The interface to the two ways of holding the instance of a cell.

use std::path::Path;

use lumos_model::cell::{Start, Target};
use lumos_model::counters::Counters;
use lumos_model::protocol::ModeProof;
use lumos_model::row::Sample;
use lumos_runtime::error::HostError;
use lumos_runtime::sample::Output;

/// Takes samples of one cell: provisions what the start kind asks for, invokes the instance
/// and reads the clocks.
pub trait Sampler {
    /// Takes one sample of the start kind.
    fn sample(&mut self, seq: u32, start: Start, request: &str, output: Output) -> Sample;

    /// Counters of the instances since the last call.
    fn take_counters(&mut self) -> Vec<Counters>;

    /// Adds the memory of the instance inside this process to `host`, the counters of this
    /// process.
    fn attribute_memory(&self, host: &mut Counters) {
        let _ = host;
    }

    /// The envelope of the last invocation. Its content is unspecified if that failed.
    fn last_answer(&self) -> &[u8];

    /// Proves the mode of the module that is loaded; `None` if `artifact` is not loaded in this
    /// process for `target`.
    fn prove_mode(&self, target: &Target, artifact: &Path) -> Option<Result<ModeProof, HostError>> {
        let _ = (target, artifact);
        None
    }
}
