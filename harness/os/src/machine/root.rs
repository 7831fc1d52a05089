//! The small files in which the kernel describes the machine.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The folder that contains `proc`, `sys` and `etc`: `/`, or the folder of a test.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// The root of this machine.
    pub fn system() -> Self {
        Self(PathBuf::from("/"))
    }

    /// A machine made of files in `folder`.
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The path of `file`, which has no leading slash.
    pub fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    /// The content of `file` without leading and trailing white space and null bytes; `None` if the
    /// file is absent, unreadable or empty.
    pub fn text(&self, file: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.path(file)).ok()?;
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The content of `file`, if it is a number.
    pub fn number<T: FromStr>(&self, file: &str) -> Option<T> {
        self.text(file)?.parse().ok()
    }

    /// The sorted names in `folder`; none if it is absent.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(folder)) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}
