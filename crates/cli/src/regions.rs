//! Marked regions of files that are otherwise the user's: the lines between `talosmith:begin NAME` and `talosmith:end NAME`.

use std::collections::BTreeMap;
use std::ops::Range;

/// What is wrong with the markers of a file, with the bytes of the marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The file has no such region.
    Missing { name: String },
    /// A region does not end, or another begins in it.
    Open { name: String, at: Range<usize> },
    /// The file has the region before.
    Twice { name: String, at: Range<usize> },
    /// Nothing renders the region.
    Unknown { name: String, at: Range<usize> },
    /// The new content of the region has a marker itself.
    Nested { name: String },
}

/// A line with a marker.
struct Marker<'t> {
    is_begin: bool,
    name: &'t str,
    /// The bytes of the marker in the text.
    at: Range<usize>,
}

/// Returns a text with new contents of its regions, by their names. Every other byte stays: the markers, their line ends, and a last
/// line without one. The new lines get the indent and the line ends of the line that begins the region.
pub(crate) fn splice(text: &str, contents: &BTreeMap<&str, &str>) -> Result<String, Vec<Fault>> {
    let (mut spliced, mut faults) = (String::with_capacity(text.len()), Vec::new());
    let mut seen: Vec<&str> = Vec::new();
    let mut open: Option<Marker<'_>> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let marker = marker(line, start);
        start += line.len();
        match (&open, marker) {
            (None, Some(marker)) if marker.is_begin => {
                let (name, at) = (marker.name.to_owned(), marker.at.clone());
                if seen.contains(&marker.name) {
                    faults.push(Fault::Twice { name, at });
                } else if let Some(content) = contents.get(marker.name) {
                    if content.lines().any(|line| self::marker(line, 0).is_some()) {
                        faults.push(Fault::Nested { name });
                    }
                    spliced.push_str(line);
                    push_lines(&mut spliced, content, line);
                } else {
                    faults.push(Fault::Unknown { name, at });
                }
                seen.push(marker.name);
                open = Some(marker);
            }
            (Some(begin), Some(marker)) if !marker.is_begin && marker.name == begin.name => {
                spliced.push_str(line);
                open = None;
            }
            (Some(begin), Some(_)) => {
                faults.push(Fault::Open { name: begin.name.to_owned(), at: begin.at.clone() });
                open = None;
            }
            (Some(_), None) => {}
            (None, _) => spliced.push_str(line),
        }
    }
    faults.extend(open.map(|begin| Fault::Open { name: begin.name.to_owned(), at: begin.at }));
    let missing = contents.keys().filter(|name| !seen.contains(name));
    faults.extend(missing.map(|name| Fault::Missing { name: (*name).to_owned() }));
    if faults.is_empty() { Ok(spliced) } else { Err(faults) }
}

/// Returns the bytes of a text that are in regions.
pub(crate) fn regions(text: &str) -> Vec<Range<usize>> {
    let mut regions = Vec::new();
    let (mut open, mut start) = (None, 0);
    for line in text.split_inclusive('\n') {
        if let Some(marker) = marker(line, start) {
            if marker.is_begin {
                open = Some(start);
            } else {
                regions.extend(open.take().map(|begin| begin..start));
            }
        }
        start += line.len();
    }
    regions
}

/// Appends the lines of a region to a text that ends with the line which begins it.
fn push_lines(text: &mut String, content: &str, begin: &str) {
    let indent = &begin[..begin.len() - begin.trim_start().len()];
    let end = if begin.ends_with("\r\n") { "\r\n" } else { "\n" };
    for line in content.lines() {
        if !line.is_empty() {
            text.push_str(indent);
        }
        text.push_str(line);
        text.push_str(end);
    }
}

/// Returns the marker in a line that starts at a byte of the text.
fn marker(line: &str, start: usize) -> Option<Marker<'_>> {
    [("talosmith:begin ", true), ("talosmith:end ", false)].into_iter().find_map(|(word, is_begin)| {
        let at = line.find(word)?;
        let rest = line[at + word.len()..].trim_start();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = rest.split(|c: char| !is_name(c)).next().filter(|name| !name.is_empty())?;
        let end = line.len() - rest.len() + name.len();
        Some(Marker { is_begin, name, at: start + at..start + end })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_outside_of_a_region_stays() {
        let contents = [("a", "1\n\n2\n"), ("b", "")].into();
        let text = "x\r\n  # talosmith:begin a\r\n  old\r\n  # talosmith:end a\r\n<!-- talosmith:begin b -->\nold\n<!-- talosmith:end b -->\nlast";
        let spliced = "x\r\n  # talosmith:begin a\r\n  1\r\n\r\n  2\r\n  # talosmith:end a\r\n<!-- talosmith:begin b -->\n<!-- talosmith:end b -->\nlast";
        assert_eq!(splice(text, &contents).as_deref(), Ok(spliced));
        assert_eq!(splice(spliced, &contents).as_deref(), Ok(spliced));
    }

    #[test]
    fn wrong_markers_are_found() {
        let faults = |text: &str| splice(text, &[("a", "")].into()).expect_err(text);
        let name = || "a".to_owned();
        assert_eq!(faults("x\n"), [Fault::Missing { name: name() }]);
        assert_eq!(faults("# talosmith:begin a"), [Fault::Open { name: name(), at: 2..19 }]);
        assert_eq!(faults("# talosmith:begin a\n# talosmith:begin b\n"), [Fault::Open { name: name(), at: 2..19 }]);
        let twice = "# talosmith:begin a\n# talosmith:end a\n# talosmith:begin a\n# talosmith:end a\n";
        assert_eq!(faults(twice), [Fault::Twice { name: name(), at: 40..57 }]);
        let unknown = "# talosmith:begin a\n# talosmith:end a\n; talosmith:begin old\n; talosmith:end old\n";
        assert_eq!(faults(unknown), [Fault::Unknown { name: "old".to_owned(), at: 40..59 }]);
        let nested = splice("# talosmith:begin a\n# talosmith:end a\n", &[("a", "# talosmith:end a\n")].into());
        assert_eq!(nested, Err(vec![Fault::Nested { name: name() }]));
    }
}
