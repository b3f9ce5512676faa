//! Why a file differs from what would be generated: the model changed, or somebody edited the file.

use std::collections::{BTreeMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location};
use talosmith_render::Proof;

use crate::change::{Change, ChangeKind};
use crate::diff;
use crate::differences::Differences;
use crate::git::Git;
use crate::probe;
use crate::process::Processes;
use crate::project::Project;
use crate::rendering::render_with;
use crate::selection::Selection;
use crate::tree::{GitTree, Tree};

/// The state of HEAD, as far as it is needed: what its model renders to, and what it holds.
pub struct Head {
    rendered: BTreeMap<Utf8PathBuf, String>,
    held: BTreeMap<Utf8PathBuf, Option<Vec<u8>>>,
}

impl Head {
    /// Reads HEAD for the paths that differ; none if there is no usable one.
    #[must_use]
    pub fn read(processes: &dyn Processes, root: &Utf8Path, differences: &Differences) -> Option<Self> {
        let git = Git::open(processes, root).ok()?;
        let tree = GitTree::revision(&git, "HEAD").ok()?;
        let mut project = Project::load(&tree).ok()?;
        if project.has_errors() {
            return None;
        }
        let wanted: HashSet<&Utf8Path> = differences.real().map(|change| change.path.as_path()).collect();
        let rendered = render_with(&mut project, &Selection::Everything, Proof::Skipped, |owner| {
            let artifacts = owner.artifacts.into_iter().filter(|artifact| wanted.contains(artifact.path.as_path()));
            artifacts.map(|artifact| (artifact.path, artifact.text)).collect::<Vec<_>>()
        });
        if project.has_errors() {
            return None;
        }
        let rendered = rendered.into_iter().flatten().collect();
        let held =
            differences.real().map(|change| (change.path.clone(), tree.read(&change.path).ok().flatten())).collect();
        Some(Self { rendered, held })
    }
}

/// A finding for each file that differs.
pub fn judge(
    project: &mut Project,
    differences: &Differences,
    head: Option<&Head>,
    tree: &dyn Tree,
) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for change in differences.real() {
        let argument = differences.arguments.get(&change.path).map_or("", String::as_str);
        let command = format!("talosmith generate {argument}").trim_end().to_owned();
        let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let (old, new) = (text(&change.old), text(&change.new));
        let source = project.sources.add(change.path.clone(), old.clone().unwrap_or_default());
        let file = Location::file(source);
        findings.push(match (change.kind, old, new) {
            (ChangeKind::Added, _, _) => {
                Diagnostic::new(Code::Missing, format!("`{}` is not there", change.path), file)
                    .note("the model asks for it")
                    .help(format!("`{command}`"))
            }
            (ChangeKind::Removed, _, _) => {
                Diagnostic::new(Code::Orphan, format!("nothing asks for `{}` any more", change.path), file)
                    .note("its first line says that talosmith made it")
                    .help(format!("`{command}`\nremoves it"))
            }
            (_, Some(_), Some(new)) if change.is_foreign() => {
                Diagnostic::new(Code::ForeignFile, format!("talosmith did not make `{}`", change.path), file)
                    .note("it lacks the first line that every generated file has")
                    .figure(diff::excerpt(&String::from_utf8_lossy(change.old.as_deref().unwrap_or_default()), &new))
                    .help(format!("to replace it:  `{command} --force`"))
            }
            (_, Some(old), Some(new)) => changed(project, change, &old, &new, head, tree, source, &command),
            _ => continue,
        });
    }
    findings
}

#[expect(clippy::too_many_arguments, reason = "one caller; a struct for them would be read once")]
fn changed(
    project: &Project,
    change: &Change,
    old: &str,
    new: &str,
    head: Option<&Head>,
    tree: &dyn Tree,
    source: talosmith_document::SourceId,
    command: &str,
) -> Diagnostic {
    let rendered_then = head.and_then(|head| head.rendered.get(&change.path));
    let held_then = head.and_then(|head| head.held.get(&change.path)).and_then(Option::as_deref);
    let model_is_the_same = rendered_then.is_some_and(|then| then == new);
    let excerpt = diff::excerpt(old, new);
    if model_is_the_same && held_then != Some(old.as_bytes()) {
        let line = first_difference(old, new);
        let finding = Diagnostic::new(
            Code::HandEdited,
            format!("`{}` differs from what the model generates", change.path),
            Location::bytes(source, line_range(old, line)),
        )
        .figure(excerpt)
        .note("the model did not change since HEAD, so the edit was made here");
        let edited = old.lines().nth(line).unwrap_or_default();
        return match probe::origin(tree, project, &change.path, new, line, edited) {
            Some(origin) => finding
                .note(format!("{}:{} makes this line:  `{}`", origin.path, origin.line, origin.text))
                .help(format!("to keep the edit, make it at {}:{} and run\n{command}", origin.path, origin.line))
                .help(format!("to drop it:  `{command}`")),
            None => finding.help(format!("to keep the edit, make it in the model; to drop it:  `{command}`")),
        };
    }
    let finding =
        Diagnostic::new(Code::Stale, format!("`{}` is older than the model", change.path), Location::file(source))
            .figure(excerpt)
            .help(format!("`{command}`"));
    if model_is_the_same {
        return finding.note("neither the model nor the file changed since HEAD: they were committed so, or another version of talosmith made the file");
    }
    finding
}

/// The index of the first line that differs.
fn first_difference(old: &str, new: &str) -> usize {
    old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count()
}

fn line_range(text: &str, line: usize) -> std::ops::Range<usize> {
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let length = text[start.min(text.len())..].lines().next().map_or(0, str::len);
    let indent = text[start.min(text.len())..].chars().take_while(|c| *c == ' ').count().min(length);
    start + indent..start + length
}
