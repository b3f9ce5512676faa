//! The properties of the terminal that a report depends on.

use annotate_snippets::normalize_untrusted_str;
use camino::Utf8Path;

use super::wrap::ascii;
use crate::mask::mask;

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub color: bool,
    /// The width in columns; less than 40 counts as 40.
    pub width: usize,
    /// Whether characters beyond ASCII can be shown.
    pub unicode: bool,
}

/// The greatest width of prose in columns: longer lines are hard to read, however wide the terminal is.
const PROSE: usize = 100;

impl Style {
    /// Returns a text in a colour, if there is colour.
    pub(crate) fn paint(self, style: anstyle::Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(super) fn prose(self) -> usize {
        self.width.min(PROSE)
    }

    /// Returns a text without control characters that the terminal can show.
    pub(crate) fn clean(self, text: &str) -> String {
        let text = normalize_untrusted_str(&text.replace("\r\n", "\n"));
        if self.unicode { text } else { ascii(&text) }
    }

    /// Returns a path without control characters. Its other characters are kept, ASCII or not.
    pub(super) fn path(path: &Utf8Path) -> String {
        mask(&normalize_untrusted_str(path.as_str()).replace('\n', "␊")).into_owned()
    }
}
