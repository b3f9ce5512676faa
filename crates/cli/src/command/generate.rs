//! `talosmith generate`

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde_json::{Value, json};
use talosmith_document::Diagnostic;
use talosmith_model::plan::Device;
use talosmith_render::{Secrets, secret_files};

use super::{Context, Exit, count, diffs, open};
use crate::change::{Change, ChangeKind};
use crate::comparison::{absent_devices, foreign};
use crate::console::Channel;
use crate::git::Compared;
use crate::head::{EditedDevice, Head, find_foreign_json};
use crate::inspection::{Inspection, inspect};
use crate::printable;
use crate::rendering::Owner;
use crate::report;
use crate::secrets::{self, FileOutcome, ProcessVariables, RequiredSecret, Resolution, SecretOutcome};
use crate::steps::{Inspected, Purpose};
use crate::tree::WorkTree;
use crate::writer::{Lock, apply, write_secret};

/// Write every file that the model requests
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith generate\n  \
    talosmith generate node-1 --tracked-only --diff")]
pub(crate) struct Arguments {
    /// Devices to generate, by name, folder or cluster, with their clusters' applications; errors of others do not matter [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Fetch no secrets, and write no file that contains one
    #[arg(long, conflicts_with = "require_secrets")]
    tracked_only: bool,
    /// Fail if no source of a secret is available
    #[arg(long)]
    require_secrets: bool,
    /// Only list what would be written
    #[arg(long)]
    dry_run: bool,
    /// Show what changes, as a unified diff; never of a secret
    #[arg(long)]
    diff: bool,
    /// Replace files that talosmith did not generate
    #[arg(long)]
    force: bool,
    /// Remove the generated files of devices whose device.yaml does not exist any more
    #[arg(long)]
    remove_devices: bool,
    /// Exit with 1 if anything changed
    #[arg(long)]
    exit_code: bool,
}

/// What is kept of a device or cluster whose artifacts were rendered.
struct Rendered {
    /// The folders of its files.
    folders: BTreeSet<Utf8PathBuf>,
    /// The device, if its files need secrets.
    device: Option<Arc<Device>>,
    edited: Option<EditedDevice>,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root(&arguments.paths)?;
    let lock = Lock::acquire(&root.path, || context.console.status("waiting for another run of talosmith"))?;
    let tree = WorkTree::new(root.path.clone());
    let (project, selection) = open(&root, &tree, &arguments.paths)?;
    let mut inspection = inspect(project, &selection, Purpose::Compare, keep)?;
    let others = inspection.remove_findings_about_others(&selection);
    find_foreign_json(context.processes, &root.path, &mut inspection.differences.changes);
    if !arguments.force {
        let findings = foreign(&inspection.sources, &inspection.differences);
        inspection.add_findings(findings);
    }
    if !arguments.remove_devices {
        let findings = absent_devices(&inspection.sources, &inspection.differences, &inspection.devices);
        inspection.add_findings(findings);
    }
    let fetches = !arguments.tracked_only && !arguments.dry_run && !inspection.has_errors();
    let required = if fetches { required_secrets(&inspection.kept) } else { Vec::new() };
    if let Some(fleet) = &inspection.fleet {
        let definitions = secrets::definitions(&fleet.fleet);
        let exposed =
            secrets::find_exposed_secrets(&required, &definitions, fleet.source, context.processes, &root.path)?;
        inspection.findings.extend(exposed);
        talosmith_document::merge(&mut inspection.findings);
    }
    if inspection.has_errors() {
        let counted = report::count_line(&inspection.findings);
        let summary = summary(&inspection, 0);
        context.report(Channel::Status, &mut inspection.findings, &mut inspection.sources, summary)?;
        context.console.status(&format!("{counted}; nothing was written"));
        return Ok(Exit::Findings);
    }
    let mut exit = Exit::Success;
    let mut secret_files = Vec::new();
    let edits = hand_edits(context, &root.path, &inspection);
    if !arguments.dry_run {
        write(context, &lock, &inspection)?;
        let (failed, findings) = write_secrets(context, &inspection, &lock, &required, arguments, &mut secret_files)?;
        inspection.findings.extend(findings);
        exit = failed;
    }
    print(context, arguments, &mut inspection, &edits, &secret_files)?;
    if !others.is_empty() {
        let names = others.into_iter().collect::<Vec<_>>().join(", ");
        context.console.status(&format!(
            "not generated, because of errors of their own: {names}; `talosmith validate` lists them"
        ));
    }
    if arguments.exit_code && !(inspection.differences.changes.is_empty() && secret_files.is_empty()) {
        exit = exit.max(Exit::Findings);
    }
    Ok(exit)
}

fn keep(inspected: &Inspected<'_>) -> Option<Rendered> {
    let secrets = inspected.owner.secret_paths();
    let paths = inspected.artifacts?.iter().map(|artifact| &artifact.path).chain(&secrets);
    let folders = paths.filter_map(|path| path.parent()).map(Utf8Path::to_owned).collect();
    let device = match inspected.owner {
        Owner::Device(device) if !device.secrets.is_empty() => Some(Arc::clone(device)),
        _ => None,
    };
    Some(Rendered { folders, device, edited: EditedDevice::keep(inspected) })
}

/// Returns the files that were edited by hand, whose edits are lost.
fn hand_edits(context: &Context<'_>, root: &Utf8Path, inspection: &Inspection<'_, Rendered>) -> BTreeSet<Utf8PathBuf> {
    let devices = inspection.kept.iter().filter_map(|rendered| rendered.edited.as_ref());
    let head = Head::read(context.processes, root, Compared::WorkTree, inspection, devices);
    let changes = inspection.differences.changes.iter();
    let is_lost = |head: &Head, change: &Change| head.is_hand_edit(change) || head.is_changed_orphan(&change.path);
    let edits = changes.filter(|change| head.as_ref().is_some_and(|head| is_lost(head, change)));
    edits.map(|change| change.path.clone()).collect()
}

fn required_secrets(rendered: &[Rendered]) -> Vec<RequiredSecret> {
    let required = rendered.iter().filter_map(|rendered| rendered.device.as_ref()).flat_map(|device| {
        let files = secret_files(device);
        device.secrets.iter().filter_map(move |held| {
            Some(RequiredSecret {
                secret: held.secret.clone(),
                device: device.name.clone(),
                location: held.location.clone(),
                target: files.iter().find(|file| file.key == held.key)?.path.clone(),
                expected: held.expected,
            })
        })
    });
    required.collect()
}

fn write(context: &mut Context<'_>, lock: &Lock, inspection: &Inspection<'_, Rendered>) -> anyhow::Result<()> {
    let differences = &inspection.differences;
    let mut searched: BTreeSet<&Utf8Path> =
        differences.changes.iter().filter_map(|change| change.path.parent()).collect();
    searched.extend(inspection.kept.iter().flat_map(|rendered| &rendered.folders).map(|folder| folder.as_path()));
    let written = apply(lock, &differences.changes, &searched, &differences.within)?;
    for leftover in &written.leftovers {
        context.console.status(&format!("removed {leftover}, which an earlier run left"));
    }
    Ok(())
}

/// Fetches the required secrets and writes their files. Returns the exit code and the findings.
fn write_secrets(
    context: &Context<'_>,
    inspection: &Inspection<'_, Rendered>,
    lock: &Lock,
    required: &[RequiredSecret],
    arguments: &Arguments,
    written: &mut Vec<Utf8PathBuf>,
) -> anyhow::Result<(Exit, Vec<Diagnostic>)> {
    let Some(fleet) = inspection.fleet.as_ref().filter(|_| !required.is_empty()) else {
        return Ok((Exit::Success, Vec::new()));
    };
    let variables = ProcessVariables::load();
    let root = lock.root();
    let sources = secrets::SourceContext { processes: context.processes, variables: &variables, root, can_skip: true };
    let mut resolution = secrets::resolve(required, &secrets::definitions(&fleet.fleet), fleet.source, &sources);
    let current = current_files(inspection, &resolution, lock.root());
    let decided = secrets::decide_files(required, &mut resolution, &current, arguments.require_secrets, lock.root());
    let kept: BTreeSet<&Utf8Path> = required
        .iter()
        .zip(&decided.outcomes)
        .filter(|(_, outcome)| **outcome != FileOutcome::Writable)
        .map(|(required, _)| required.target.as_path())
        .collect();
    for device in inspection.kept.iter().filter_map(|rendered| rendered.device.as_ref()) {
        let artifacts = inspection.renderer.secrets(device, &resolution.secrets);
        // The error of a template contains no value; its text was reported with the tracked file already.
        for artifact in artifacts.map_err(|error| anyhow::anyhow!("{}: {}", device.name, error.message))? {
            if !kept.contains(artifact.path.as_path()) && write_secret(lock, &artifact.path, artifact.expose_bytes())? {
                written.push(artifact.path.clone());
            }
        }
    }
    let exit = if decided.exit_code == 0 { Exit::Success } else { Exit::Failure };
    Ok((exit, decided.findings))
}

/// Returns the files of an earlier run that have the settings of the model, if a secret has no source.
fn current_files(
    inspection: &Inspection<'_, Rendered>,
    resolution: &Resolution,
    root: &Utf8Path,
) -> BTreeSet<Utf8PathBuf> {
    let is_missing = |secret: &str| resolution.outcomes.get(secret) == Some(&SecretOutcome::Unavailable);
    let devices = inspection.kept.iter().filter_map(|rendered| rendered.device.as_ref());
    let devices = devices.filter(|device| device.secrets.iter().any(|held| is_missing(&held.secret)));
    let current = devices.flat_map(|device| {
        let mut placeholders = Secrets::default();
        for held in &device.secrets {
            placeholders.insert(&held.secret, format!("${{{}}}", held.placeholder).into());
        }
        let artifacts = inspection.renderer.secrets(device, &placeholders).unwrap_or_default();
        secrets::current_files(device, &artifacts, root)
    });
    current.collect()
}

fn print(
    context: &mut Context<'_>,
    arguments: &Arguments,
    inspection: &mut Inspection<'_, Rendered>,
    edits: &BTreeSet<Utf8PathBuf>,
    secrets: &[Utf8PathBuf],
) -> anyhow::Result<()> {
    let changes = &inspection.differences.changes;
    if context.is_text() {
        let mut lines = String::new();
        for change in changes {
            let remark = if edits.contains(&change.path) && change.kind == ChangeKind::Removed {
                "  (changed since HEAD: the diff shows what is lost)"
            } else if edits.contains(&change.path) {
                "  (edited since HEAD, and the model was not: the diff shows the edit that is lost)"
            } else if replaces_foreign(change) {
                "  (replaces a file that talosmith did not generate)"
            } else {
                ""
            };
            lines.push_str(&format!("{} {}{remark}\n", letter(change.kind), printable::line(change.path.as_str())));
        }
        for path in secrets {
            lines.push_str(&format!("S {path}  (secret, mode 0600, not tracked)\n"));
        }
        context.console.result(&lines)?;
    }
    if context.is_text() {
        let color = context.console.style(Channel::Result).color;
        let is_lost = |change: &&Change| edits.contains(&change.path) || replaces_foreign(change);
        for change in changes.iter().filter(|change| arguments.diff || is_lost(change)) {
            context.console.result(&change.unified_diff(color))?;
        }
    }
    let mut summary = summary(inspection, secrets.len());
    summary["handEdited"] = diffs(changes.iter().filter(|change| edits.contains(&change.path)));
    if arguments.diff {
        summary["diffs"] = diffs(changes.iter());
    }
    context.report(Channel::Status, &mut inspection.findings, &mut inspection.sources, summary)?;
    let changed = inspection.differences.changes.len() + secrets.len();
    let devices = count(inspection.rendered_devices, "device");
    let files = count(inspection.differences.files(), "file");
    context.console.status(&match (changed, arguments.dry_run) {
        (0, _) => format!("nothing to change: {devices}, {files}"),
        (_, true) => format!("{} to write: {devices}, {files}", count(changed, "file")),
        (_, false) => format!("{} written: {devices}, {files}", count(changed, "file")),
    });
    Ok(())
}

fn replaces_foreign(change: &Change) -> bool {
    change.kind == ChangeKind::Changed && change.is_foreign()
}

const fn letter(kind: ChangeKind) -> char {
    match kind {
        ChangeKind::Added => 'A',
        ChangeKind::Changed => 'M',
        ChangeKind::Removed => 'D',
    }
}

fn summary(inspection: &Inspection<'_, Rendered>, secrets: usize) -> Value {
    let differences = &inspection.differences;
    let paths = |kind: ChangeKind| -> Vec<&str> {
        differences.changes.iter().filter(|change| change.kind == kind).map(|change| change.path.as_str()).collect()
    };
    json!({
        "files": differences.files(),
        "added": paths(ChangeKind::Added),
        "changed": paths(ChangeKind::Changed),
        "removed": paths(ChangeKind::Removed),
        "secretFiles": secrets,
        "handEdited": [],
    })
}
