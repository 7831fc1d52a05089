//! Reads `telemetry.jsonl`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use lumos_model::files;
use lumos_model::telemetry::BlockTelemetry;

use crate::error::RecordError;
use crate::lines::Lines;

/// The complete blocks of a run, in the order of their measurement. An incomplete last line
/// completes no block and is left out.
#[derive(Debug)]
pub struct Telemetry {
    /// `None` before the first block is complete: there is no file.
    lines: Option<Lines<BufReader<File>>>,
}

impl Telemetry {
    /// Opens the telemetry of the run in `dir`.
    pub(crate) fn open(dir: &Path) -> Result<Self, RecordError> {
        Ok(Self { lines: Lines::open(dir.join(files::TELEMETRY))? })
    }
}

impl Iterator for Telemetry {
    type Item = Result<BlockTelemetry, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.lines.as_mut()?.next_record().transpose()
    }
}
