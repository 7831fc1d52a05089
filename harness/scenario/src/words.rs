//! What somebody may have meant by a word that is not known.

/// The known word that is nearest to `word`, when it is near enough to be a slip.
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
    fn a_slip_is_mended_and_another_word_is_not() {
        let known = ["functions", "sizes", "targets"];
        assert_eq!(closest("functoins", known), Some("functions"));
        assert_eq!(closest("size", known), Some("sizes"));
        assert_eq!(closest("colour", known), None);
    }
}
