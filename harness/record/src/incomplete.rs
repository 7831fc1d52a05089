//! Removes what a run that was ended early left of incomplete blocks.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use lumos_model::files;
use lumos_model::row::{BlockId, Row};
use lumos_model::telemetry::BlockTelemetry;

use crate::atomic::Replacement;
use crate::error::RecordError;
use crate::lines::{Line, Lines};

/// Removes the rows of incomplete blocks of the run in `dir`, and lines that cannot be parsed.
/// Returns the complete blocks.
pub(crate) fn remove(dir: &Path) -> Result<HashSet<BlockId>, RecordError> {
    let mut complete = HashSet::new();
    retain_lines(&dir.join(files::TELEMETRY), |line| {
        serde_json::from_slice(line.content())
            .is_ok_and(|block: BlockTelemetry| complete.insert(block.block_id()))
    })?;
    retain_lines(&dir.join(files::ROWS), |line| {
        serde_json::from_slice(line.content())
            .is_ok_and(|row: Row| complete.contains(&row.block_id()))
    })?;
    Ok(complete)
}

/// Replaces the file at `path` with one that has only the lines for which `keep` returns true,
/// each of them terminated. A file in which nothing changes is not written.
fn retain_lines(path: &Path, mut keep: impl FnMut(&Line) -> bool) -> Result<(), RecordError> {
    let Some(mut lines) = Lines::open(path.to_owned())? else { return Ok(()) };
    let unwritten = |source| RecordError::Write { path: path.to_owned(), source };
    let mut rewrite = None;
    while let Some(line) = lines.next_line()? {
        let is_kept = keep(line);
        if rewrite.is_none() && !(is_kept && line.is_terminated()) {
            rewrite = Some(Rewrite::begin(path, line.offset).map_err(unwritten)?);
        }
        if let (true, Some(rewrite)) = (is_kept, &mut rewrite) {
            rewrite.add(line).map_err(unwritten)?;
        }
    }
    rewrite.map_or(Ok(()), |rewrite| rewrite.end().map_err(unwritten))
}

/// A file that is written again from its first line that changes.
struct Rewrite {
    replacement: Replacement,
    file: BufWriter<File>,
}

impl Rewrite {
    /// Copies the first `unchanged` bytes of the file at `path`.
    fn begin(path: &Path, unchanged: u64) -> io::Result<Self> {
        let replacement = Replacement::of(path);
        let mut file = BufWriter::new(File::create(replacement.path())?);
        io::copy(&mut File::open(path)?.take(unchanged), &mut file)?;
        Ok(Self { replacement, file })
    }

    fn add(&mut self, line: &Line) -> io::Result<()> {
        self.file.write_all(line.content())?;
        self.file.write_all(b"\n")
    }

    fn end(self) -> io::Result<()> {
        self.file.into_inner()?.sync_all()?;
        self.replacement.commit()
    }
}
