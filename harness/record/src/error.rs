//! Why a run directory cannot be read or written.

use std::io;
use std::path::{Path, PathBuf};

/// A run directory, or a file in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file or directory cannot be created or written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The directory holds no run.
    #[error(
        "{} is not a run directory: it has no {missing}; `lumos run` creates one",
        dir.display()
    )]
    NoRun {
        /// The directory.
        dir: PathBuf,
        /// The file that every run has.
        missing: &'static str,
    },
    /// A new run was to be written into the directory of another run.
    #[error(
        "{} already holds a run: choose another --out, or continue it with \
         `lumos run --resume {}`",
        dir.display(),
        dir.display()
    )]
    Taken {
        /// The directory.
        dir: PathBuf,
    },
    /// Another process measures into the directory.
    #[error(
        "another lumos process is writing to {}: wait until it ends, or stop it",
        dir.display()
    )]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// A file is not JSON of the expected shape.
    #[error("{} is damaged: restore the file, or start a new run", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A complete line of a file cannot be parsed. An incomplete last line is not an error: it
    /// is what a run that was killed leaves.
    #[error("{}:{line} is damaged: restore the file, or delete the line", path.display())]
    CorruptLine {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A file was written by a later version of `lumos`.
    #[error(
        "{} has schema {found}, but this lumos reads schemas up to {known}: use the version of \
         lumos that wrote it",
        place(path, *line)
    )]
    Later {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1; `None` when the file is one JSON object.
        line: Option<usize>,
        /// The file's schema.
        found: u32,
        /// The latest schema that this version reads.
        known: u32,
    },
}

fn place(path: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}
