//! Maps offsets in the content of a `|` block to offsets in the file around it.

use std::ops::Range;

use super::{Node, Style};

/// The lines of a `|` block scalar, and their offsets in the file around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockText {
    /// For each line the offset of its first byte in the block's content and in the file.
    lines: Vec<(u32, u32)>,
}

impl BlockText {
    /// Finds the lines of a block scalar in the file; `None` if they are written differently there, as in a folded block.
    pub fn find(host: &str, node: &Node) -> Option<Self> {
        let (text, Style::Block) = node.scalar()? else { return None };
        let first = node.span.start as usize;
        let line_start = |before: usize| host[..before].rfind('\n').map_or(0, |at| at + 1);
        let indent = first - line_start(first);
        // The node begins at its first character, which empty lines of the content may precede.
        let empty = text.lines().take_while(|line| line.is_empty()).count();
        let (mut inner, mut outer) = (0, (0..empty).fold(line_start(first), |at, _| line_start(at.saturating_sub(1))));
        let mut lines = Vec::new();
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            let rest = &host[outer..];
            let whole = rest.lines().next()?;
            if content.is_empty() {
                if !whole.trim().is_empty() {
                    return None;
                }
                lines.push((inner, outer));
            } else {
                if whole.get(indent..)? != content {
                    return None;
                }
                lines.push((inner, outer + indent));
            }
            inner += line.len();
            outer += rest.find('\n').map_or(rest.len(), |length| length + 1);
        }
        let narrow = |at: usize| u32::try_from(at).ok();
        let lines = lines.into_iter().map(|(inner, outer)| Some((narrow(inner)?, narrow(outer)?)));
        Some(Self { lines: lines.collect::<Option<Vec<_>>>()? })
    }

    /// Converts a range of the block's content to a range of the file.
    pub fn shifted(&self, range: Range<usize>) -> Range<usize> {
        let shift = |at: usize| {
            let after = self.lines.partition_point(|(inner, _)| *inner as usize <= at);
            let (inner, outer) = after.checked_sub(1).map_or((0, 0), |line| self.lines[line]);
            at - (inner as usize).min(at) + outer as usize
        };
        // The end belongs to the line of the last byte.
        let end = if range.end > range.start { shift(range.end - 1) + 1 } else { shift(range.end) };
        shift(range.start)..end
    }
}
