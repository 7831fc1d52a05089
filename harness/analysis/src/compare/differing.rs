//! A fact that is not the same in both runs.

/// The fact in each run.
#[derive(Clone, Debug, PartialEq)]
pub struct Differing<T> {
    /// In the base run.
    pub base: T,
    /// In the new run.
    pub new: T,
}

impl<T: PartialEq> Differing<T> {
    /// `None`: the fact is the same in both.
    pub(super) fn of(base: T, new: T) -> Option<Self> {
        (base != new).then_some(Self { base, new })
    }
}
