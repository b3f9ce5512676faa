//! `$patch: delete` in the documents of a patch.

use talosmith_document::Entry;
use talosmith_document::{Node, NodeValue};

/// Whether an entry is `$patch: delete`.
pub fn is_deletion(entry: &Entry) -> bool {
    *entry.key == *"$patch" && entry.value.scalar().is_some_and(|(text, _)| text == "delete")
}

/// Whether anything in a document is deleted.
pub fn has_deletion(node: &Node) -> bool {
    node.entries().iter().any(|entry| is_deletion(entry) || has_deletion(&entry.value))
        || node.items().iter().any(has_deletion)
}

/// Whether the loader leaves a document out: it deletes and does nothing else, or says nothing but what it is.
pub fn is_dropped(document: &Node) -> bool {
    is_deleted(document)
        || matches!(document.value, NodeValue::Mapping(_))
            && document
                .entries()
                .iter()
                .filter(|entry| !is_deleted(&entry.value))
                .all(|entry| matches!(&*entry.key, "version" | "kind" | "name") && entry.value.scalar().is_some())
}

/// Whether nothing of a value is left once the deletions are taken out.
pub fn is_deleted(node: &Node) -> bool {
    match &node.value {
        NodeValue::Scalar(..) => false,
        NodeValue::Sequence(items) => !items.is_empty() && items.iter().all(is_deleted),
        NodeValue::Mapping(entries) => {
            entries.iter().any(is_deletion)
                || !entries.is_empty() && entries.iter().all(|entry| is_deleted(&entry.value))
        }
    }
}
