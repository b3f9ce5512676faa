//! Adds entries to the text of a YAML file; everything else in it stays as it is.

use talosmith_document::{Document, Node, NodeValue, Sources};

/// Adds an entry, which is a `key: value` of any number of lines, as the last one of the mapping at some keys. Mappings that do not exist are
/// added too. Returns none if the mapping is empty, in braces, or no mapping.
pub(super) fn with_entry(text: &str, keys: &[&str], entry: &str) -> Option<String> {
    let source = Sources::default().add("", text);
    let document = Document::parse(source, text).ok()?;
    let (mut node, mut missing) = (&document.root, keys);
    while let [key, rest @ ..] = missing {
        let Some(inner) = node.get(key) else { break };
        (node, missing) = (inner, rest);
    }
    let (column, end) = end_of_block(node, text)?;
    let mut block = entry.to_owned();
    for key in missing.iter().rev() {
        block = format!("{key}:\n{}", indented(&block, 2));
    }
    let gap = if column == 0 { "\n" } else { "" };
    let line_end = if text[..end].ends_with('\n') { "" } else { "\n" };
    let new = format!("{}{line_end}{gap}{}{}", &text[..end], indented(&block, column), &text[end..]);
    Document::parse(source, &new).is_ok().then_some(new)
}

/// Returns the column of the keys of a mapping without braces, and the byte at which the line after it begins.
fn end_of_block(node: &Node, text: &str) -> Option<(usize, usize)> {
    let NodeValue::Mapping(entries) = &node.value else { return None };
    let (first, last) = (entries.first()?, entries.last()?);
    if text[node.span.start as usize..].starts_with('{') {
        return None;
    }
    let start = first.key_span.start as usize;
    let column = start - text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = last.value.span.end.max(last.key_span.end) as usize;
    let line_end = match text[..end].ends_with('\n') {
        true => end,
        false => text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1),
    };
    Some((column, line_end))
}

fn indented(text: &str, columns: usize) -> String {
    let indent = " ".repeat(columns);
    text.split_inclusive('\n')
        .map(|line| if line.trim().is_empty() { line.to_owned() } else { indent.clone() + line })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLEET: &str = "version: 1 # one\nclusters:\n    home: # mine\n        talosVersion: v1.13.8\n        defaults:\n            note: |\n                a\n\n# The end.\nlints: { stale: off }";

    #[test]
    fn an_entry_is_the_last_of_its_mapping() {
        let cluster = with_entry(FLEET, &["clusters"], "lab:\n  talosVersion: v1.14.1\n").expect("a block");
        assert_eq!(
            cluster,
            FLEET.replace("                a\n", "                a\n    lab:\n      talosVersion: v1.14.1\n")
        );
        let secrets = with_entry(FLEET, &["secrets"], "a:\n  - env: A\n").expect("a block");
        assert_eq!(secrets, format!("{FLEET}\n\nsecrets:\n  a:\n    - env: A\n"));
        let more = with_entry(&secrets, &["secrets"], "b:\n  - env: B\n").expect("a block");
        assert_eq!(more, format!("{secrets}  b:\n    - env: B\n"));
        let inner = with_entry(FLEET, &["clusters", "home", "applications"], "gpu: {}\n").expect("a block");
        assert!(inner.contains("                a\n        applications:\n          gpu: {}\n\n# The end."), "{inner}");
    }

    #[test]
    fn a_mapping_that_is_empty_or_in_braces_gets_no_entry() {
        assert_eq!(with_entry(FLEET, &["lints"], "a: off\n"), None);
        assert_eq!(with_entry("clusters:\n  a: {}\nsecrets:\n", &["secrets"], "a: []\n"), None);
    }
}
