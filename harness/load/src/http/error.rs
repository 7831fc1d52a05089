//! Why a load could not be sent.

use std::io;
use std::net::SocketAddr;

use super::target::TargetError;
use crate::arrivals::ArrivalError;
use crate::trace::TraceError;

/// A load that could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There are no arrivals.
    #[error(transparent)]
    Arrivals(#[from] ArrivalError),
    /// The request cannot be written.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The first connections could not be made.
    #[error("cannot connect to {addr}: {error}; is the server running, and is the port right?")]
    Connect {
        /// The server.
        addr: SocketAddr,
        /// The cause.
        error: io::Error,
    },
    /// The kernel refuses a poll or a timer.
    #[error("cannot wait for events: {0}")]
    Poll(io::Error),
}

impl From<TraceError> for LoadError {
    fn from(error: TraceError) -> Self {
        Self::Arrivals(error.into())
    }
}
