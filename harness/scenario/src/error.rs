//! Mistakes in a scenario, shown at their place in the file with a hint.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The wrong bytes of the file.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Problem {
    /// A mistake at `span`, without a hint.
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    /// Adds what to write instead.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
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
        /// The cause.
        source: std::io::Error,
    },
    /// The file has mistakes.
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

/// All problems, one below another. The first has no `error:` in front: the printer of the
/// error writes it.
fn show(path: &Path, text: &str, problems: &[Problem]) -> String {
    let path = path.display().to_string();
    let mut shown = String::new();
    for problem in problems {
        let level = match shown.is_empty() {
            true => Level::ERROR.no_name(),
            false => Level::ERROR,
        };
        let place = AnnotationKind::Primary.span(visible(text, &problem.span));
        let source = Snippet::source(text).path(&path).annotation(place);
        let hint = problem.hint.iter().map(|hint| Level::HELP.with_name("hint").message(hint));
        let report = level.primary_title(&problem.message).element(source).elements(hint);
        shown += &Renderer::plain().render(&[report]);
        shown += "\n\n";
    }
    shown.truncate(shown.trim_end().len());
    shown + "\n"
}

/// At least one character of the first line of `span`.
fn visible(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let one = text[start..].chars().next().map_or(0, char::len_utf8);
    start..span.end.min(line_end).max(start + one)
}
