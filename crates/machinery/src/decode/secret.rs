//! What counts as a secret in a field that holds one.

use crate::placeholder::has_placeholder;

/// What the machinery puts for a secret that it does not show.
pub(super) const REDACTED: &str = "******";

/// Whether the value of a field for secrets is one.
pub(super) fn is_secret(text: &str) -> bool {
    !text.trim().is_empty() && text != REDACTED && !has_placeholder(text)
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn placeholders_are_no_secrets() {
        assert!(is_secret("abc") && !is_secret("${TOKEN}") && !is_secret("******") && !is_secret(" "));
    }
}
