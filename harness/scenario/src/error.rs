//! Mistakes in a scenario, shown at their place with a hint.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the file that are wrong.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Problem {
    /// A mistake at `span`.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    /// Adds what to write instead.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Why a scenario is refused.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read the scenario {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds mistakes.
    #[error("{}", show(path, text, problems))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Its content.
        text: String,
        /// The mistakes in the order of the file.
        problems: Vec<Problem>,
    },
}

/// All problems, one below the other; the first without `error:`, which whoever prints
/// the error writes.
fn show(path: &Path, text: &str, problems: &[Problem]) -> String {
    let shown: Vec<_> =
        problems.iter().map(|problem| Snippet { path, text, problem }.to_string()).collect();
    shown.join("\nerror: ")
}

/// A problem with the line it stands in and a mark below it.
struct Snippet<'a> {
    path: &'a Path,
    text: &'a str,
    problem: &'a Problem,
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { span, message, hint } = self.problem;
        let start = floor_boundary(self.text, span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let number = self.text[..line_start].matches('\n').count() + 1;
        let before = &self.text[line_start..start.min(line_start + line.len())];
        let column = before.chars().count();
        let end = floor_boundary(self.text, span.end)
            .clamp(start, line_start + line.len().max(start - line_start));
        let width = self.text[start..end].chars().count().max(1);
        // A tab stays a tab, so that the mark stands below its text.
        let indent: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let gutter = " ".repeat(number.to_string().len());

        writeln!(f, "{message}")?;
        writeln!(f, "{gutter}--> {}:{number}:{}", self.path.display(), column + 1)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {line}")?;
        writeln!(f, "{gutter} | {indent}{}", "^".repeat(width))?;
        if let Some(hint) = hint {
            writeln!(f, "{gutter} = hint: {hint}")?;
        }
        Ok(())
    }
}

/// The last character boundary of `text` that is not after `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}
