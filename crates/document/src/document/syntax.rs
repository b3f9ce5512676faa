//! Texts that are not YAML, in words for the people who wrote them.

use granit_parser::{ErrorKind, ScanError};

use super::boundary;
use crate::{Code, Diagnostic, Location, SourceId};

pub(super) const MAX_DEPTH: usize = 64;

/// What ended the parse.
pub(super) fn error(source: SourceId, text: &str, error: &ScanError) -> Diagnostic {
    let at = boundary(text, error.marker().byte_offset().unwrap_or(0));
    // The parser may stand at the start of the text that a tab on a later line interrupts.
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
    let (message, help) = wording(error.kind());
    let length = text[at..].chars().next().filter(|character| *character != '\n' && *character != '\r');
    let location = Location::bytes(source, at..at + length.map_or(0, char::len_utf8));
    let finding = Diagnostic::new(Code::NotYaml, message, location);
    if help.is_empty() { finding } else { finding.help(help) }
}

/// A list or mapping inside too many others.
pub(super) fn too_deep(source: SourceId, at: usize) -> Diagnostic {
    let message = format!("more than {} lists and mappings stand inside each other", MAX_DEPTH);
    Diagnostic::new(Code::TooDeep, message, Location::bytes(source, at..at))
}

/// A tab in the white space that a line starts with.
pub(super) fn tab_indent(source: SourceId, text: &str, tab: usize) -> Diagnostic {
    let location = Location::bytes(source, tab..tab + 1);
    let help = match usual_indent(text, line_start(text, tab)) {
        Some(0) => "remove the tab, or use spaces".to_owned(),
        Some(spaces) => format!("use spaces; here {spaces}"),
        None => "use spaces".to_owned(),
    };
    Diagnostic::new(Code::TabIndent, "YAML does not allow tabs for indentation", location).label("a tab").help(help)
}

/// The first tab in the white space that the line at byte `line` starts with.
fn leading_tab(text: &str, line: usize) -> Option<usize> {
    let rest = &text[line..];
    let content = rest.trim_start_matches([' ', '\t']);
    let blanks = &rest[..rest.len() - content.len()];
    if content.starts_with(['\n', '\r']) { None } else { blanks.find('\t').map(|tab| line + tab) }
}

/// Where the line that holds byte `at` starts.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// How far a line is indented most often, going by the last line with content before it.
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
fn wording(kind: &ErrorKind) -> (String, &'static str) {
    use ErrorKind as E;
    let (message, help) = match kind {
        E::UnexpectedCharacter { character } => {
            return if character.is_control() || *character == '\u{FEFF}' {
                let message = format!("the character U+{:04X} may not stand in a YAML file", u32::from(*character));
                (message, "remove it, or write it as an escape in double quotes")
            } else {
                (format!("a text without quotes cannot begin with `{character}`"), "put the text in quotes")
            };
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            return (format!("a `{open}` is closed with a `{close}`"), "");
        }
        E::UnclosedFlowCollection { open } => return (format!("this `{open}` is never closed"), ""),
        E::MisplacedFlowCollectionEnd => {
            ("this bracket closes nothing", "put a text that begins with a bracket in quotes")
        }
        E::UnexpectedEofFlowSequence | E::ExpectedFlowSequenceSeparator => {
            ("a `,` or a `]` is expected here", "put a text with brackets in quotes")
        }
        E::UnexpectedEofFlowMapping | E::UnexpectedEofImplicitFlowMapping | E::ExpectedFlowMappingSeparator => {
            ("a `,` or a `}` is expected here", "put a text with braces in quotes")
        }
        E::UnclosedQuotedScalar => ("a quote is never closed", ""),
        E::InvalidQuotedScalarIndent | E::DocumentIndicatorInQuotedScalar => (
            "a text in quotes goes on here without indentation",
            "close the quotes on the line above, or indent this line",
        ),
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            ("something stands behind a text in quotes", "write a quote inside single quotes twice: 'it''s'")
        }
        E::UnknownQuotedScalarEscape => (
            "a text in double quotes has an escape that YAML does not know",
            "use single quotes, where `\\` stands for itself",
        ),
        E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => ("a text in double quotes has an escape that is no character", ""),
        E::MappingValueNotAllowed | E::InvalidColonPlacement => (
            "a `:` makes a key here, where none can be",
            "put a text with `: ` in quotes; start a key on a line of its own, indented like its neighbours",
        ),
        E::MappingKeyNotAllowed => ("a key cannot stand here", "start it on a line of its own"),
        E::SimpleKeyExpected | E::InvalidSimpleKey => {
            ("a `key: value` is expected here", "write a `:` and a space behind the key")
        }
        E::ExpectedBlockMappingKey => ("a key is expected here", "indent this line like the keys that belong with it"),
        E::ExpectedBlockSequenceEntry => (
            "a `- ` is expected here",
            "indent this line like the list that it belongs to, or like the key above the list",
        ),
        E::BlockSequenceEntryNotAllowed | E::InvalidBlockEntryWhitespace => {
            ("a list cannot start here", "start it on a line of its own")
        }
        E::BlockEntryInFlowCollection | E::PlainScalarStartsWithDashFlowIndicator => {
            ("a `-` cannot stand here between brackets", "put a text that begins with `-` in quotes")
        }
        E::InvalidIndentation | E::InvalidFlowScalarIndent => (
            "this line is not indented far enough",
            "indent it deeper than the key that it belongs to, or close the bracket above",
        ),
        E::InvalidBlockScalarHeader | E::ZeroBlockScalarIndent => {
            ("nothing but an indent of 1 to 9, `-` or `+` can follow `|` and `>`", "start the text on the next line")
        }
        E::InvalidBlockScalarIndent => {
            ("a line of a block text is indented less than its first", "indent all its lines alike")
        }
        E::CommentNotSeparated => ("a comment needs a space before its `#`", ""),
        E::CommentInterceptedScalar => ("a comment stands inside a text of several lines", "put the text in quotes"),
        E::ExpectedWhitespace | E::InvalidMappingValueWhitespace | E::FlowMappingValueAdjacentCollection => {
            ("a space is expected here", "")
        }
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabInPlainScalar
        | E::TabAtBlockScalarStart => ("a tab stands where only spaces may", "use spaces"),
        E::DirectiveDisallowed => {
            ("a line that begins with `%` is a directive, which talosmith does not read", "remove the line")
        }
        E::BomInsideDocument => ("a byte order mark stands inside the text", "remove it"),
        E::MissingAnchorOrAliasName => ("a text without quotes cannot begin with `*` or `&`", "put the text in quotes"),
        E::ExpectedDocumentStart | E::InvalidDocumentEnd => {
            ("the document has ended before this line", "indent the line like the keys that belong with it")
        }
        E::ExpectedTagBang
        | E::UndeclaredTagHandle
        | E::InvalidGlobalTagCharacter
        | E::InvalidTagTerminator
        | E::MissingTagUri
        | E::UnclosedVerbatimTag
        | E::InvalidTagEscape
        | E::InvalidTagUtf8LeadingByte
        | E::InvalidTagUtf8TrailingByte
        | E::InvalidTagUtf8 => ("this tag is not well formed", "put a text that begins with `!` in quotes"),
        E::UnexpectedEof
        | E::UnexpectedEofBlockMapping
        | E::UnexpectedEofBlockSequence
        | E::UnexpectedEndOfPlainScalar
        | E::ExpectedNodeContent => ("a value is expected here", ""),
        // The rest is about inputs and directives that talosmith does not hand to the parser.
        _ => ("this is not YAML", ""),
    };
    (message.to_owned(), help)
}
