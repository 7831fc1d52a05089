//! Lists that are cut short.

use std::fmt::Display;

/// The first `most` items, and how many are left out.
pub(crate) fn shorten<T>(items: &[T], most: usize) -> (&[T], usize) {
    let shown = &items[..items.len().min(most)];
    (shown, items.len() - shown.len())
}

/// The first `most` items in a sentence: `a, b, and 3 more`.
pub(crate) fn joined<T: Display>(items: &[T], most: usize, separator: &str) -> String {
    let (shown, left) = shorten(items, most);
    let shown: Vec<String> = shown.iter().map(ToString::to_string).collect();
    let shown = shown.join(separator);
    match left {
        0 => shown,
        more => format!("{shown}{separator}and {more} more"),
    }
}

/// A number of things: `1 cell`, `2 cells`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_short() {
        let items = ["a", "b", "c", "d"];
        assert_eq!(joined(&items, 4, ", "), "a, b, c, d");
        assert_eq!(joined(&items, 2, "; "), "a; b; and 2 more");
        assert_eq!(joined(&items[..0], 2, ", "), "");
        assert_eq!(shorten(&items, 3), (&items[..3], 1));
    }
}
