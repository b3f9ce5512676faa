//! Names, labels, annotations and taints as Kubernetes writes them.
//!
//! Source: github.com/siderolabs/talos, pkg/machinery/labels.

use super::Rules;
use crate::config::Document;

/// Whether a text is a subdomain as DNS writes it.
pub(crate) fn is_subdomain(text: &str) -> bool {
    let is_part = |part: &str| {
        let legal = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '-';
        !part.is_empty() && part.chars().all(legal) && !part.starts_with('-') && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

/// Whether a text is a name that may have a domain in front.
pub(crate) fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && is_word(name),
        None => is_word(text),
    }
}

fn is_word(text: &str) -> bool {
    let legal = |each: char| each.is_ascii_alphanumeric() || "-_.".contains(each);
    let ends = |each: char| each.is_ascii_alphanumeric();
    (1..=63).contains(&text.len()) && text.chars().all(legal) && text.starts_with(ends) && text.ends_with(ends)
}

/// Judges the labels, the annotations and the taints at paths of a document.
pub(crate) fn check_labels(
    rules: &mut Rules<'_, '_>,
    document: &Document<'_>,
    labels: &str,
    annotations: &str,
    taints: &str,
) {
    let value = &document.value;
    let mut keys = |path: &str, what: &str| {
        for field in value.fields(path).iter().filter(|field| !is_qualified(&field.key)) {
            let message = format!("`{}` is no name of {what}", field.key);
            let help = "write up to 63 letters, digits, `-`, `_` and `.`, with a domain and a `/` in front or without";
            rules.refuse_value(document, &field.value, message, help);
        }
    };
    keys(labels, "a label");
    keys(annotations, "an annotation");
    keys(taints, "a taint");
    for field in value.fields(labels) {
        let text = field.value.scalar();
        if !text.is_empty() && !is_word(text) {
            let message = format!("`{text}` is no value of a label");
            rules.refuse_value(document, &field.value, message, "write up to 63 letters, digits, `-`, `_` and `.`");
        }
    }
    let reserved = ["talos.dev/owned-annotations", "talos.dev/owned-labels", "talos.dev/owned-taints"];
    let mut size = 0;
    for field in value.fields(annotations) {
        size += field.key.len() + field.value.scalar().len();
        if reserved.contains(&&*field.key) {
            let message = format!("Talos writes the annotation `{}` itself", field.key);
            rules.refuse_value(document, &field.value, message, "remove it");
        }
    }
    if size > 256 << 10 {
        rules.refuse(document, annotations, "the annotations are larger than 256 KiB", "make them smaller");
    }
    for field in value.fields(taints) {
        let text = field.value.scalar();
        let (word, effect) = text.split_once(':').unwrap_or(("", text));
        if !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            let message = format!("the taint `{}` has no effect that Kubernetes knows", field.key);
            rules.refuse_value(
                document,
                &field.value,
                message,
                "write `NoSchedule`, `PreferNoSchedule` or `NoExecute`",
            );
        } else if !word.is_empty() && !is_word(word) {
            let message = format!("`{word}` is no value of a taint");
            rules.refuse_value(document, &field.value, message, "write up to 63 letters, digits, `-`, `_` and `.`");
        }
    }
}
