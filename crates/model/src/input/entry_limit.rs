//! The most entries of a list or mapping in the model.
//!
//! Checks compare the entries with each other, so their time grows with the square of the number.

use talosmith_document::{Code, Diagnostic, Entry, Location, Node, Pointer, SourceId};

use crate::schema::Schema;

const MAX_ENTRIES: usize = 1_000;

/// The most clusters and secrets of a fleet.
const MAX_OF_FLEET: usize = 10_000;

/// The most groups of a device. Each is a layer with all keys of a device.
const MAX_GROUPS: usize = 100;

/// The least bytes of an entry, such as `a,`.
const LEAST_BYTES: usize = 2;

/// A list or mapping with too many entries.
struct Excess {
    at: Pointer,
    count: usize,
    most: usize,
}

/// Returns the finding on the first list or mapping with too many entries. The mapping of a raw patch may have any number.
pub(super) fn too_many_entries(schema: Schema, source: SourceId, text: &str, root: &Node) -> Option<Diagnostic> {
    if text.len() < MAX_GROUPS * LEAST_BYTES {
        return None;
    }
    let most = |key: &str| match (schema, key) {
        (Schema::Device, "groups") => MAX_GROUPS,
        (Schema::Fleet, "clusters" | "secrets") => MAX_OF_FLEET,
        _ => MAX_ENTRIES,
    };
    let of_key = |entry: &Entry| find(&entry.value, most(&entry.key), &|| Pointer::root().child(&entry.key));
    let found = root.entries().iter().find_map(of_key);
    found.or_else(|| too_many(root, MAX_ENTRIES, &Pointer::root)).map(|Excess { at, count, most }| {
        let name = at.segments().last().map_or("the file".to_owned(), |key| format!("`{key}`"));
        let message = format!("{name} has {count} entries, more than {most}");
        Diagnostic::new(Code::TooLarge, message, Location::value(source, at).as_key())
    })
}

/// Searches a value; `at` returns its pointer, which is needed only where something is found.
fn find(node: &Node, most: usize, at: &dyn Fn() -> Pointer) -> Option<Excess> {
    let of_mapping = || {
        let mut entries = node.entries().iter().filter(|entry| &*entry.key != "inline");
        entries.find_map(|entry| find(&entry.value, MAX_ENTRIES, &|| at().child(&entry.key)))
    };
    let of_list = || {
        let mut items = node.items().iter().enumerate();
        items.find_map(|(index, item)| find(item, MAX_ENTRIES, &|| at().item(index)))
    };
    too_many(node, most, at).or_else(of_mapping).or_else(of_list)
}

fn too_many(node: &Node, most: usize, at: &dyn Fn() -> Pointer) -> Option<Excess> {
    let count = node.entries().len() + node.items().len();
    (count > most).then(|| Excess { at: at(), count, most })
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
