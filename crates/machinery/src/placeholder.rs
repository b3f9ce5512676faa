//! Strings whose content is known only where the patch is applied.

/// The starts of references to a secret that another program replaces: 1Password, vals, Vault's agent injector.
const REFERENCES: [&str; 4] = ["op://", "ref+", "vault:", "secretref+"];

/// Whether a part of a string is filled in outside the repository: a name as environment variables have it, between `${` and `}`.
pub(crate) fn has_placeholder(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| {
        let name = text[at + 2..].split_once('}').map_or("", |(name, _)| name);
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Whether a string refers to a value that another program puts in its place: `op://…`, `ref+…`, `vault:…`, `{{ … }}`.
pub(crate) fn is_reference(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("{{") || REFERENCES.iter().any(|start| text.starts_with(start))
}

/// Whether the content of a string is unknown, and with it whether Talos accepts it.
#[must_use]
pub fn is_unknown(text: &str) -> bool {
    has_placeholder(text) || is_reference(text)
}

#[cfg(test)]
mod tests {
    use super::{has_placeholder, is_unknown};

    #[test]
    fn placeholders_are_to_be_filled_in() {
        assert!(has_placeholder("a ${TOKEN} b") && has_placeholder("${a_1}"));
        assert!(!["$TOKEN", "${}", "${1A}", "${A B}", "${A", ""].iter().any(|text| has_placeholder(text)));
        assert!(["${A}/24", "{{ a }}", "op://vault/item", "ref+sops://a"].iter().all(|text| is_unknown(text)));
        assert!(!["a", "https://op://", "a {{ b }}"].iter().any(|text| is_unknown(text)));
    }
}
