//! The terminal: its width, and warnings on it.

use std::fmt::Display;

use lumos_model::warning::Warning;
use lumos_report::warnings::words;

/// Columns of output that does not go to a terminal.
const DEFAULT_WIDTH: usize = 120;

/// Columns of the terminal on standard output.
pub(crate) fn width() -> usize {
    let size = console::Term::stdout().size_checked();
    size.map_or(DEFAULT_WIDTH, |(_, columns)| usize::from(columns))
}

/// A warning as a line of text.
pub(crate) fn warning_line(message: impl Display) -> String {
    format!("warning: {message}")
}

/// Prints a warning on standard error.
pub(crate) fn warn(message: impl Display) {
    eprintln!("{}", warning_line(message));
}

/// Prints warnings of the model, in words.
pub(crate) fn warn_all(warnings: &[Warning]) {
    warnings.iter().for_each(|warning| warn(words(warning)));
}
