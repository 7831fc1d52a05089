//! Who is told how far a run is.

use lumos_model::cell::Cell;

/// Told of a run's progress; shows it to a person, or to nobody. Nothing that it does may end
/// the run.
pub trait Observer: Sync {
    /// A stage begins.
    fn stage(&self, what: &str);

    /// What is at hand within the stage.
    fn note(&self, what: &str);

    /// Something that the user should see now.
    fn warn(&self, what: &str);

    /// The measurement begins; it has this many blocks.
    fn start(&self, blocks: u64);

    /// The block of `cell` is about to be measured.
    fn block(&self, cell: &Cell);

    /// A block is done.
    fn done(&self);

    /// The measurement is over, whether it came to its end or not.
    fn finish(&self);
}
