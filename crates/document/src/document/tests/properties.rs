//! Properties of parsing, for any input.

use proptest::prelude::*;

use super::{slice, source};
use crate::{Anchor, Diagnostic, Document, Label, Locator, Node, Pointer, Sources};

const DEVICE: &str = "\
# a device
name: ryzen
address: 192.168.1.194
schematics:
  tailscale:
    extraKernelArgs: [amd_iommu=off, \"amdgpu.gttsize=131072\"]
    extensions:
    - siderolabs/glibc
    - siderolabs/tailscale # two
disks:
  nvme0n1: { size: 2048408248320B, selector: disk.transport == 'nvme', system: true }
labels: { kata-deploy: enabled, kubevirt.io/schedulable: 'true' }
gpu:
patches:
  é: |
    machine:
      sysctls: {}

  folded: >-
    some text
    and more
";

/// Pieces with a meaning in YAML, inserted at random.
fn pieces() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "\t",
        "\n",
        "\r\n",
        " ",
        "  ",
        ":",
        ": ",
        "- ",
        "-",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "#",
        " #",
        "&a ",
        "*a",
        "!!str ",
        "!t ",
        "|",
        ">-",
        "'",
        "\"",
        "\\",
        "---\n",
        "...\n",
        "<<: ",
        "~",
        "%",
        "\u{FEFF}",
        "é",
        "\u{1F600}",
        "\u{85}",
        "\u{2028}",
        "\0",
        "name: x\n",
    ])
}

fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0..12_usize, pieces());
    prop::collection::vec(change, 0..6).prop_map(|changes| {
        let mut characters: Vec<char> = DEVICE.chars().collect();
        for (at, removed, piece) in changes {
            let at = at.index(characters.len() + 1);
            let end = (at + removed).min(characters.len());
            characters.splice(at..end, piece.chars());
        }
        characters.into_iter().collect()
    })
}

fn scraps() -> impl Strategy<Value = String> {
    prop::collection::vec(pieces(), 0..40).prop_map(|pieces| pieces.concat())
}

fn pointers(node: &Node, pointer: &Pointer, out: &mut Vec<(Pointer, Node)>) {
    out.push((pointer.clone(), node.clone()));
    for entry in node.entries() {
        pointers(&entry.value, &pointer.child(&entry.key), out);
    }
    for (index, item) in node.items().iter().enumerate() {
        pointers(item, &pointer.item(index), out);
    }
}

/// Slicing panics if a span is outside the text or not on a character boundary.
fn check_findings(text: &str, findings: &[Diagnostic]) {
    assert_ne!(findings, []);
    for Label { location, .. } in findings.iter().flat_map(|finding| finding.also.iter().chain([&finding.at])) {
        if let Anchor::Bytes(range) = &location.anchor {
            let _ = &text[std::ops::Range::<usize>::from(*range)];
        }
    }
}

fn check_nodes(node: &Node, text: &str) {
    slice(text, &node.span);
    for child in node.items().iter().chain(node.entries().iter().map(|entry| &entry.value)) {
        assert!(
            node.span.start <= child.span.start && child.span.end <= node.span.end,
            "{:?} in {:?}",
            child.span,
            node.span
        );
        check_nodes(child, text);
    }
    for entry in node.entries() {
        slice(text, &entry.key_span);
        assert!(
            node.span.start <= entry.key_span.start
                && entry.key_span.end <= entry.value.span.start.max(entry.key_span.end)
        );
    }
    let _ = node.clone().into_json();
}

fn check(text: &str) {
    match Document::parse_stream(source(), text) {
        Ok(nodes) => nodes.iter().for_each(|node| check_nodes(node, text)),
        Err(findings) => check_findings(text, &findings),
    }
    let mut sources = Sources::default();
    let id = sources.add("devices/ryzen/device.yaml", text);
    let mut locator = Locator::new(&sources);
    match Document::parse(id, text) {
        Err(findings) => check_findings(text, &findings),
        Ok(document) => {
            let mut all = Vec::new();
            pointers(&document.root, &Pointer::root(), &mut all);
            for (pointer, node) in all {
                let (key, value) = document.find(&pointer).expect("the pointer of a node");
                assert_eq!(value, node.span);
                let wide = |span: std::ops::Range<u32>| span.start as usize..span.end as usize;
                assert_eq!(locator.locate(&crate::Location::value(id, pointer.clone())), Some(wide(value.clone())));
                assert_eq!(
                    locator.locate(&crate::Location::key(id, pointer.clone())),
                    Some(wide(key.unwrap_or(value)))
                );
            }
            let _ = document.empty_values(id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_any_characters(text in "\\PC*") {
        check(&text);
    }

    #[test]
    fn of_scraps_of_yaml(text in scraps()) {
        check(&text);
    }

    #[test]
    fn of_a_device_with_mistakes(text in mutated()) {
        check(&text);
    }
}

#[test]
fn the_device_without_mistakes_is_read() {
    assert_eq!(Document::parse(source(), DEVICE).map(|document| document.root.entries().len()), Ok(7));
}
