//! Suggestions for mistyped words.

/// The known word nearest to `word`, if it is near enough to be a typing mistake.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_typing_mistake_has_a_suggestion_and_another_word_has_none() {
        let known = ["functions", "sizes", "targets"];
        assert_eq!(closest("functoins", known), Some("functions"));
        assert_eq!(closest("size", known), Some("sizes"));
        assert_eq!(closest("colour", known), None);
    }
}
