//! Which line of the model a generated line comes from.
//!
//! Each scalar of the model is changed a little, the artifact is rendered again, and if the line changes, the scalar made it. That
//! is exact for hashes and sums too, and nothing has to be kept in the books.

use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::{Document, Node, NodeValue, SourceId, Style, line_column};

use crate::project::{FLEET_FILE, Project};
use crate::rendering::render;
use crate::selection::Selection;
use crate::tree::{Entry, ReadError, Tree};

/// The path, the line (from 1) and the text of the scalar that makes line `line` (from 0) of the artifact at `path`.
#[must_use]
pub fn origin(
    tree: &dyn Tree,
    project: &Project,
    path: &Utf8Path,
    text: &str,
    line: usize,
) -> Option<(Utf8PathBuf, usize, String)> {
    let wanted = text.lines().nth(line)?;
    let device = path.strip_prefix("devices").ok().and_then(|path| path.iter().next());
    let own = device.map(|name| Utf8Path::new("devices").join(name).join("device.yaml"));
    let models = own.into_iter().chain([Utf8PathBuf::from(FLEET_FILE)]);
    let mut near: Option<(Utf8PathBuf, usize, String)> = None;
    for model in models.chain(others(project, device)) {
        let Ok(Some(bytes)) = tree.read(&model) else { continue };
        let Ok(model_text) = String::from_utf8(bytes) else { continue };
        for (span, style) in scalars(&model_text) {
            for mutant in mutants(&model_text[span.clone()], style) {
                let mutated = format!("{}{mutant}{}", &model_text[..span.start], &model_text[span.end..]);
                let Some(rendered) = render_with(tree, &model, &mutated, path) else { continue };
                if rendered.lines().nth(line) != Some(wanted) {
                    let (at, _) = line_column(&model_text, span.start);
                    let shown = model_text.lines().nth(at - 1).unwrap_or_default().to_owned();
                    let hit = (model.clone(), at, shown);
                    // A scalar that only moves the line, such as one of a list before it, is no origin if another one writes it.
                    if rendered.lines().count() == text.lines().count() {
                        return Some(hit);
                    }
                    near.get_or_insert(hit);
                }
                // The model took this mutant, so others say nothing new.
                break;
            }
        }
    }
    near
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
    let mut sources = talosmith_model::Sources::default();
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

/// The text of one artifact, rendered from a model in which one file is another.
fn render_with(tree: &dyn Tree, path: &Utf8Path, text: &str, artifact: &Utf8Path) -> Option<String> {
    let changed = Changed { tree, path, text };
    let mut project = Project::load(&changed).ok()?;
    let owners = render(&mut project, &Selection::Everything);
    owners
        .into_iter()
        .flat_map(|owner| owner.artifacts)
        .find(|other| other.path == artifact)
        .map(|artifact| artifact.text)
}

/// A tree in which one file has another text.
struct Changed<'a> {
    tree: &'a dyn Tree,
    path: &'a Utf8Path,
    text: &'a str,
}

impl Tree for Changed<'_> {
    fn list(&self, folder: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        self.tree.list(folder)
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>, ReadError> {
        if path == self.path { Ok(Some(self.text.as_bytes().to_vec())) } else { self.tree.read(path) }
    }
}
