//! Tables that fit the width of a terminal.

use anstyle::AnsiColor;
use unicode_width::UnicodeWidthStr as _;

use crate::report::{Style, clip, wrap};

const GAP: usize = 2;

/// The least width of a column that is wrapped.
const NARROWEST: usize = 16;

/// Rows of cells, the first of which may be a header.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
    has_header: bool,
    right: Vec<usize>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    color: Option<AnsiColor>,
}

impl Cell {
    /// Creates a cell in a colour, if there is colour.
    pub(crate) fn colored(text: impl Into<String>, color: AnsiColor) -> Self {
        Self { text: text.into(), color: Some(color) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), color: None }
    }
}

impl Table {
    pub(crate) fn with_header<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        Self { rows: vec![names.into_iter().map(Cell::from).collect()], has_header: true, right: Vec::new() }
    }

    /// Aligns a column to the right.
    pub(crate) fn right(mut self, column: usize) -> Self {
        self.right.push(column);
        self
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Formats the columns `shown`, indented by `indent` spaces. Wraps the column `flexible` if the lines are too long otherwise.
    /// None if they are too long even so.
    pub(crate) fn draw(&self, shown: &[usize], flexible: usize, indent: usize, style: Style) -> Option<String> {
        let rows: Vec<Vec<Cell>> = self.cleaned(shown, style);
        let flexible = shown.iter().position(|column| *column == flexible)?;
        let mut widths: Vec<usize> = (0..shown.len())
            .map(|column| rows.iter().map(|row| row[column].text.width()).max().unwrap_or_default())
            .collect();
        let room = columns(style).saturating_sub(indent + GAP * (shown.len() - 1));
        let others = widths.iter().sum::<usize>() - widths[flexible];
        if others + widths[flexible] > room {
            if others + NARROWEST > room {
                return None;
            }
            widths[flexible] = room - others;
        }
        let mut out = String::new();
        for (index, row) in rows.iter().enumerate() {
            let wrapped = lines(&row[flexible].text, widths[flexible]);
            for (at, part) in wrapped.iter().enumerate() {
                let cells = row.iter().enumerate().map(|(column, cell)| match (column == flexible, at) {
                    (true, _) => Cell { text: part.clone(), color: cell.color },
                    (false, 0) => cell.clone(),
                    (false, _) => Cell::default(),
                });
                let aligned = cells.zip(&widths).zip(shown).map(|((cell, width), column)| {
                    let pad = " ".repeat(width.saturating_sub(cell.text.width()));
                    let text = self.painted(&cell, index, style);
                    if self.right.contains(column) { format!("{pad}{text}") } else { format!("{text}{pad}") }
                });
                let line = aligned.collect::<Vec<_>>().join(&" ".repeat(GAP));
                out.push_str(&format!("{}{}\n", " ".repeat(indent), line.trim_end()));
            }
        }
        Some(out)
    }

    /// Formats each row as a paragraph: its first cell, and below it the others, on one line if they fit.
    pub(crate) fn stack(&self, indent: usize, style: Style) -> String {
        let all: Vec<usize> = (0..self.rows.iter().map(Vec::len).max().unwrap_or_default()).collect();
        let mut out = String::new();
        let mut put = |indent: usize, text: &str| {
            for line in lines(text, columns(style).saturating_sub(indent)) {
                out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
            }
        };
        for row in self.cleaned(&all, style) {
            let first = row.first().map(|cell| cell.text.as_str()).unwrap_or_default();
            let inner = first.len() - first.trim_start().len() + indent;
            put(inner, first.trim_start());
            let others: Vec<&str> =
                row.iter().skip(1).map(|cell| cell.text.as_str()).filter(|text| !text.is_empty()).collect();
            let joined = others.join(&" ".repeat(GAP));
            if joined.width() + inner + GAP <= columns(style) && !joined.is_empty() {
                put(inner + GAP, &joined);
            } else {
                others.iter().for_each(|text| put(inner + GAP, text));
            }
        }
        out
    }

    /// Returns the cells of some columns without characters that the terminal cannot show, each on one line.
    fn cleaned(&self, shown: &[usize], style: Style) -> Vec<Vec<Cell>> {
        let clean = |cell: &Cell| Cell { text: style.clean(&cell.text).replace('\n', " "), color: cell.color };
        let row = |row: &Vec<Cell>| shown.iter().map(|at| row.get(*at).map(clean).unwrap_or_default()).collect();
        self.rows.iter().map(row).collect()
    }

    fn painted(&self, cell: &Cell, row: usize, style: Style) -> String {
        match cell.color {
            _ if cell.text.is_empty() => String::new(),
            _ if row == 0 && self.has_header => style.paint(anstyle::Style::new().bold(), &cell.text),
            Some(color) => style.paint(color.on_default(), &cell.text),
            None => cell.text.clone(),
        }
    }
}

/// Returns the width of a terminal in columns; less than 40 counts as 40, as in reports.
pub(crate) fn columns(style: Style) -> usize {
    style.width.max(40)
}

/// Wraps a text to a width in columns. Breaks words that are longer, between their parts where they have some.
pub(crate) fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut is_broken = false;
    for line in wrap(text, width, width) {
        if let Some(tail) = lines.last_mut().filter(|tail| is_broken && tail.width() + 1 + line.width() <= width) {
            tail.push_str(&format!(" {line}"));
            continue;
        }
        let mut rest = line.as_str();
        is_broken = rest.width() > width;
        while rest.width() > width && rest.chars().nth(1).is_some() {
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let head = &rest[..clip(rest, width).len().max(first)];
            // A name is broken after one of its parts, unless that would leave most of the line empty.
            let part = head.rfind(['-', '.', '/', ':']).map(|at| at + 1).filter(|end| *end > head.len() / 3);
            let (head, tail) = rest.split_at(part.unwrap_or(head.len()));
            lines.push(head.to_owned());
            rest = tail;
        }
        lines.push(rest.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style = Style { color: false, width: 40, unicode: true };

    fn table() -> Table {
        let mut table = Table::with_header(["NAME", "WORDS", "SIZE"]).right(2);
        table.row(["a".into(), "one two three four five six seven eight".into(), "1".into()]);
        table.row(["bé".into(), "averyverylongwordthatdoesnotfitatall".into(), "1,000".into()]);
        table
    }

    #[test]
    fn long_names_are_broken_between_their_parts() {
        assert_eq!(lines("nvidia-container-toolkit-production", 23), ["nvidia-container-", "toolkit-production"]);
        assert_eq!(lines("installer-image.patch.yaml", 18), ["installer-image.", "patch.yaml"]);
        assert_eq!(lines("a-veryverylongword", 8), ["a-veryve", "rylongwo", "rd"]);
    }

    #[test]
    fn columns_are_aligned_and_the_flexible_one_wraps() {
        let wide = Style { width: 60, ..STYLE };
        let expected = "\
NAME  WORDS                                     SIZE
a     one two three four five six seven eight      1
bé    averyverylongwordthatdoesnotfitatall     1,000
";
        assert_eq!(table().draw(&[0, 1, 2], 1, 0, wide).as_deref(), Some(expected));
        let expected = [
            "  NAME  WORDS                       SIZE\n",
            "  a     one two three four five        1\n",
            "        six seven eight\n",
            "  bé    averyverylongwordthatdoes  1,000\n",
            "        notfitatall\n",
        ];
        assert_eq!(table().draw(&[0, 1, 2], 1, 2, STYLE), Some(expected.concat()));
    }

    #[test]
    fn what_does_not_fit_is_refused_or_stacked() {
        let mut wide = Table::default();
        wide.row(["a-name-of-thirty-columns-or-so".into(), "one two".into()]);
        assert_eq!(wide.draw(&[0, 1], 1, 0, STYLE).as_deref(), Some("a-name-of-thirty-columns-or-so  one two\n"));
        assert_eq!(wide.draw(&[0, 1], 1, 4, STYLE), None);
        assert_eq!(wide.stack(4, STYLE), "    a-name-of-thirty-columns-or-so\n      one two\n");
        assert_eq!(table().draw(&[0, 2], 0, 0, STYLE).as_deref(), Some("NAME   SIZE\na         1\nbé    1,000\n"));
    }

    #[test]
    fn a_broken_word_shares_its_last_line() {
        assert_eq!(lines("a: averyverylongword }", 10), ["a:", "averyveryl", "ongword }"]);
        assert_eq!(lines("日本語", 5), ["日本", "語"]);
        assert_eq!(lines("日本", 1), ["日", "本"]);
        assert_eq!(lines("", 5), [""]);
    }

    #[test]
    fn colour_does_not_count_as_width() {
        let mut table = Table::with_header(["A", "B"]);
        table.row([Cell::colored("x", AnsiColor::Red), "y".into()]);
        let style = Style { color: true, ..STYLE };
        let expected = "\u{1b}[1mA\u{1b}[0m  \u{1b}[1mB\u{1b}[0m\n\u{1b}[31mx\u{1b}[0m  y\n";
        assert_eq!(table.draw(&[0, 1], 0, 0, style).as_deref(), Some(expected));
    }
}
