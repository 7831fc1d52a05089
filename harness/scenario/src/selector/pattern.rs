//! Words with wildcards.

use serde::{Deserialize, Serialize};

/// A word in which `*` matches any text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pattern(pub(crate) String);

impl Pattern {
    pub(super) fn matches(&self, word: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = word.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(found) = rest.find(part) else { return false };
            rest = &rest[found + part.len()..];
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_text() {
        for (pattern, word, expected) in [
            ("warm", "warm", true),
            ("warm", "warmer", false),
            ("cold:*", "cold:image", true),
            ("*-aot", "wasmedge-aot", true),
            ("w*e-*t", "wasmtime-jit", true),
            ("w*e-*t", "wasmedge-interp", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "x", false),
        ] {
            assert_eq!(Pattern(pattern.into()).matches(word), expected, "{pattern} {word}");
        }
    }
}
