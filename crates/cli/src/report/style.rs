//! What the reader of a report can see.

use annotate_snippets::normalize_untrusted_str;
use camino::Utf8Path;

use super::wrap::ascii;
use crate::mask::mask;

/// What the reader's terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to send colour codes.
    pub color: bool,
    /// Columns; fewer than 40 count as 40.
    pub width: usize,
    /// Whether characters beyond ASCII can be shown.
    pub unicode: bool,
}

/// Longer lines of prose are hard to read, however wide the terminal is.
const PROSE: usize = 100;

impl Style {
    /// A text in a colour, where there is colour.
    pub(crate) fn paint(self, style: anstyle::Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Columns for prose.
    pub(super) fn prose(self) -> usize {
        self.width.min(PROSE)
    }

    /// A text that does not steer the terminal and that it can show.
    pub(crate) fn clean(self, text: &str) -> String {
        let text = normalize_untrusted_str(&text.replace("\r\n", "\n"));
        if self.unicode { text } else { ascii(&text) }
    }

    /// A path that does not either; what the user wrote stays, ASCII or not.
    pub(super) fn path(path: &Utf8Path) -> String {
        mask(&normalize_untrusted_str(path.as_str()).replace('\n', "␊")).into_owned()
    }
}
