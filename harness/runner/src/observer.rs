//! Where a run reports its progress.

use lumos_model::cell::Cell;

/// Receives the progress of a run, to show it to a person or to nobody. Nothing that an
/// observer does may end the run.
pub trait Observer: Sync {
    /// A stage of the run starts.
    fn stage(&self, what: &str);

    /// What the run does now, within the stage.
    fn note(&self, what: &str);

    /// Something that the user should see at once.
    fn warn(&self, what: &str);

    /// The measurement starts, with this number of blocks.
    fn blocks_start(&self, number: u64);

    /// The block of `cell` is about to be measured. Until [`block_done`](Self::block_done) the
    /// observer must leave the machine to the measurement.
    fn block_start(&self, cell: &Cell);

    /// The block was measured.
    fn block_done(&self);

    /// The measurement is over, complete or not.
    fn finish(&self);
}
