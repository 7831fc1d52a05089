//! Lines and lists that fit a width.

use crate::lists::shorten;

/// Longest lists of notes. Markdown has them in full.
const MOST_LINES: usize = 8;
/// Width of a list's label.
const LABEL: usize = 10;

/// Breaks `text` at blanks into lines of at most `width` characters, with two left for a
/// hanging indent. A longer word is not broken.
fn wrap(text: &str, width: usize) -> impl Iterator<Item = String> {
    let width = width.saturating_sub(2);
    let mut lines = vec![String::new()];
    // A unit stays with its number.
    let text = text.replace(" %", "\u{a0}%");
    for word in text.split(' ') {
        let line = lines.last_mut().expect("never empty");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.into_iter().map(|line| line.replace('\u{a0}', " "))
}

/// `text` in lines of at most `width` characters.
pub(crate) fn paragraph(text: &str, width: usize) -> String {
    wrap(text, width).map(|line| line + "\n").collect()
}

/// Lists with labels on their left.
pub(crate) struct LabelledLists {
    out: String,
    width: usize,
}

impl LabelledLists {
    /// For a terminal of `width` columns.
    pub fn new(width: usize) -> Self {
        Self { out: String::new(), width }
    }

    /// The text of all lists.
    pub fn finish(self) -> String {
        self.out
    }

    /// Adds a list, cut short when it is long; nothing when it is empty.
    pub fn add(&mut self, label: &str, lines: &[String]) {
        let (shown, left) = shorten(lines, MOST_LINES);
        self.add_all(label, shown);
        if left > 0 {
            self.out.push_str(&format!("{:LABEL$}and {left} more\n", ""));
        }
    }

    /// Adds a list in full.
    pub fn add_all(&mut self, label: &str, lines: &[String]) {
        let mut label = label;
        for line in lines {
            for (index, part) in wrap(line, self.width.saturating_sub(LABEL)).enumerate() {
                let hang = if index == 0 { "" } else { "  " };
                self.out.push_str(format!("{label:LABEL$}{hang}{part}").trim_end());
                self.out.push('\n');
                label = "";
            }
        }
    }
}
