//! Secret files of an earlier run whose secret has no source in this one.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::plan::Device;
use talosmith_render::SecretArtifact;
use zeroize::Zeroizing;

use crate::writer::read_secret;

/// Returns the paths of those files that differ from what the model generates in the values of secrets alone. `artifacts` are the files
/// of a device with its placeholders as values.
pub(crate) fn current_files(device: &Device, artifacts: &[SecretArtifact], root: &Utf8Path) -> BTreeSet<Utf8PathBuf> {
    let placeholders: Vec<String> = device.secrets.iter().map(|held| format!("${{{}}}", held.placeholder)).collect();
    let is_current = |artifact: &&SecretArtifact| {
        let previous = read_secret(root, &artifact.path);
        let template = String::from_utf8_lossy(artifact.expose_bytes());
        previous.is_ok_and(|previous| matches(&unquoted(&previous), &template, &placeholders))
    };
    artifacts.iter().filter(is_current).map(|artifact| artifact.path.clone()).collect()
}

/// Returns a text without quotes and escapes, which depend on the value of a secret.
fn unquoted(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    plain.extend(bytes.iter().filter(|byte| !matches!(byte, b'"' | b'\'' | b'\\')));
    plain
}

/// Whether an unquoted text is a template with some values for its placeholders.
fn matches(text: &[u8], template: &str, placeholders: &[String]) -> bool {
    let mut template = template.to_owned();
    for placeholder in placeholders {
        template = template.replace(placeholder.as_str(), "\0");
    }
    let template = unquoted(template.as_bytes());
    let mut parts = template.split(|byte| *byte == 0);
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&[u8]> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between.iter().filter(|part| !part.is_empty()) {
        let Some(at) = rest.windows(part.len()).position(|window| window == *part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_current_if_only_values_differ() {
        let template = "# x\nenvironment:\n  - \"K=${KEY}\"\n  - H=a\n  - P=${WORD}\n";
        let placeholders = ["${KEY}".to_owned(), "${WORD}".to_owned()];
        let is_current = |text: &str| matches(&unquoted(text.as_bytes()), template, &placeholders);
        assert!(is_current("# x\nenvironment:\n  - K=tskey-1\n  - H=a\n  - \"P=it's: \\\"b\\\"\"\n"));
        assert!(is_current("# x\nenvironment:\n  - K=\n  - H=a\n  - P=\n"));
        assert!(!is_current("# x\nenvironment:\n  - K=tskey-1\n  - H=b\n  - P=c\n"));
        assert!(!is_current("# x\nenvironment:\n  - K=tskey-1\n  - H=a\n"));
        assert!(!is_current("# y\nenvironment:\n  - K=tskey-1\n  - H=a\n  - P=c\n"));
        assert!(!is_current(""));
        assert!(matches(b"a", "a", &[]) && !matches(b"ab", "a", &[]));
    }
}
