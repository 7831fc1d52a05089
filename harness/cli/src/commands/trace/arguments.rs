//! Which arrivals of a recorded trace are used.

use std::path::PathBuf;

use clap::Args;
use lumos_model::arrival::{Arrival, Factor};

/// Which arrivals of a recorded trace are used.
#[derive(Debug, Args)]
pub(super) struct RecordedTrace {
    /// A CSV file of times, or of counts per minute in the format of the Azure Functions 2019
    /// trace
    pub(super) file: PathBuf,

    /// Use only the function whose hash starts with this, from counts per minute
    #[arg(long, value_name = "HASH")]
    function: Option<String>,

    /// Use this many times the requests of the trace
    #[arg(long, value_name = "X", default_value = "1")]
    scale: Factor,

    /// Replay the trace this many times faster
    #[arg(long, value_name = "X", default_value = "1")]
    speed: Factor,
}

impl RecordedTrace {
    pub(super) fn arrival(&self) -> Arrival {
        let Self { file, function, scale, speed } = self;
        Arrival::Trace {
            file: file.clone(),
            function: function.clone(),
            scale: *scale,
            speed: *speed,
        }
    }
}
