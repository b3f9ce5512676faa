//! Findings for people.

use std::fmt::Write as _;

use annotate_snippets::renderer::{
    DEFAULT_ADDITION_STYLE, DEFAULT_EMPHASIS_STYLE, DEFAULT_ERROR_STYLE, DEFAULT_LINE_NUM_STYLE, DEFAULT_NOTE_STYLE,
    DEFAULT_REMOVAL_STYLE, DEFAULT_WARNING_STYLE,
};
use talosmith_document::{Anchor, Diagnostic, Level, Location, Sources, natural};

use super::position::Positions;
use super::shown::shown;
use super::snippet::draw;
use super::style::Style;
use super::wrap::wrap;
use crate::diff;
use crate::mask::mask_finding;

/// The number of devices that a finding lists; it counts the others.
const DEVICES_SHOWN: usize = 10;
/// The indent of the further lines of a message, in columns.
const HANGING: usize = 4;

/// Formats findings in the order given, separated by empty lines.
pub fn human(findings: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let style = Style { width: style.width.max(40), ..style };
    let mut positions = Positions::new(sources);
    positions.hide(findings);
    let (shown, left_out) = shown(findings, &mut positions);
    let mut blocks: Vec<String> = shown.into_iter().map(|finding| block(finding, &mut positions, style)).collect();
    blocks.extend(left_out.into_iter().map(|(source, count)| {
        let more = if count == 1 { "1 more finding".to_owned() } else { format!("{count} more findings") };
        format!("{more} in {} not shown\n", Style::path(&sources.get(source).path))
    }));
    blocks.join("\n")
}

fn block(finding: &Diagnostic, positions: &mut Positions<'_>, style: Style) -> String {
    let mut finding = mask_finding(finding);
    for label in std::iter::once(&mut finding.at).chain(&mut finding.also) {
        label.text = style.clean(&label.text);
    }
    let drawing = draw(&finding, positions, style);
    let pad = " ".repeat(drawing.gutter + 1);
    let bar = format!("{pad}{}\n", style.paint(DEFAULT_LINE_NUM_STYLE, "|"));
    let path = positions.sources.get(finding.at.location.source).path.clone();
    let devices = affected_devices(&finding, path.as_str());
    let group = group(&finding.at.location).filter(|_| devices.is_some()).map(|name| format!("in the group {name}"));
    let notes = drawing.extra_notes.iter().chain(&finding.notes).chain(&group).chain(&devices);
    let mut notes: Vec<(&str, &str)> = notes.map(|text| ("note", text.as_str())).collect();
    notes.extend(finding.helps.iter().map(|text| ("help", text.as_str())));

    let mut out = title(&finding, style);
    out.push_str(&drawing.text);
    if drawing.has_source && (finding.figure.is_some() || !notes.is_empty()) {
        out.push_str(&bar);
    }
    if let Some(figure) = &finding.figure {
        figure_lines(&mut out, figure, &pad, style);
        if !notes.is_empty() {
            out.push_str(&bar);
        }
    }
    for (word, text) in notes {
        remark(&mut out, word, text, &pad, style);
    }
    out
}

/// Formats `error[code]: message`.
fn title(finding: &Diagnostic, style: Style) -> String {
    let head = format!("{}[{}]", finding.level.as_str(), finding.code);
    let message = style.clean(&finding.message).replace('\n', " ");
    let lines = wrap(&message, style.prose().saturating_sub(head.len() + 2), style.prose() - HANGING);
    let color = match finding.level {
        Level::Error => DEFAULT_ERROR_STYLE,
        Level::Warning => DEFAULT_WARNING_STYLE,
        Level::Note => DEFAULT_NOTE_STYLE,
    };
    let mut out = style.paint(color, &head);
    for (index, line) in lines.iter().enumerate() {
        let before = if index == 0 { String::from(": ") } else { " ".repeat(HANGING) };
        out.push_str(&style.paint(DEFAULT_EMPHASIS_STYLE, &format!("{before}{line}")));
        out.push('\n');
    }
    out
}

/// Appends a sum or a diff as a block. Its lines are not wrapped, since its columns are aligned.
fn figure_lines(out: &mut String, figure: &str, pad: &str, style: Style) {
    for line in figure.lines() {
        let color = match diff::excerpt_sign(line) {
            Some('-') => DEFAULT_REMOVAL_STYLE,
            Some('+') => DEFAULT_ADDITION_STYLE,
            _ => anstyle::Style::new(),
        };
        let line = style.clean(line);
        if line.trim_end().is_empty() {
            out.push('\n');
        } else {
            let _ = writeln!(out, "{pad}  {}", style.paint(color, line.trim_end()));
        }
    }
}

/// Appends `= note: text`, wrapped. The further lines of a help are for copying and are not wrapped.
fn remark(out: &mut String, word: &str, text: &str, pad: &str, style: Style) {
    let text = style.clean(text);
    let head =
        format!("{pad}{}{}: ", style.paint(DEFAULT_LINE_NUM_STYLE, "= "), style.paint(DEFAULT_EMPHASIS_STYLE, word));
    let indent = " ".repeat(pad.len() + "= ".len() + word.len() + ": ".len());
    let room = style.prose().saturating_sub(indent.len());
    for (index, line) in text.lines().enumerate() {
        let lines = if word == "help" && index > 0 { vec![line.trim_end().to_owned()] } else { wrap(line, room, room) };
        for (part, line) in lines.iter().enumerate() {
            let before = if index + part == 0 { &head } else { &indent };
            out.push_str(format!("{before}{line}").trim_end());
            out.push('\n');
        }
    }
}

/// Returns the name of the group of a cluster that a location is in.
pub(crate) fn group(location: &Location) -> Option<String> {
    let (Anchor::Key(at) | Anchor::Value(at) | Anchor::Part(at, _)) = &location.anchor else { return None };
    let mut segments = at.segments();
    let is_layer = segments.next()? == "clusters" && segments.nth(1)? == "groups";
    is_layer.then(|| segments.next())?
}

/// Formats the devices that a finding affects; none if its location shows them.
pub(super) fn affected_devices(finding: &Diagnostic, path: &str) -> Option<String> {
    let count = finding.devices.len();
    // The path of its own file names a single device.
    if let (1, Some(name)) = (count, finding.devices.first()) {
        let is_own = path.starts_with(&format!("devices/{name}/"));
        return (!is_own).then(|| format!("affects the device {name}"));
    }
    if count == 0 {
        return None;
    }
    let mut names: Vec<&str> = finding.devices.iter().map(String::as_str).collect();
    names.sort_by(|left, right| natural(left, right));
    let shown = names[..count.min(DEVICES_SHOWN)].join(", ");
    let more = if count > DEVICES_SHOWN { format!(" and {} more", count - DEVICES_SHOWN) } else { String::new() };
    Some(format!("affects {count} devices: {shown}{more}"))
}
