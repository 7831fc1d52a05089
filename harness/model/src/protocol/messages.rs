//! The messages themselves.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::block::BlockResult;
use super::load::{Load, LoadResult, PoolRecords, Serve};
use super::prepare::Prepare;
use super::proof::ModeProof;
use crate::capability::Capabilities;
use crate::cell::Target;
use crate::row::Sample;
use crate::units::Span;

/// From `lumos` to a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum ToHost {
    /// Report the capabilities. Answered by [`FromHost::Capabilities`].
    Capabilities,
    /// Prove that this artifact runs in the target's mode. Answered by [`FromHost::Proof`].
    ProveMode {
        /// Runtime and mode.
        target: Target,
        /// The artifact's file.
        artifact: PathBuf,
    },
    /// Prepare for a cell; warm instances are started and warmed up. Answered by
    /// [`FromHost::Prepared`].
    Prepare(Box<Prepare>),
    /// Measure a block. Answered by [`FromHost::Block`].
    Block {
        /// Number of samples.
        samples: u32,
        /// Whether to return the outputs too.
        keep_output: bool,
        /// Start no further sample after this time. The first sample is always taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<Span>,
    },
    /// Open a gateway; a host has one at a time. Answered by [`FromHost::Serving`].
    Serve(Box<Serve>),
    /// Report what happened at the gateway since the previous report. Answered by
    /// [`FromHost::Records`].
    TakeRecords,
    /// Accept no further request, finish those that wait or run, end the instances and close the
    /// gateway. Answered by [`FromHost::Drained`].
    Drain {
        /// Requests that still run after this time are stopped.
        within: Span,
    },
    /// Drive a pool from inside the host. Answered by [`FromHost::Loaded`].
    Load(Box<Load>),
}

/// From a host to `lumos`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum FromHost {
    /// What the host can do.
    Capabilities(Capabilities),
    /// The proof of the target's mode.
    Proof(ModeProof),
    /// The host is ready for [`ToHost::Block`].
    Prepared {
        /// The invocations that warmed the instance up; the first one is cold.
        warmup: Vec<Sample>,
    },
    /// A measured block.
    Block(BlockResult),
    /// The gateway accepts requests.
    Serving {
        /// The address that it listens on.
        address: SocketAddr,
        /// Features that are unavailable, and why.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// What happened at the gateway.
    Records(PoolRecords),
    /// The gateway is closed; the records are its last.
    Drained(PoolRecords),
    /// The result of the load.
    Loaded(LoadResult),
    /// The request failed; the host continues.
    Failed {
        /// What failed, why, and what to do.
        error: String,
    },
}
