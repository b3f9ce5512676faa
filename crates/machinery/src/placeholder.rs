//! Strings whose content is known only where the patch is applied.

use std::ops::Range;

/// The starts of references to a secret that another program replaces: 1Password, vals, Vault's agent injector.
const REFERENCES: [&str; 4] = ["op://", "ref+", "vault:", "secretref+"];

/// The bytes of the parts of a string that are filled in outside the repository: a name as environment variables have it, between `${`
/// and `}`.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    text.match_indices("${").filter_map(|(start, _)| {
        let rest = &text[start + 2..];
        let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let is_name = length > 0 && !rest.starts_with(|c: char| c.is_ascii_digit());
        (is_name && rest[length..].starts_with('}')).then_some(start..start + length + 3)
    })
}

/// Whether a part of a string is filled in outside the repository.
pub(crate) fn has_placeholder(text: &str) -> bool {
    placeholders(text).next().is_some()
}

/// Whether a string refers to a value that another program puts in its place: `op://…`, `ref+…`, `vault:…`, `{{ … }}`.
pub(crate) fn is_reference(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("{{") || REFERENCES.iter().any(|start| text.starts_with(start))
}

/// Whether a string that must be a secret refers to it: also by the URI of any store of secrets, such as `akv://vault/token`.
pub(crate) fn is_secret_reference(text: &str) -> bool {
    let has_scheme = |text: &str| {
        text.split_once("://").is_some_and(|(scheme, rest)| {
            !rest.is_empty()
                && scheme.starts_with(|c: char| c.is_ascii_lowercase())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-".contains(&byte))
                && !matches!(scheme, "http" | "https")
                && !rest.contains(|c: char| c == '@' || c.is_whitespace())
        })
    };
    is_reference(text) || has_scheme(text.trim())
}

/// Whether the content of a string is unknown, and with it whether Talos accepts it.
#[must_use]
pub fn is_unknown(text: &str) -> bool {
    has_placeholder(text) || is_reference(text)
}

#[cfg(test)]
mod tests {
    use super::{has_placeholder, is_secret_reference, is_unknown};

    #[test]
    fn placeholders_are_to_be_filled_in() {
        assert!(has_placeholder("a ${TOKEN} b") && has_placeholder("${a_1}"));
        assert!(!["$TOKEN", "${}", "${1A}", "${A B}", "${A", ""].iter().any(|text| has_placeholder(text)));
        assert!(["${A}/24", "{{ a }}", "op://vault/item", "ref+sops://a"].iter().all(|text| is_unknown(text)));
        assert!(!["a", "https://op://", "a {{ b }}"].iter().any(|text| is_unknown(text)));
        assert!(["akv://vault/token", "ref+a"].iter().all(|text| is_secret_reference(text)));
        assert!(!["https://a/b", "db://u:p@h", "a b://c", "://a", "a://"].iter().any(|text| is_secret_reference(text)));
    }
}
