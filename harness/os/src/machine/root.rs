//! Reads the small files by which the kernel tells about the machine.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The folder that `proc`, `sys` and `etc` are looked for in: `/`, or a test's.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// This machine.
    pub fn system() -> Self {
        Self(PathBuf::from("/"))
    }

    /// Another folder.
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The path of `file`, which is given without a leading slash.
    pub fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    /// What `file` holds, without blanks and null bytes at its ends; `None` when it is
    /// not there, not readable or empty.
    pub fn text(&self, file: &str) -> Option<String> {
        read_trimmed(&self.path(file))
    }

    /// What `file` holds, when it is a number.
    pub fn number<T: FromStr>(&self, file: &str) -> Option<T> {
        self.text(file)?.parse().ok()
    }

    /// The names in `folder`, sorted; none when it is not there.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(folder)) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

/// What the file at `path` holds; see [`Root::text`].
pub(super) fn read_trimmed(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!text.is_empty()).then(|| text.to_owned())
}
