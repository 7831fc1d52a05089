//! What a cell asks of its instances.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::axes::{Driver, Start};
use crate::arrival::Traffic;
use crate::units::Span;

/// What a cell asks of its instances.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Demand {
    /// Separate samples, each with this start kind.
    Each(Start),
    /// A load on a pool of instances, which decides how each request starts.
    Load(LoadPoint),
}

/// The load on a cell's pool of instances.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LoadPoint {
    /// From where the pool is driven.
    pub driver: Driver,
    /// How requests arrive.
    pub traffic: Traffic,
    /// How long an instance may be idle before it is reclaimed.
    pub keep_alive: Span,
}

impl fmt::Display for LoadPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LoadPoint { driver, traffic, keep_alive } = self;
        write!(f, "{driver}/{traffic}/keep-alive-{keep_alive}")
    }
}
