//! Messages for syntax errors, for people who do not know the parser's terms.

use std::ops::Range;

use granit_parser::{ErrorKind, ScanError};

use super::boundary;
use crate::{Code, Diagnostic, Location, SourceId};

/// More lists and mappings inside each other are rejected.
pub(super) const MAX_DEPTH: usize = 64;

/// The finding for an error that ended the parse.
pub(super) fn error(source: SourceId, text: &str, error: &ScanError) -> Diagnostic {
    let at = boundary(text, error.marker().byte_offset().unwrap_or(0));
    // The parser may report the start of a scalar that is interrupted by a tab on a later line.
    let about_tabs = matches!(
        error.kind(),
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabAtBlockScalarStart
    );
    let mut line = line_start(text, at);
    loop {
        if let Some(tab) = leading_tab(text, line) {
            return tab_indent(source, text, tab);
        }
        match text[line..].find('\n') {
            Some(length) if about_tabs => line += length + 1,
            _ => break,
        }
    }
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return too_deep(source, at);
    }
    if let Some(finding) = merge_conflict(source, text) {
        return finding;
    }
    let (message, help) = message(error.kind());
    let length = text[at..].chars().next().filter(|character| *character != '\n' && *character != '\r');
    let location = Location::bytes(source, at..at + length.map_or(0, char::len_utf8));
    let finding = Diagnostic::new(Code::NotYaml, message, location);
    if help.is_empty() { finding } else { finding.help(help) }
}

/// The finding for the first marker that git left in a file with a conflict.
fn merge_conflict(source: SourceId, text: &str) -> Option<Diagnostic> {
    const MARKER: &str = "<<<<<<< ";
    let at = if text.starts_with(MARKER) { 0 } else { text.find(&format!("\n{MARKER}"))? + 1 };
    let location = Location::bytes(source, at..at + MARKER.trim_end().len());
    let finding = Diagnostic::new(Code::NotYaml, "the merge of this file has an unresolved conflict", location);
    Some(finding.help("keep one of the two versions, and remove the lines `<<<<<<<`, `=======` and `>>>>>>>`"))
}

/// The finding for a character that ends a line in YAML 1.1, which Talos reads, and not in YAML 1.2.
///
/// Source: `is_break` in <https://github.com/go-yaml/yaml/blob/v3.0.1/yamlprivateh.go>.
pub(super) fn line_separator(source: SourceId, text: &str) -> Option<Diagnostic> {
    if text.is_ascii() {
        return None;
    }
    let (at, c) = text.char_indices().find(|(_, c)| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}'))?;
    let message =
        format!("the character U+{:04X} ends a line for Talos, and for other programs it does not", u32::from(c));
    let finding = Diagnostic::new(Code::NotYaml, message, Location::bytes(source, at..at + c.len_utf8()));
    Some(finding.help("remove it, or write it as an escape in double quotes"))
}

/// The finding for a `?` before a blank in a plain scalar between brackets, where it is the mark of a key for Talos.
///
/// Source: `yaml_parser_scan_plain_scalar` in <https://github.com/go-yaml/yaml/blob/v3.0.1/scannerc.go>.
pub(super) fn key_mark(source: SourceId, text: &str, bytes: &Range<usize>) -> Option<Diagnostic> {
    let is_mark = |at: &usize| text[at + 1..].starts_with([' ', '\t', '\n', '\r']);
    let at = text[bytes.clone()].match_indices('?').map(|(at, _)| bytes.start + at).find(is_mark)?;
    let finding =
        Diagnostic::new(Code::NotYaml, "a `?` before a blank marks a key here", Location::bytes(source, at..at + 1));
    Some(finding.help("quote the string"))
}

/// The finding for a list or mapping inside too many others.
pub(super) fn too_deep(source: SourceId, at: usize) -> Diagnostic {
    let message = format!("more than {MAX_DEPTH} lists and mappings are inside each other");
    Diagnostic::new(Code::TooDeep, message, Location::bytes(source, at..at))
}

/// The finding for a tab in the indentation of a line.
pub(super) fn tab_indent(source: SourceId, text: &str, tab: usize) -> Diagnostic {
    let location = Location::bytes(source, tab..tab + 1);
    let help = match usual_indent(text, line_start(text, tab)) {
        Some(0) => "remove the tab, or use spaces".to_owned(),
        Some(spaces) => format!("use spaces; here {spaces}"),
        None => "use spaces".to_owned(),
    };
    Diagnostic::new(Code::TabIndent, "YAML does not allow tabs for indentation", location).label("a tab").help(help)
}

/// The first tab in the indentation of the line that starts at `line`.
fn leading_tab(text: &str, line: usize) -> Option<usize> {
    let rest = &text[line..];
    let content = rest.trim_start_matches([' ', '\t']);
    let blanks = &rest[..rest.len() - content.len()];
    if content.starts_with(['\n', '\r']) { None } else { blanks.find('\t').map(|tab| line + tab) }
}

/// The start of the line that contains the byte `at`.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// The likely indentation of a line, judging by the last line with content before it.
fn usual_indent(text: &str, line: usize) -> Option<usize> {
    let has_content = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let Some(before) = text[..line].lines().rev().find(has_content) else { return Some(0) };
    let this_is_item = text[line..].trim_start().starts_with("- ");
    let mut content = before.trim_start_matches(' ');
    if content.starts_with('\t') {
        return None;
    }
    while let Some(inner) = content.strip_prefix("- ").filter(|_| !this_is_item) {
        content = inner.trim_start_matches(' ');
    }
    let opens = content.trim_end().trim_end_matches(['-', '+']).ends_with([':', '|', '>', '[', '{']);
    let deeper = if opens { 2 } else { 0 };
    Some(before.len() - content.len() + deeper)
}

/// A message for a kind of error, and a help that may be empty.
fn message(kind: &ErrorKind) -> (String, &'static str) {
    use ErrorKind as E;
    match kind {
        E::UnexpectedCharacter { character } if character.is_control() || *character == '\u{FEFF}' => {
            let message = format!("the character U+{:04X} is not allowed in YAML", u32::from(*character));
            (message, "remove it, or write it as an escape in double quotes")
        }
        E::UnexpectedCharacter { character } => {
            (format!("a string without quotes cannot begin with `{character}`"), "quote the string")
        }
        E::MismatchedFlowCollectionEnd { open, close } => (format!("a `{open}` is closed with a `{close}`"), ""),
        E::UnclosedFlowCollection { open } => (format!("this `{open}` is never closed"), ""),
        _ => {
            let found = quotes(kind).or_else(|| brackets(kind)).or_else(|| lines(kind)).or_else(|| others(kind));
            // The remaining kinds are about inputs and directives that talosmith does not pass to the parser.
            let (message, help) = found.unwrap_or(("this is not valid YAML", ""));
            (message.to_owned(), help)
        }
    }
}

/// Messages for quoted and multi-line strings.
fn quotes(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    use ErrorKind as E;
    Some(match kind {
        E::UnclosedQuotedScalar => ("a quote is never closed", ""),
        E::InvalidQuotedScalarIndent | E::DocumentIndicatorInQuotedScalar => (
            "a quoted string continues here without indentation",
            "close the quotes on the line above, or indent this line",
        ),
        E::InvalidTrailingSingleQuotedScalar => {
            ("unexpected characters after a quoted string", "write a quote inside single quotes twice: 'it''s'")
        }
        E::InvalidTrailingDoubleQuotedScalar => (
            "unexpected characters after a quoted string",
            "put a string that contains double quotes between single quotes: 'a == \"b\"'",
        ),
        E::UnknownQuotedScalarEscape => {
            ("unknown escape in a double-quoted string", "use single quotes, in which `\\` is not an escape")
        }
        E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => ("an escape in a double-quoted string is not a character", ""),
        E::InvalidBlockScalarHeader | E::ZeroBlockScalarIndent => {
            ("only an indent of 1 to 9, `-` or `+` can follow `|` and `>`", "start the string on the next line")
        }
        E::InvalidBlockScalarIndent => {
            ("a line of a block string is indented less than its first line", "indent all its lines equally")
        }
        E::CommentInterceptedScalar => ("a comment is inside a string of several lines", "quote the string"),
        E::MissingAnchorOrAliasName => ("a string without quotes cannot begin with `*` or `&`", "quote the string"),
        _ => return None,
    })
}

/// Messages for lists and mappings in brackets.
fn brackets(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    use ErrorKind as E;
    Some(match kind {
        E::MisplacedFlowCollectionEnd => ("this bracket closes nothing", "quote a string that begins with a bracket"),
        E::UnexpectedEofFlowSequence | E::ExpectedFlowSequenceSeparator => {
            ("expected a `,` or a `]`", "quote a string with brackets")
        }
        E::UnexpectedEofFlowMapping | E::UnexpectedEofImplicitFlowMapping | E::ExpectedFlowMappingSeparator => {
            ("expected a `,` or a `}`", "quote a string with braces")
        }
        E::BlockEntryInFlowCollection | E::PlainScalarStartsWithDashFlowIndicator => {
            ("a `-` is not allowed here between brackets", "quote a string that begins with `-`")
        }
        _ => return None,
    })
}

/// Messages for keys, list items and indentation.
fn lines(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    use ErrorKind as E;
    Some(match kind {
        E::MappingValueNotAllowed | E::InvalidColonPlacement => (
            "a `:` starts a value here, where no key is possible",
            "quote a string with `: ` in it; start a key on a line of its own, indented like its neighbours",
        ),
        E::MappingKeyNotAllowed => ("a key is not allowed here", "start it on a line of its own"),
        E::SimpleKeyExpected | E::InvalidSimpleKey => {
            ("expected `key: value`", "write a `:` and a space after the key")
        }
        E::ExpectedBlockMappingKey => ("expected a key", "indent this line like the keys that belong with it"),
        E::ExpectedBlockSequenceEntry => {
            ("expected a `- `", "indent this line like the list that it belongs to, or like the key above the list")
        }
        E::BlockSequenceEntryNotAllowed | E::InvalidBlockEntryWhitespace => {
            ("a list cannot start here", "start it on a line of its own")
        }
        E::InvalidIndentation | E::InvalidFlowScalarIndent => (
            "this line is not indented far enough",
            "indent it deeper than the key that it belongs to, or close the bracket above",
        ),
        E::ExpectedDocumentStart | E::InvalidDocumentEnd => {
            ("the document has ended before this line", "indent the line like the keys that belong with it")
        }
        E::UnexpectedEof
        | E::UnexpectedEofBlockMapping
        | E::UnexpectedEofBlockSequence
        | E::UnexpectedEndOfPlainScalar
        | E::ExpectedNodeContent => ("expected a value", ""),
        _ => return None,
    })
}

/// Messages for white space, comments, directives and tags.
fn others(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    use ErrorKind as E;
    Some(match kind {
        E::CommentNotSeparated => ("a comment needs a space before its `#`", ""),
        E::ExpectedWhitespace | E::InvalidMappingValueWhitespace | E::FlowMappingValueAdjacentCollection => {
            ("expected a space", "")
        }
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabInPlainScalar
        | E::TabAtBlockScalarStart => ("a tab is not allowed here", "use spaces"),
        E::DirectiveDisallowed => {
            ("a line that begins with `%` is a directive, which talosmith does not support", "remove the line")
        }
        E::BomInsideDocument => ("a byte order mark is only allowed at the start of a file", "remove it"),
        E::ExpectedTagBang
        | E::UndeclaredTagHandle
        | E::InvalidGlobalTagCharacter
        | E::InvalidTagTerminator
        | E::MissingTagUri
        | E::UnclosedVerbatimTag
        | E::InvalidTagEscape
        | E::InvalidTagUtf8LeadingByte
        | E::InvalidTagUtf8TrailingByte
        | E::InvalidTagUtf8 => ("this tag is not well formed", "quote a string that begins with `!`"),
        _ => return None,
    })
}
