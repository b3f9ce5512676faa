//! The labels, annotations and taints of a node.

use super::formats;
use super::section::Section;

/// Checks the labels, the annotations and the taints at paths.
pub(crate) fn check_labels<'r>(node: Section<'r>, labels: &'r str, annotations: &'r str, taints: &'r str) {
    [labels, annotations, taints].iter().for_each(|path| node.require_keys(path, &formats::LABEL_KEY));
    for (_, value) in node.entries(labels).filter(|(_, value)| !value.scalar().is_empty()) {
        value.require_format("", &formats::LABEL_VALUE);
    }
    let mut size = 0;
    for (key, value) in node.entries(annotations) {
        size += key.len() + value.scalar().len();
        if matches!(key, "talos.dev/owned-annotations" | "talos.dev/owned-labels" | "talos.dev/owned-taints") {
            value.refuse("", format!("Talos writes the annotation `{key}` itself"), "remove it");
        }
    }
    if size > 256 << 10 {
        node.refuse(annotations, "the annotations are larger than 256 KiB", "make them smaller");
    }
    for (key, taint) in node.entries(taints) {
        let (value, effect) = taint.scalar().split_once(':').unwrap_or(("", taint.scalar()));
        if !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            let message = format!("`{effect}` is not a valid effect of the taint `{key}`");
            taint.refuse("", message, "write `NoSchedule`, `PreferNoSchedule` or `NoExecute`");
        } else if !value.is_empty() && !(formats::LABEL_VALUE.is_valid)(value) {
            let help = format!("write {}", formats::LABEL_VALUE.example);
            taint.refuse("", format!("`{value}` is not a valid value of a taint"), help);
        }
    }
}
