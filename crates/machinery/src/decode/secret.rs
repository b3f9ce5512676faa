//! What counts as a secret in a field that holds one.

/// What the machinery puts for a secret that it does not show.
pub(super) const REDACTED: &str = "******";

/// A name in capitals as environment variables have it, between `${` and `}`: to be filled in outside the repository.
pub(super) fn has_placeholder(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| {
        let name = text[at + 2..].split_once('}').map_or("", |(name, _)| name);
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Whether the value of a field for secrets is one.
pub(super) fn is_secret(text: &str) -> bool {
    !text.trim().is_empty() && text != REDACTED && !has_placeholder(text)
}

#[cfg(test)]
mod tests {
    use super::{has_placeholder, is_secret};

    #[test]
    fn placeholders_are_to_be_filled_in() {
        assert!(has_placeholder("a ${TOKEN} b") && has_placeholder("${a_1}"));
        assert!(!["$TOKEN", "${}", "${1A}", "${A B}", "${A", ""].iter().any(|text| has_placeholder(text)));
        assert!(is_secret("abc") && !is_secret("${TOKEN}") && !is_secret("******") && !is_secret(" "));
    }
}
