//! Strings whose content is filled in where a patch is applied, at every path of the table of types.

use std::collections::BTreeSet;

use talosmith_document::{Anchor, Diagnostic, Level, Sources, TalosVersion};

use super::parse;
use crate::cel::Checker;
use crate::talos_data::talos;
use crate::talos_data::types::{MAIN, Types, is_struct};
use crate::{AppliedPatch, PatchLocator, PatchSource, Role, Target, check_patches, decode_patch};

/// A placeholder at each path below a struct whose value is written as a string, as flow mappings.
fn placeholders(types: &Types, structure: &str, depth: usize) -> Vec<String> {
    let Some(known) = types.get(structure) else { return Vec::new() };
    let texts = known.fields().flat_map(|(key, _)| {
        let kind = known.find(key).expect(key).kind;
        let bare = kind.trim_matches(['[', ']', '{', '}', '*']);
        let inner = match bare {
            "bool" | "any" => vec![],
            _ if bare.trim_start_matches('u').starts_with("int") || bare.starts_with("float") => vec![],
            _ if !is_struct(bare) => vec!["\"${X}\"".to_owned(), "\"a${X}\"".to_owned()],
            _ if depth == 0 => vec![],
            _ => placeholders(types, bare, depth - 1),
        };
        let wrap = move |value: String| match kind.trim_start_matches('*').as_bytes()[0] {
            b'[' => format!("{{ {key}: [{value}] }}"),
            b'{' => format!("{{ {key}: {{ a: {value} }} }}"),
            _ => format!("{{ {key}: {value} }}"),
        };
        inner.into_iter().map(wrap)
    });
    texts.collect()
}

/// The errors at the placeholder of a patch, on either role.
fn refusals(text: &str, target: &Target<'_>) -> Vec<String> {
    let locator = PatchLocator::File(Sources::default().add("patch.yaml", text));
    let (patch, mut findings) = decode_patch(&parse(text), &locator, target);
    let source = PatchSource::User { name: "p", locator: &locator, layer: 0 };
    let patches = [AppliedPatch { patch: &patch, source }];
    let no_key = |key: &str, _: &str| panic!("the model has no key here: {key}");
    for role in [Role::ControlPlane, Role::Worker] {
        findings.extend(check_patches(target, role, &patches, &Checker::default(), &no_key));
    }
    let is_refused = |finding: &Diagnostic| {
        let Anchor::Bytes(bytes) = &finding.at.location.anchor else { return false };
        let found = text[bytes.start as usize..bytes.end as usize].trim_matches('"');
        finding.level == Level::Error && matches!(found, "${X}" | "a${X}")
    };
    findings.into_iter().filter(is_refused).map(|finding| finding.message).collect()
}

#[test]
fn no_string_is_refused_for_its_placeholder() {
    let (mut tried, mut refused) = (0, BTreeSet::new());
    for (minor, base) in [(12, 12), (13, 13), (14, 12), (14, 14)] {
        let version: TalosVersion = format!("v1.{minor}.0").parse().expect("a version");
        let target = Target { version: &version, base: (1, base) };
        let types = Types::of((1, minor));
        for kind in talos::kinds().chain([MAIN]).filter(|kind| types.get(kind).is_some()) {
            let has_name = types.at(&format!("{kind}.name")).is_some();
            for fields in placeholders(types, kind, 6) {
                let name = if has_name && !fields.starts_with("{ name:") { "name: a, " } else { "" };
                let head =
                    if kind == MAIN { String::new() } else { format!("apiVersion: v1alpha1, kind: {kind}, {name}") };
                refused.extend(refusals(&format!("{{ {head}{}\n", fields.trim_start_matches("{ ")), &target));
                tried += 1;
            }
        }
    }
    assert!(tried > 3_000, "{tried}");
    // These must not be there at all, whatever they are.
    let forbidden = [
        "`bond` has `adActorSystem`, which Talos does not support",
        "a worker must not have `cluster.ca.key`",
        "a worker must not have `machine.ca.key`",
    ];
    assert_eq!(refused.iter().map(String::as_str).collect::<Vec<_>>(), forbidden);
}
