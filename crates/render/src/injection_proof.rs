//! The proof that no value changes the structure of the document around it.
//!
//! The template is rendered a second time with a stand-in for every value, which needs no quotes in any language. Both texts are
//! parsed, and the second must equal the first once the values are put back into the parsed document. Conditions and loops use the
//! real values both times.

use std::ops::Range;

use minijinja::{OutputSpan, OutputSpanKind, Value};
use serde_json::Value as Json;
use talosmith_document::Cache;

use crate::engine::{Engine, Language, Shadow, TemplateError, TemplateErrorKind, unprotected_value};
use crate::formats::{self, Format};

/// The outcomes of earlier proofs: devices of a fleet have many equal artifacts.
pub(crate) type Proofs = Cache<Proof, bool>;

/// Everything that the outcome of a proof depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Proof {
    /// The name of the template, which decides the language.
    template: String,
    text: String,
    /// The text with stand-ins.
    hidden: String,
    /// The values that the stand-ins replace.
    values: Vec<Json>,
}

/// Proves it for `text`, which `Engine::render` returned for the same template and context, and for all parts in it. Without `proofs`
/// nothing of the values is kept, as secrets require.
///
/// YAML, TOML and JSON are parsed. In a shell script, and in those of a Markdown document, no value may be in quotes, comments or
/// here-documents, where its own quotes would not work. Other languages have no structure to prove.
pub(crate) fn prove(
    engine: &Engine,
    proofs: Option<&Proofs>,
    name: &str,
    context: &Value,
    text: &str,
) -> Result<(), TemplateError> {
    let (hidden, shadow) = engine.render_shadow(name, context)?;
    if let Some(format) = Language::of(name).format() {
        let parse = || formats::parse(format, text).ok();
        let holds = || restored(format, &hidden, &shadow).is_ok_and(|restored| parse() == Some(restored));
        let holds = match proofs {
            Some(proofs) => {
                let (template, text) = (name.to_owned(), text.to_owned());
                let proof =
                    Proof { template, text, hidden: hidden.clone(), values: shadow.values().cloned().collect() };
                proofs.get_or_compute(&proof, holds)
            }
            None => holds(),
        };
        if !holds {
            return Err(match restored(format, &hidden, &shadow) {
                Ok(restored) => {
                    let holds = |text: &str| self::restored(format, text, &shadow).ok().as_ref() == Some(&restored);
                    error(name, misplaced_value(engine, name, context, holds))
                }
                Err(message) => unparsable(engine, name, context, format, &message),
            });
        }
    } else if let Some(at) = scripts(Language::of(name), &hidden)
        .find_map(|range| Some(range.start + unprotected_value(&hidden[range], |rest| shadow.stand_in_at(rest))?))
    {
        return Err(error(name, origin(engine, name, context, at)));
    }
    for part in shadow.into_parts() {
        prove(engine, proofs, &part.template, &part.context, &part.text)?;
    }
    Ok(())
}

/// Returns the bytes of the shell scripts in a text: of one in a shell's language itself, of Markdown the code blocks.
fn scripts(language: Language, text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut at) = (None, 0);
    for line in text.split_inclusive('\n').filter(|_| language == Language::Markdown) {
        at += line.len();
        match (start, line.trim()) {
            (None, "```sh") => start = Some(at),
            (Some(from), "```") => {
                ranges.push(from..at - line.len());
                start = None;
            }
            _ => {}
        }
    }
    if language == Language::Shell {
        ranges.push(0..text.len());
    }
    ranges.into_iter()
}

/// Parses a text with stand-ins and puts the values back.
fn restored(format: Format, text: &str, shadow: &Shadow) -> Result<Vec<Json>, String> {
    Ok(formats::parse(format, text)?.iter().map(|document| shadow.restore(document)).collect())
}

/// Returns the template and the bytes of the first expression that breaks the document if only its value is shown.
fn misplaced_value(
    engine: &Engine,
    name: &str,
    context: &Value,
    holds: impl Fn(&str) -> bool,
) -> Option<(String, Range<usize>)> {
    let [(text, spans), (hidden, hidden_spans)] = engine.render_with_origins(name, context)?;
    let written = |span: &&OutputSpan| span.kind() == OutputSpanKind::Expression;
    let pairs = spans.iter().filter(written).zip(hidden_spans.iter().filter(written));
    for (span, hidden_span) in pairs {
        let location = hidden_span.output_range();
        let shown = [&hidden[..location.start], &text[span.output_range()], &hidden[location.end..]].concat();
        if !holds(&shown) {
            return Some((span.name().to_owned(), span.source_range()));
        }
    }
    None
}

/// Returns the error of a template whose output cannot be parsed even with stand-ins. One cause are values in quotes: TOML and JSON
/// quote each string, the stand-ins too.
fn unparsable(engine: &Engine, name: &str, context: &Value, format: Format, message: &str) -> TemplateError {
    if let Some([_, (hidden, spans)]) = engine.render_with_origins(name, context) {
        // Numbers need no quotes: if the output with numbers can be parsed, only the quotes are wrong.
        let with_numbers = |but: Option<usize>| {
            let piece = |(at, span): (usize, &OutputSpan)| match span.kind() {
                OutputSpanKind::Expression if but != Some(at) => at.to_string(),
                _ => hidden[span.output_range()].to_owned(),
            };
            spans.iter().enumerate().map(piece).collect::<String>()
        };
        let can_be_parsed = |text: &str| formats::parse(format, text).is_ok();
        if can_be_parsed(&with_numbers(None))
            && let Some(at) = (0..spans.len()).find(|at| !can_be_parsed(&with_numbers(Some(*at))))
        {
            return error(name, Some((spans[at].name().to_owned(), spans[at].source_range())));
        }
    }
    TemplateError {
        template: name.to_owned(),
        range: None,
        kind: TemplateErrorKind::Other,
        message: format!("what it renders cannot be parsed, whatever the values: {message}"),
    }
}

/// Returns the template and the bytes of the expression that wrote byte `at` of the text with stand-ins.
fn origin(engine: &Engine, name: &str, context: &Value, at: usize) -> Option<(String, Range<usize>)> {
    let [_, (_, spans)] = engine.render_with_origins(name, context)?;
    let span = spans.iter().find(|span| span.output_range().contains(&at))?;
    Some((span.name().to_owned(), span.source_range()))
}

fn error(name: &str, at: Option<(String, Range<usize>)>) -> TemplateError {
    let (template, range) = at.map_or((name.to_owned(), None), |(template, range)| (template, Some(range)));
    let message = "a value would change the structure of the document around it".to_owned();
    TemplateError { template, range, kind: TemplateErrorKind::Shape, message }
}

#[cfg(test)]
mod tests;
