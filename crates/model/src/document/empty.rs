//! Keys and items with nothing behind them.

use super::{Node, NodeValue};
use crate::{Code, Diagnostic, Place, Pointer, SourceId};

/// Reports what is empty in `node`, which stands at `pointer`.
pub(super) fn report(node: &Node, source: SourceId, pointer: &Pointer, findings: &mut Vec<Diagnostic>) {
    match &node.value {
        NodeValue::Scalar(..) => {}
        NodeValue::Mapping(entries) => {
            for entry in entries {
                if entry.value.is_empty_scalar() {
                    let message = format!("the key `{}` has no value", entry.key.escape_debug());
                    findings.push(
                        Diagnostic::new(Code::EmptyValue, message, Place::key(source, pointer.child(&entry.key)))
                            .help("write a value, or `null` to remove a default"),
                    );
                } else if entry.value.scalar().is_none() {
                    report(&entry.value, source, &pointer.child(&entry.key), findings);
                }
            }
        }
        NodeValue::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                if item.is_empty_scalar() {
                    let place = Place::value(source, pointer.child(index));
                    findings.push(
                        Diagnostic::new(Code::EmptyValue, "an item of a list has no value", place)
                            .help("write a value, or remove the `-`"),
                    );
                } else if item.scalar().is_none() {
                    report(item, source, &pointer.child(index), findings);
                }
            }
        }
    }
}
