//! The terminal that output goes to.

/// Columns of output that does not go to a terminal.
const WIDTH: usize = 120;

/// Columns of the terminal on standard output.
pub fn width() -> usize {
    console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns))
}
