//! Suggestions for misspelt names.

/// Returns the candidate that is most similar to `word`, if any is similar enough. The first one wins a tie.
///
/// Case is ignored, and about every third letter may differ: inserted, missing, replaced, or swapped with its neighbour.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let allowed = lower.chars().count().max(3) / 3;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    const KEYS: &[&str] = &["address", "disks", "install", "labels", "name", "role", "volumes", "EPHEMERAL"];

    #[test]
    fn misspelt_words_are_found() {
        let found = |word| closest(word, KEYS.iter().copied());
        assert_eq!(found("volume"), Some("volumes"));
        assert_eq!(found("adress"), Some("address"));
        assert_eq!(found("isntall"), Some("install"));
        assert_eq!(found("ephemeral"), Some("EPHEMERAL"));
        assert_eq!(found("rol"), Some("role"));
    }

    #[test]
    fn other_words_find_nothing() {
        let found = |word| closest(word, KEYS.iter().copied());
        assert_eq!(found("kubelet"), None);
        assert_eq!(found("x"), None);
        assert_eq!(found(""), None);
        assert_eq!(found("disks"), None, "the word itself is not a suggestion");
    }

    #[test]
    fn the_nearest_wins_and_then_the_first() {
        assert_eq!(closest("tailscala", ["tailscales", "tailscale"]), Some("tailscale"));
        assert_eq!(closest("cat", ["hat", "bat"]), Some("hat"));
    }
}
