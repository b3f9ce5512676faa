use std::collections::BTreeSet;
use std::fmt::Write as _;

use talosmith_document::{Code, Diagnostic, Document, Level, Sources, TalosVersion};

use super::table::{self, Change, ROWS, Row};
use super::{Class, Consequence, DifferenceKind, MachineConfig};
use crate::talos_data::types::Types;
use crate::{AppliedPatch, Patch, PatchLocator, PatchSource, Role, Target, decode_patch};

const CASES: &str = include_str!("tests/cases.txt");

/// The documents of a case: `Kind {…} ; Kind {…}`.
///
/// None if the version refuses them; no patch for `-`.
fn decode(documents: &str, target: &Target<'_>) -> Option<Option<Patch>> {
    if documents == "-" {
        return Some(None);
    }
    let texts = documents.split(" ; ").map(|document| {
        let (kind, content) = document.split_once(' ').expect("a kind and a mapping");
        match kind {
            "main" => content.to_owned(),
            kind => content.replacen('{', &format!("{{apiVersion: v1alpha1, kind: {kind}, "), 1),
        }
    });
    let text = texts.map(|text| format!("---\n{text}\n")).collect::<String>();
    let source = Sources::default().add("patch.yaml", text.as_str());
    let nodes = Document::parse_stream(source, &text).expect(&text);
    let (patch, findings) = decode_patch(&nodes, &PatchLocator::File(source), target);
    let is_error = |finding: &Diagnostic| finding.level == Level::Error && finding.code != Code::LiteralSecret;
    let refused = findings.iter().any(is_error);
    (!refused).then_some(Some(patch))
}

fn consequences(minor: u64, role: Role, before: &str, after: &str) -> Option<Vec<Consequence>> {
    let version: TalosVersion = format!("v1.{minor}.1").parse().expect("a version");
    let target = Target { version: &version, base: (1, minor) };
    let locator = PatchLocator::File(Sources::default().add("patch.yaml", ""));
    let source = PatchSource::User { name: "patch", locator: &locator, layer: 0 };
    let (before, after) = (decode(before, &target)?, decode(after, &target)?);
    let applied = |patch| vec![AppliedPatch { patch, source }];
    let (before, after) = (before.iter().flat_map(applied), after.iter().flat_map(applied));
    let (before, after): (Vec<_>, Vec<_>) = (before.collect(), after.collect());
    let before = MachineConfig::merged(&target, role, &before);
    Some(before.consequences(&MachineConfig::merged(&target, role, &after)))
}

fn is_row(row: &Row, found: &Consequence, minor: u64, role: Role) -> bool {
    let kind = found.document.split(' ').next().unwrap_or_default();
    let kind = if kind == "the" { "v1alpha1" } else { kind };
    let at = if row.path.starts_with("volume.") { row.path.to_owned() } else { format!("{kind}.{}", found.path) };
    let is_prefix = row.path.split('.').zip(at.split('.')).all(|(key, other)| key == "*" || key == other);
    let name = found.document.split('`').nth(1).unwrap_or_default();
    is_prefix
        && row.sentence.replace("$name", name) == found.sentence
        && row.classes(name) == found.classes
        && row.holds((1, minor), role, found.change)
}

#[test]
fn every_row_is_reached_with_its_sentence() {
    let mut out = String::new();
    let mut reached = BTreeSet::new();
    for case in CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [minors, before, after] = case.split(" | ").collect::<Vec<_>>()[..] else { panic!("{case}") };
        let (minors, role) = match minors.split_once(' ') {
            Some((minors, _)) => (minors, Role::Worker),
            None => (minors, Role::ControlPlane),
        };
        _ = writeln!(out, "\n{case}");
        let length = out.len();
        let mut last = String::new();
        for minor in [12, 13, 14].into_iter().filter(|minor| minors == "*" || minors == format!("1.{minor}")) {
            let Some(found) = consequences(minor, role, before, after) else { continue };
            let mut text = String::new();
            for found in &found {
                let here = ROWS.iter().enumerate().filter(|(_, row)| is_row(row, found, minor, role));
                reached.extend(here.map(|(index, _)| index));
                let classes = found.classes.iter().map(Class::to_string).collect::<Vec<_>>().join(", ");
                let values = [&found.before, &found.after].map(|value| value.as_deref().unwrap_or("-"));
                let change = match found.change {
                    DifferenceKind::Added => "+ ",
                    DifferenceKind::Removed => "- ",
                    DifferenceKind::Changed => "",
                };
                let at = format!("{change}{} {}", found.document, found.path);
                let inferred = if found.is_inferred { " (inferred)" } else { "" };
                _ = writeln!(text, "    {classes}: {at}: {}: {}{inferred}", values.join(" → "), found.sentence);
            }
            if found.is_empty() {
                text = "    nothing\n".to_owned();
            }
            match text == last {
                true => _ = writeln!(out, "  1.{minor}: the same"),
                false => _ = write!(out, "  1.{minor}:\n{text}"),
            }
            last = text;
        }
        assert!(out.len() > length, "no version accepts {case}");
    }
    let left: Vec<String> = ROWS
        .iter()
        .enumerate()
        .filter(|(index, _)| !reached.contains(index))
        .map(|(_, row)| format!("{}: {}", row.path, row.sentence))
        .collect();
    insta::assert_snapshot!("cases", out);
    assert!(left.is_empty(), "no case reaches these rows:\n{}", left.join("\n"));
}

#[test]
fn every_field_of_every_kind_has_a_row() {
    let mut left = BTreeSet::new();
    for minor in 12..=14 {
        let types = Types::of((1, minor));
        let kinds = ROWS.iter().map(|row| row.path.split('.').next().unwrap_or_default());
        for kind in kinds.filter(|kind| *kind != "volume").collect::<BTreeSet<_>>() {
            let mut paths: Vec<Vec<&str>> = Vec::new();
            for (key, _) in types.get(kind).into_iter().flat_map(|known| known.fields()) {
                match (kind, key) {
                    (_, "name") => {}
                    ("v1alpha1", "machine" | "cluster") => {
                        let inner = types.below(&format!("v1alpha1.{key}")).expect("a struct");
                        paths.extend(inner.fields().map(|(inner, _)| vec![key, inner]));
                    }
                    _ => paths.push(vec![key]),
                }
            }
            if let Some(features) = types.below("v1alpha1.machine.features").filter(|_| kind == "v1alpha1") {
                paths.retain(|path| path[..] != ["machine", "features"]);
                paths.extend(features.fields().map(|(key, _)| vec!["machine", "features", key]));
            }
            let change = Change { value: DifferenceKind::Changed, whole: DifferenceKind::Changed };
            let changed = |path: &Vec<&str>| table::find(kind, path, (1, minor), Role::Worker, change).is_none();
            left.extend(paths.into_iter().filter(changed).map(|path| format!("1.{minor} {kind}.{}", path.join("."))));
        }
    }
    assert!(left.is_empty(), "no row for\n{}", left.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn rows_reboot_where_talos_cannot_change_a_value_in_place() {
    for row in ROWS.iter().filter(|row| row.holds((1, 13), Role::ControlPlane, DifferenceKind::Changed)) {
        let Some(path) = row.path.strip_prefix("v1alpha1.") else { continue };
        let path: Vec<&str> = path.split('.').collect();
        let reboots = row.classes("").contains(&Class::Reboot);
        assert_ne!(reboots, super::is_applied_live(&path), "{}", row.path);
    }
}
