//! Which line of the model a generated line comes from.
//!
//! Each scalar of the model is changed a little, the artifact is rendered again, and if the line changes, the scalar made it. That
//! is exact for hashes and sums too, and nothing has to be kept in the books.

use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Document, Node, NodeValue, SourceId, Style, line_column};
use talosmith_render::Proof;

use crate::project::{DEVICES, FLEET_FILE, Project};
use crate::rendering::render_with;
use crate::selection::Selection;
use crate::tree::{Entry, ReadError, Tree};

/// A line of the model that makes a line of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The model's file.
    pub path: Utf8PathBuf,
    /// The number of the line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

/// The origin of line `line` (from 0) of the artifact at `path`, whose generated text is `text`; `edited` is what stands there now.
///
/// Where several scalars make the line, the one wins that is written in the part that was edited.
#[must_use]
pub fn origin(
    tree: &dyn Tree,
    project: &Project,
    path: &Utf8Path,
    text: &str,
    line: usize,
    edited: &str,
) -> Option<Origin> {
    let wanted = text.lines().nth(line)?;
    let part = differing(wanted, edited);
    let device = path.strip_prefix("devices").ok().and_then(|path| path.iter().next());
    let own = device.map(|name| Utf8Path::new(DEVICES).join(name).join("device.yaml"));
    let mut best: Option<(u8, Origin)> = None;
    for model in own.into_iter().chain([Utf8PathBuf::from(FLEET_FILE)]).chain(others(project, device)) {
        let Ok(Some(bytes)) = tree.read(&model) else { continue };
        let Ok(model_text) = String::from_utf8(bytes) else { continue };
        for (span, style) in scalars(&model_text) {
            let scalar = model_text[span.clone()].trim_matches(['"', '\'']);
            let rank = match wanted.find(scalar) {
                Some(at) if at < part.end && part.start < at + scalar.len() => 2,
                Some(_) => 1,
                None => 0,
            };
            if best.as_ref().is_some_and(|(other, _)| *other >= rank) {
                continue;
            }
            let rendered = mutants(&model_text[span.clone()], style).into_iter().find_map(|mutant| {
                let mutated = format!("{}{mutant}{}", &model_text[..span.start], &model_text[span.end..]);
                rendered_from(&Changed { tree, path: &model, text: &mutated, only: device }, path)
            });
            let Some(rendered) = rendered else { continue };
            // A scalar that only moves the line, such as one of a list before it, did not make it.
            if rendered.lines().nth(line) != Some(wanted) && !rendered.lines().any(|other| other == wanted) {
                let (at, _) = line_column(&model_text, span.start);
                let shown = model_text.lines().nth(at - 1).unwrap_or_default().trim().to_owned();
                best = Some((rank, Origin { path: model.clone(), line: at, text: shown }));
            }
        }
    }
    best.map(|(_, origin)| origin)
}

/// The bytes of `line` that are not the same in `other`.
fn differing(line: &str, other: &str) -> Range<usize> {
    let same = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
        pairs.take_while(|(one, two)| one == two).map(|(one, _)| one.len_utf8()).sum()
    };
    let start = same(&mut line.chars().zip(other.chars()));
    let end =
        line.len() - same(&mut line[start..].chars().rev().zip(other.get(start..).unwrap_or_default().chars().rev()));
    start..end.max(start + 1)
}

fn others<'a>(project: &'a Project, device: Option<&'a str>) -> impl Iterator<Item = Utf8PathBuf> + 'a {
    let folders = project.folders.iter().filter(move |_| device.is_none());
    folders.map(|name| Utf8Path::new("devices").join(name).join("device.yaml"))
}

/// The bytes of every scalar value of a document.
fn scalars(text: &str) -> Vec<(Range<usize>, Style)> {
    fn walk(node: &Node, found: &mut Vec<(Range<usize>, Style)>) {
        match &node.value {
            NodeValue::Scalar(_, style) => found.push((node.span.start as usize..node.span.end as usize, *style)),
            NodeValue::Sequence(items) => items.iter().for_each(|item| walk(item, found)),
            NodeValue::Mapping(entries) => entries.iter().for_each(|entry| walk(&entry.value, found)),
        }
    }
    let mut found = Vec::new();
    let mut sources = talosmith_document::Sources::default();
    let source: SourceId = sources.add("probe", "");
    if let Ok(document) = Document::parse(source, text) {
        walk(&document.root, &mut found);
    }
    found
}

/// Slightly different scalars, the likeliest to be valid first.
fn mutants(scalar: &str, style: Style) -> Vec<String> {
    let mut mutants = Vec::new();
    match scalar {
        "true" => mutants.push("false".to_owned()),
        "false" => mutants.push("true".to_owned()),
        "controlplane" => mutants.push("worker".to_owned()),
        _ => {}
    }
    if style == Style::Block {
        return mutants;
    }
    // The last run of digits, one lower: a size stays within its disk, an address stays one.
    let end = scalar.rfind(|c: char| c.is_ascii_digit()).map(|at| at + 1);
    if let Some(end) = end {
        let start = scalar[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
        if let Ok(number) = scalar[start..end].parse::<u64>() {
            for other in [number.checked_sub(1), number.checked_add(1)].into_iter().flatten() {
                mutants.push(format!("{}{other}{}", &scalar[..start], &scalar[end..]));
            }
        }
    }
    let close = scalar.chars().last().filter(|c| style == Style::Quoted && matches!(c, '"' | '\''));
    let inner = &scalar[..scalar.len() - close.map_or(0, char::len_utf8)];
    mutants.push(format!("{inner}x{}", close.map(String::from).unwrap_or_default()));
    mutants
}

/// The text of one artifact, rendered from a changed model; none if the model has errors.
fn rendered_from(tree: &Changed<'_>, artifact: &Utf8Path) -> Option<String> {
    let mut project = Project::load(tree).ok()?;
    let rendered = render_with(&mut project, &Selection::Everything, Proof::Skipped, |owner| {
        owner.artifacts.into_iter().find(|other| other.path == artifact).map(|artifact| artifact.text)
    });
    rendered.into_iter().flatten().next()
}

/// A tree in which one file has another text, and which shows only one device if the artifact needs no other.
struct Changed<'a> {
    tree: &'a dyn Tree,
    path: &'a Utf8Path,
    text: &'a str,
    only: Option<&'a str>,
}

impl Tree for Changed<'_> {
    fn list(&self, folder: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        let mut entries = self.tree.list(folder)?;
        if folder == DEVICES {
            entries.retain(|entry| self.only.is_none_or(|only| entry.name == only));
        }
        Ok(entries)
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>, ReadError> {
        if path == self.path { Ok(Some(self.text.as_bytes().to_vec())) } else { self.tree.read(path) }
    }
}
