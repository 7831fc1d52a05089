//! Why a run directory cannot be read or written.

use std::io;
use std::path::PathBuf;

/// A run directory, or a file of it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The directory holds no run.
    #[error("{} is no run directory: it holds no {missing}; `lumos run` makes one", dir.display())]
    NoRun {
        /// The directory.
        dir: PathBuf,
        /// The file that every run has.
        missing: &'static str,
    },
    /// The directory holds a run already.
    #[error(
        "{} holds a run already: give another --out, or go on with `lumos run --resume {}`",
        dir.display(),
        dir.display()
    )]
    Taken {
        /// The directory.
        dir: PathBuf,
    },
    /// Another process measures into the directory.
    #[error("another lumos measures into {}: let it end, or stop it", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// A file is not what it should be.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A line of the rows is no row, and it is not the last one of a run that was killed.
    #[error("{}:{line} is no row; restore the file or delete the line", path.display())]
    CorruptRow {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A file has a format that this program does not know.
    #[error(
        "{} has schema {found}, and this lumos reads up to {known}: use the one that wrote it",
        place(path, *line)
    )]
    Later {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1; `None`: it is one object.
        line: Option<usize>,
        /// The file's schema.
        found: u32,
        /// The latest schema that is known.
        known: u32,
    },
}

fn place(path: &std::path::Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}
