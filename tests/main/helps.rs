//! Helps that say exactly what to write are applied to the fixtures: the finding must be gone then, and the file still be YAML.

use std::ops::Range;

use talosmith_document::{Anchor, Code, Diagnostic, Document, Locator, Pointer, Sources};

use crate::fixtures::{Files, findings, fixtures, load};

/// Changes the file of a finding as its help proposes; none for a help that leaves something to decide.
fn apply(finding: &Diagnostic, sources: &Sources) -> Option<String> {
    let text = &*sources.get(finding.at.location.source).text;
    let at = Locator::new(sources).locate(&finding.at.location);
    let near = finding.at.text.strip_prefix("did you mean `").and_then(|rest| rest.strip_suffix("`?"));
    if let (Some(near), Some(at)) = (near, &at) {
        // The key is in the path of a JSON patch, whose value is marked.
        if text[at.clone()].starts_with(['{', '[']) {
            return None;
        }
        return Some(replaced(text, at, near));
    }
    let help = finding.helps.first()?;
    let quoted = help.strip_prefix("write `").and_then(|rest| rest.split('`').next());
    let is_whole = help.split('`').count() == 3 && help.ends_with('`');
    if let Some(line) = help.strip_prefix("write it as in\n").or_else(|| help.strip_prefix("write it as a list:\n")) {
        return Some(replaced(text, &entry(text, finding)?, line));
    }
    if let Some(lines) = help.strip_prefix("add a line such as\n") {
        return match &finding.at.location.anchor {
            Anchor::File => Some(format!("{text}{lines}\n")),
            _ => Some(inserted(text, &value(text, finding)?, lines)),
        };
    }
    if help == "remove the line" {
        let entry = entry(text, finding)?;
        let is_alone = text[..entry.start].rsplit('\n').next().is_some_and(|before| before.trim().is_empty());
        return is_alone.then(|| replaced(text, &entry, "# removed"));
    }
    if let Some(value) = help.strip_prefix("quote it: ") {
        return Some(replaced(text, &at?, value));
    }
    if let Some(name) = help.strip_prefix("rename it to `").and_then(|rest| rest.strip_suffix('`')) {
        let key =
            entry(text, finding).and_then(|entry| Some(entry.start..entry.start + text[entry.clone()].find(':')?));
        return Some(replaced(text, &key.or(at)?, name));
    }
    if let Some(one) = help.strip_prefix("write one of `").and_then(|rest| rest.split('`').next()) {
        let is_value = matches!(finding.at.location.anchor, Anchor::Value(_)) && !one.contains(['<', '…', '*']);
        let at = at.filter(|_| is_value)?;
        return Some(replaced(text, &at, &quote(one, &text[at.clone()])));
    }
    if let Some((path, line)) = help.strip_prefix("add a line under `").and_then(|rest| rest.split_once("`:\n")) {
        let is_one = !line.contains('\n') && finding.helps.len() == 1;
        return is_one.then(|| added(text, finding, path, line)).flatten();
    }
    let written = quoted.filter(|written| is_whole && !written.contains(['<', '…', '*']))?;
    let key = entry(text, finding).map(|entry| text[entry].split(':').next().unwrap_or_default().to_owned());
    match written.split_once(": ") {
        Some((name, _)) if key.is_some_and(|key| key.trim() == name) => {
            Some(replaced(text, &entry(text, finding)?, written))
        }
        Some(_) => None,
        None => Some(replaced(text, &at?, &quote(written, &text[Locator::new(sources).locate(&finding.at.location)?]))),
    }
}

/// A value as the one was written that it replaces: in quotes or not.
fn quote(value: &str, before: &str) -> String {
    if before.starts_with(['"', '\'']) && !value.starts_with(['"', '\'']) {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    }
}

fn replaced(text: &str, at: &Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..at.start], &text[at.end..])
}

/// Adds a line to the list or mapping at keys joined by dots, in the style that it has.
fn added(text: &str, finding: &Diagnostic, path: &str, line: &str) -> Option<String> {
    let document = Document::parse(finding.at.location.source, text).ok()?;
    let pointer = path.split('.').fold(Pointer::root(), |at, key| at.child(key));
    let (_, found) = document.find(&pointer)?;
    let at = found.start as usize..found.end as usize;
    if text[at.clone()].starts_with('[') {
        let item = line.strip_prefix("- ")?;
        let comma = if text[at.clone()].trim_end_matches([' ', ']']).ends_with('[') { "" } else { ", " };
        return Some(format!("{}[{item}{comma}{}", &text[..at.start], &text[at.start + 1..]));
    }
    Some(inserted(text, &at, line))
}

/// Inserts a line into a mapping, in the style that it has.
fn inserted(text: &str, at: &Range<usize>, line: &str) -> String {
    if text[at.clone()].starts_with('{') {
        let comma = if text[at.clone()].trim_end_matches([' ', '}']).ends_with('{') { "" } else { "," };
        return format!("{}{{ {line}{comma}{}", &text[..at.start], &text[at.start + 1..]);
    }
    let indent = at.start - text[..at.start].rfind('\n').map_or(0, |end| end + 1);
    format!("{}{line}\n{}{}", &text[..at.start], " ".repeat(indent), &text[at.start..])
}

/// The pointer of a finding about a key or value.
fn pointer(finding: &Diagnostic) -> Option<&Pointer> {
    match &finding.at.location.anchor {
        Anchor::Key(pointer) | Anchor::Value(pointer) => Some(pointer),
        _ => None,
    }
}

/// The bytes of the key and the value that a finding is about.
fn entry(text: &str, finding: &Diagnostic) -> Option<Range<usize>> {
    let document = Document::parse(finding.at.location.source, text).ok()?;
    let (key, value) = document.find(pointer(finding)?)?;
    Some(key?.start as usize..value.end as usize)
}

fn value(text: &str, finding: &Diagnostic) -> Option<Range<usize>> {
    let document = Document::parse(finding.at.location.source, text).ok()?;
    let (_, value) = document.find(pointer(finding)?)?;
    Some(value.start as usize..value.end as usize)
}

/// What a file of a fixture is wrong about, without its location, which moves.
fn wrongs(found: &[Diagnostic]) -> Vec<(Code, &str)> {
    found.iter().map(|finding| (finding.code, finding.message.as_str())).collect()
}

#[test]
fn a_help_that_is_applied_removes_its_finding() {
    let mut applied = 0;
    let mut failed = Vec::new();
    for path in fixtures("invalid") {
        let files = load(&path);
        let (found, sources) = findings(&files);
        for finding in &found {
            let Some(text) = apply(finding, &sources) else { continue };
            let name = sources.get(finding.at.location.source).path.to_string();
            let changed: Files = files
                .iter()
                .map(|(path, old)| (path.clone(), if *path == name { text.clone() } else { old.clone() }))
                .collect();
            applied += 1;
            let (left, _) = findings(&changed);
            let left = wrongs(&left);
            let is_left = left.iter().filter(|wrong| **wrong == (finding.code, finding.message.as_str())).count();
            let before =
                wrongs(&found).iter().filter(|wrong| **wrong == (finding.code, finding.message.as_str())).count();
            let breaks = left
                .iter()
                .any(|(code, _)| *code == Code::NotYaml && !found.iter().any(|old| old.code == Code::NotYaml));
            if is_left >= before || breaks {
                failed.push(format!("{} {}: {:?}\n{text}\n{left:?}", path.display(), finding.message, finding.helps));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {applied}:\n{}", failed.len(), failed.join("\n\n"));
    assert!(applied > 100, "only {applied} helps were applied");
}
