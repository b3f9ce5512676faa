//! The most entries of a list or mapping in the model.
//!
//! Checks compare the entries with each other, so their time grows with the square of the number.

use talosmith_document::{Code, Diagnostic, Location, Node, Pointer, SourceId};

use crate::schema::Schema;

const MAX_ENTRIES: usize = 1_000;

/// The most clusters and secrets of a fleet.
const MAX_OF_FLEET: usize = 10_000;

/// The most groups of a device. Each is a layer with all keys of a device.
const MAX_GROUPS: usize = 100;

/// The least bytes of an entry, such as `a,`.
const LEAST_BYTES: usize = 2;

/// Returns the finding on the first list or mapping with too many entries. The mapping of a raw patch may have any number.
pub(super) fn too_many_entries(schema: Schema, source: SourceId, text: &str, root: &Node) -> Option<Diagnostic> {
    if text.len() < MAX_GROUPS * LEAST_BYTES {
        return None;
    }
    find(schema, root, &Pointer::root()).map(|(at, count, most)| {
        let name = at.segments().last().map_or("the file".to_owned(), |key| format!("`{key}`"));
        let message = format!("{name} has {count} entries, more than {most}");
        Diagnostic::new(Code::TooLarge, message, Location::value(source, at).as_key())
    })
}

fn find(schema: Schema, node: &Node, at: &Pointer) -> Option<(Pointer, usize, usize)> {
    let count = node.entries().len() + node.items().len();
    let most = match (schema, at.as_str()) {
        (Schema::Device, "/groups") => MAX_GROUPS,
        (Schema::Fleet, "/clusters" | "/secrets") => MAX_OF_FLEET,
        _ => MAX_ENTRIES,
    };
    if count > most {
        return Some((at.clone(), count, most));
    }
    let of_mapping = node.entries().iter().filter(|entry| &*entry.key != "inline");
    let mut found = of_mapping.filter_map(|entry| find(schema, &entry.value, &at.child(&entry.key)));
    found.next().or_else(|| {
        let items = node.items().iter().enumerate();
        items.filter_map(|(index, item)| find(schema, item, &at.item(index))).next()
    })
}

#[cfg(test)]
mod tests {
    use talosmith_document::{Document, Sources};

    use super::*;

    fn message(schema: Schema, text: &str) -> Option<String> {
        let source = Sources::default().add("a.yaml", text);
        let document = Document::parse(source, text).expect("YAML");
        too_many_entries(schema, source, text, &document.root).map(|finding| finding.message)
    }

    #[test]
    fn lists_and_mappings_have_a_most() {
        let list = |key: &str, count| format!("{key}: [{}]\n", "a, ".repeat(count));
        let mapping = |key: &str, count| {
            format!("{key}: {{ {} }}\n", (0..count).map(|at| format!("k{at}: a, ")).collect::<String>())
        };
        for (schema, text, expected) in [
            (Schema::Device, list("nameservers", 1_001), "`nameservers` has 1001 entries, more than 1000"),
            (Schema::Device, mapping("labels", 1_001), "`labels` has 1001 entries, more than 1000"),
            (Schema::Device, list("groups", 101), "`groups` has 101 entries, more than 100"),
            (Schema::Fleet, mapping("lints", 1_001), "`lints` has 1001 entries, more than 1000"),
            (Schema::Fleet, mapping("secrets", 10_001), "`secrets` has 10001 entries, more than 10000"),
        ] {
            assert_eq!(message(schema, &text).as_deref(), Some(expected));
        }
        let patch = format!("patches: {{ a: {{ inline: {{ {} }} }} }}\n", list("items", 5_000).trim_end());
        for (schema, text) in [
            (Schema::Device, list("nameservers", 1_000)),
            (Schema::Device, patch),
            (Schema::Fleet, mapping("secrets", 10_000)),
            (Schema::Fleet, mapping("clusters", 10_000)),
        ] {
            assert_eq!(message(schema, &text), None);
        }
    }
}
