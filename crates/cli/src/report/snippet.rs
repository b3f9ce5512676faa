//! The source lines of a finding, drawn by annotate-snippets.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Origin, Renderer, Snippet};
use talosmith_document::{Diagnostic, Label, Level, SourceId};
use unicode_width::UnicodeWidthStr;

use super::position::{Positions, position};
use super::style::Style;
use super::wrap::clip;
use crate::mask::{hide, mask};

/// The drawn lines, and what the rest of the report depends on.
pub(super) struct Drawing {
    /// The lines, each with its line break.
    pub text: String,
    pub gutter: usize,
    /// Whether it ends with a line of the source.
    pub has_source: bool,
    /// The labels that do not fit next to an underline, as notes.
    pub extra_notes: Vec<String>,
}

/// A label whose bytes are known.
struct Mark<'a> {
    label: &'a Label,
    range: Range<usize>,
    is_primary: bool,
}

/// The columns that the renderer reserves between an underline and the edge for its `...` on both sides.
const ELLIPSES: usize = 12;

pub(super) fn draw(finding: &Diagnostic, positions: &mut Positions<'_>, style: Style) -> Drawing {
    let mut marks: Vec<Mark<'_>> = Vec::new();
    let mut extra_notes = Vec::new();
    for (index, label) in std::iter::once(&finding.at).chain(&finding.also).enumerate() {
        let is_primary = index == 0;
        match positions.range(&label.location) {
            Some(range) => marks.push(Mark { label, range, is_primary }),
            None if is_primary && !label.text.is_empty() => extra_notes.push(label.text.clone()),
            None if is_primary => {}
            None => extra_notes
                .push(label_as_note(&Style::path(&positions.sources.get(label.location.source).path), &label.text)),
        }
    }

    let path = Style::path(&positions.sources.get(finding.at.location.source).path);
    let Some(last_line) = marks.iter().map(|mark| line_of(positions, mark)).max() else {
        let arrow = style.paint(annotate_snippets::renderer::DEFAULT_LINE_NUM_STYLE, "-->");
        return Drawing { text: format!("  {arrow} {path}\n"), gutter: 2, has_source: false, extra_notes };
    };
    let gutter = last_line.to_string().len();
    let room = style.width.saturating_sub(gutter + 3);

    let level = match finding.level {
        Level::Error => annotate_snippets::Level::ERROR,
        Level::Warning => annotate_snippets::Level::WARNING,
        Level::Note => annotate_snippets::Level::NOTE,
    };
    let mut group = Group::with_level(level);
    if !marks[0].is_primary {
        group = group.element(Origin::path(path));
    }
    let mut drawn: Vec<SourceId> = Vec::new();
    for mark in &marks {
        let source = mark.label.location.source;
        if !drawn.contains(&source) {
            drawn.push(source);
            let together: Vec<&Mark<'_>> = marks.iter().filter(|other| other.label.location.source == source).collect();
            group = group.element(source_lines(&together, positions, room, &mut extra_notes));
        }
    }
    let renderer = if style.color { Renderer::styled().hyperlink(false) } else { Renderer::plain() };
    let rendered = renderer.term_width(style.width).render(&[group]);
    let mut text = String::with_capacity(rendered.len() + 1);
    for line in rendered.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    Drawing { text, gutter, has_source: true, extra_notes }
}

fn line_of(positions: &Positions<'_>, mark: &Mark<'_>) -> usize {
    position(&positions.sources.get(mark.label.location.source).text, mark.range.start).line
}

/// Returns the lines of one source from the first mark to the last. The renderer processes all its input, so it gets only these.
fn source_lines(
    marks: &[&Mark<'_>],
    positions: &Positions<'_>,
    room: usize,
    extra_notes: &mut Vec<String>,
) -> Snippet<'static, Annotation<'static>> {
    let source = positions.sources.get(marks[0].label.location.source);
    let text: &str = &source.text;
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |length| at + length);
    let first = marks.iter().map(|mark| mark.range.start).min().unwrap_or(0);
    let last = marks.iter().map(|mark| mark.range.start).max().unwrap_or(0);
    // The renderer counts a byte order mark as a column.
    let text_start = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8().min(first) } else { 0 };
    let start = text[..first].rfind('\n').map_or(text_start, |at| at + 1);
    // With the line break, so that the renderer recognizes a `\r` before it.
    let end = (line_end(last) + 1).min(text.len());

    let path = Style::path(&source.path);
    let hidden = positions.hidden(marks[0].label.location.source, start, end);
    let shown = mask(&hide(&text[start..end], &hidden)).into_owned();
    let mut snippet = Snippet::source(shown).path(path.clone()).line_start(position(text, start).line);
    // The renderer cuts lines that are too long so that the leftmost mark is near the edge.
    let column = |at: usize| text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at].width();
    let leftmost = marks.iter().map(|mark| column(mark.range.start)).min().unwrap_or(0);
    let is_cut = marks.iter().any(|mark| column(line_end(mark.range.start)) > room);
    let far_right = if is_cut { leftmost + room.saturating_sub(ELLIPSES) } else { room };
    for mark in marks {
        let line = text[mark.range.start..line_end(mark.range.start)].trim_end();
        // Only the first line of a value is underlined, up to the width of the terminal.
        let whole = &line[..line.len().min(mark.range.len())];
        let shown = clip(whole, room.saturating_sub(ELLIPSES).max(1));
        let kind = if mark.is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let mut annotation = kind.span(mark.range.start - start..mark.range.start - start + shown.len());
        let label = &mark.label.text;
        let right = column(mark.range.start) + shown.width().max(1) + 1 + label.width();
        if right <= far_right && !label.contains('\n') {
            annotation = annotation.label((!label.is_empty()).then(|| label.clone()));
        } else if mark.is_primary {
            extra_notes.push(label.clone());
        } else {
            let line = position(text, mark.range.start).line;
            let is_same_file = marks.iter().any(|other| other.is_primary);
            let location = if is_same_file { format!("line {line}") } else { format!("{path}:{line}") };
            extra_notes.push(label_as_note(&location, label));
        }
        snippet = snippet.annotation(annotation);
    }
    snippet
}

fn label_as_note(location: &str, text: &str) -> String {
    if text.is_empty() { format!("see also {location}") } else { format!("{location}: {text}") }
}
