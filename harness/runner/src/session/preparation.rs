//! What to prepare a host for.

use lumos_model::cell::Cell;

/// What to prepare a host for.
#[derive(Clone, Copy, Debug)]
pub struct Preparation<'a> {
    /// The cell.
    pub cell: &'a Cell,
    /// What each invocation gets.
    pub request: RequestSource<'a>,
    /// What the invocations are for.
    pub purpose: Purpose,
}

impl<'a> Preparation<'a> {
    /// To measure `cell` with the request that the session generated for it.
    pub fn of(cell: &'a Cell) -> Self {
        Self { cell, request: RequestSource::Generated, purpose: Purpose::Measure }
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub enum RequestSource<'a> {
    /// From the function, the size and the seed: the cell must have been provided for.
    Generated,
    /// From the user, as JSON.
    Payload(&'a str),
}

/// What invocations are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be measured, within the session's limits and with its gaps.
    Measure,
    /// To check what they compute: without limits but a time of a minute or more, and without
    /// gaps.
    Check,
}
