//! The overview for people.

use std::collections::BTreeSet;

use anstyle::AnsiColor;
use talosmith_document::Level;

use super::{DeviceSummary, Extension, FleetOverview, Row, State, Volume};
use crate::report::{Style, count_of};
use crate::table::{Cell, Table};

const COLUMNS: [&str; 9] = ["DEVICE", "CLUSTER", "ROLE", "ADDRESS", "TALOS", "IMAGE", "EXTENSIONS", "VOLUMES", "STATE"];

/// The column that is wrapped if lines are too long.
const EXTENSIONS: usize = 6;

/// The columns that are hidden if lines are too long even so, in this order.
const HIDDEN_FIRST: [usize; 6] = [2, 1, 5, 7, EXTENSIONS, 3];

impl FleetOverview<'_> {
    /// Formats the overview. Also returns the names of the columns that did not fit.
    pub(crate) fn text(&self, style: Style) -> (String, Vec<&'static str>) {
        let all: Vec<usize> = (0..COLUMNS.len()).collect();
        if let Some(text) = self.matrix(style, false).draw(&all, EXTENSIONS, 0, style) {
            return (text, Vec::new());
        }
        let table = self.matrix(style, true);
        for given in 0..=HIDDEN_FIRST.len() {
            let hidden = &HIDDEN_FIRST[..given];
            let shown: Vec<usize> = all.iter().copied().filter(|column| !hidden.contains(column)).collect();
            let flexible = if shown.contains(&EXTENSIONS) { EXTENSIONS } else { 0 };
            if let Some(text) = table.draw(&shown, flexible, 0, style) {
                let hidden = all.iter().filter(|column| hidden.contains(column));
                return (text, hidden.map(|column| COLUMNS[*column]).collect());
            }
        }
        (table.stack(0, style), Vec::new())
    }

    fn matrix(&self, style: Style, brief: bool) -> Table {
        let mut table = Table::with_header(COLUMNS);
        for row in &self.devices {
            table.row(cells(row, style, brief));
        }
        table
    }

    /// Formats a table of devices and extensions, in as many blocks as the width of the terminal requires.
    pub(crate) fn extensions(&self, style: Style) -> String {
        let names: BTreeSet<&str> = self.devices.iter().flat_map(extensions_of).map(|it| it.name).collect();
        let mut names: Vec<&str> = names.into_iter().collect();
        let mut blocks = Vec::new();
        while !names.is_empty() {
            let fitting = (1..=names.len()).rev().find_map(|count| {
                let columns: Vec<usize> = (0..=count).collect();
                Some((count, self.dots(&names[..count], style).draw(&columns, 0, 0, style)?))
            });
            let (count, block) = fitting.unwrap_or_else(|| (1, self.dots(&names[..1], style).stack(0, style)));
            blocks.push(block);
            names.drain(..count);
        }
        blocks.join("\n")
    }

    fn dots(&self, names: &[&str], style: Style) -> Table {
        let header = std::iter::once("DEVICE").chain(names.iter().map(|name| short(name)));
        let mut table = Table::with_header(header);
        let [applied, listed, none] = dots(style);
        for row in &self.devices {
            let dots = names.iter().map(|name| {
                Cell::from(match extensions_of(row).iter().find(|extension| extension.name == *name) {
                    _ if row.facts.is_none() => unknown(style),
                    Some(Extension { applied: true, .. }) => applied,
                    Some(_) => listed,
                    None => none,
                })
            });
            table.row(std::iter::once(Cell::from(row.name)).chain(dots));
        }
        table
    }
}

/// Returns the marks of an extension in the applied image, in another schematic only, and in none.
pub(crate) const fn dots(style: Style) -> [&'static str; 3] {
    if style.unicode { ["●", "○", "·"] } else { ["x", "o", "."] }
}

fn extensions_of<'a>(row: &'a Row<'_>) -> &'a [Extension<'a>] {
    row.facts.as_ref().map_or(&[], |facts| &facts.extensions)
}

/// Returns the mark of a missing value.
const fn unknown(style: Style) -> &'static str {
    if style.unicode { "—" } else { "-" }
}

/// Returns the name of an extension without its publisher.
fn short(extension: &str) -> &str {
    extension.strip_prefix("siderolabs/").unwrap_or(extension)
}

fn cells(row: &Row<'_>, style: Style, brief: bool) -> Vec<Cell> {
    let mut cells = vec![Cell::from(row.name)];
    match &row.facts {
        Some(facts) => cells.extend(described(facts, style, brief).map(Cell::from)),
        None => cells.extend((0..COLUMNS.len() - 2).map(|_| Cell::from(unknown(style)))),
    }
    let (state, color) = match row.state {
        State::Current => ("current".to_owned(), AnsiColor::Green),
        State::Stale => (format!("{} stale", row.stale), AnsiColor::Yellow),
        // The errors are in files that all devices depend on.
        State::Errors if row.errors == 0 => ("errors".to_owned(), AnsiColor::Red),
        State::Errors => (count_of(row.errors, Level::Error), AnsiColor::Red),
    };
    let warnings = (row.warnings > 0).then(|| count_of(row.warnings, Level::Warning));
    let state = [state].into_iter().chain(warnings).collect::<Vec<_>>().join(", ");
    cells.push(Cell::colored(state, color));
    cells
}

fn described(facts: &DeviceSummary<'_>, style: Style, brief: bool) -> [String; 7] {
    let role = serde_json::to_value(facts.role).unwrap_or_default();
    let or_unknown = |text: String| if text.is_empty() { unknown(style).to_owned() } else { text };
    let applied = facts.extensions.iter().filter(|extension| extension.applied);
    [
        facts.cluster.to_owned(),
        role.as_str().unwrap_or_default().to_owned(),
        facts.address.to_owned(),
        facts.talos_version.to_string(),
        or_unknown(image(facts, brief)),
        or_unknown(applied.map(|extension| short(extension.name)).collect::<Vec<_>>().join(" ")),
        or_unknown(volumes(&facts.volumes)),
    ]
}

/// Formats an image: the start of the schematic's ID, or the reference with the start of its digest, without its registry if `brief`.
fn image(facts: &DeviceSummary<'_>, brief: bool) -> String {
    let start = |text: &str| text.chars().take(8).collect::<String>();
    match (facts.schematic, facts.image) {
        (Some(id), _) => start(id),
        (None, Some(reference)) => {
            let path = reference.rsplit('/').next().filter(|path| brief && *path != reference);
            let shown = path.map_or_else(|| reference.to_owned(), |path| format!("…/{path}"));
            match shown.split_once("@sha256:") {
                Some((name, digest)) => format!("{name}@{}", start(digest)),
                None => shown,
            }
        }
        (None, None) => String::new(),
    }
}

/// Formats the size of EPHEMERAL and the number of other volumes.
fn volumes(volumes: &[Volume<'_>]) -> String {
    let ephemeral = volumes.iter().find(|volume| volume.name == "EPHEMERAL");
    let others = volumes.len() - usize::from(ephemeral.is_some());
    let size = ephemeral.map(|volume| match (volume.min_size, volume.max_size) {
        (Some(min), Some(max)) if min == max => format!("EPH {min}"),
        (Some(min), Some(max)) => format!("EPH {min}–{max}"),
        (Some(min), None) => format!("EPH ≥{min}"),
        (None, Some(max)) => format!("EPH ≤{max}"),
        (None, None) => "EPH".to_owned(),
    });
    match (size, others) {
        (Some(size), 0) => size,
        (Some(size), others) => format!("{size} + {others}"),
        (None, 0) => String::new(),
        (None, others) => others.to_string(),
    }
}
