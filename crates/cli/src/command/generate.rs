//! `talosmith generate`

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde_json::{Value, json};
use talosmith_document::Diagnostic;
use talosmith_render::secret_files;

use super::diff::unified;
use super::{Context, Exit, count, exit_of};
use crate::change::ChangeKind;
use crate::comparison::{Tally, foreign};
use crate::console::Channel;
use crate::differences::Differences;
use crate::inspection::{Inspection, Keep, inspect};
use crate::project::Project;
use crate::rendering::paths;
use crate::report;
use crate::secrets::{self, Definitions, FileOutcome, ProcessVariables, RequiredSecret};
use crate::tree::WorkTree;
use crate::writer::{Lock, apply, write_secret};

/// Write every file that the model asks for
#[derive(Debug, Args)]
pub struct Arguments {
    /// Devices to generate, by name or folder, with their clusters; all are validated [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Do not look for secrets, and write no file that holds one
    #[arg(long, conflicts_with = "require_secrets")]
    tracked_only: bool,
    /// Fail if a secret has no source here
    #[arg(long)]
    require_secrets: bool,
    /// Only list what would be written
    #[arg(long)]
    dry_run: bool,
    /// Show what changes, as a unified diff; never of a secret
    #[arg(long)]
    diff: bool,
    /// Replace files that talosmith did not make
    #[arg(long)]
    force: bool,
    /// Exit with 1 if anything changed
    #[arg(long)]
    exit_code: bool,
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read or written, or the output is closed.
pub fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root()?;
    let lock = Lock::acquire(&root.path, || context.console.status("waiting for another run of talosmith"))?;
    let tree = WorkTree::new(root.path.clone());
    let Inspection { mut project, selection, owners, differences } =
        inspect(&tree, &arguments.paths, &root.below, Keep::All)?;
    if !arguments.force {
        let findings = foreign(&mut project.sources, &differences);
        project.findings.extend(findings);
    }
    let fetches = !arguments.tracked_only && !arguments.dry_run && !project.has_errors();
    let required = if fetches { required_secrets(&project, &owners) } else { Vec::new() };
    let definitions: Definitions<'_> = match &project.fleet {
        Some(file) => file.fleet.secrets.iter().map(|(name, sources)| (name.as_str(), sources.as_slice())).collect(),
        None => Definitions::new(),
    };
    let mut unsafe_targets = Vec::new();
    if let Some(fleet) = &project.fleet {
        unsafe_targets =
            secrets::find_exposed_secrets(&required, &definitions, fleet.source, context.processes, &root.path)?;
    }
    let mut findings = std::mem::take(&mut project.findings);
    findings.extend(unsafe_targets);
    talosmith_document::merge(&mut findings);
    if exit_of(&findings) == Exit::Findings {
        let counted = report::count_line(&findings);
        context.report(Channel::Status, &mut findings, &project.sources, summary(&differences, 0))?;
        context.console.status(&format!("{counted}; nothing was written"));
        return Ok(Exit::Findings);
    }
    let mut exit = Exit::Success;
    let mut secret_files = Vec::new();
    if !arguments.dry_run {
        let paths = paths(&project, &selection);
        let searched = paths.iter().chain(differences.changes.iter().map(|change| &change.path));
        let searched: BTreeSet<&Utf8Path> = searched.filter_map(|path| path.parent()).collect();
        let written = apply(&lock, &differences.changes, &searched, &differences.within)?;
        for leftover in &written.leftovers {
            context.console.detail(&format!("removed {leftover}, which an earlier run left"));
        }
        let (failed, wrong) =
            write_secrets(context, &project, &lock, &required, &definitions, arguments, &mut secret_files)?;
        findings.extend(wrong);
        exit = exit.max(failed);
    }
    if context.is_text() {
        list(context, &differences, &secret_files)?;
    }
    if arguments.diff && context.is_text() {
        let color = context.console.style(Channel::Result).color;
        for change in differences.real() {
            context.console.result(&unified(change, color))?;
        }
    }
    context.report(Channel::Status, &mut findings, &project.sources, summary(&differences, secret_files.len()))?;
    let changed = differences.real().count() + secret_files.len();
    conclude(context, &owners, &differences, changed, arguments.dry_run);
    if arguments.exit_code && changed > 0 {
        exit = exit.max(Exit::Findings);
    }
    Ok(exit)
}

/// The secrets that the owners' files need.
fn required_secrets(project: &Project, owners: &[Tally]) -> Vec<RequiredSecret> {
    let owners: BTreeSet<&str> =
        owners.iter().filter(|owner| owner.is_device).map(|owner| owner.name.as_str()).collect();
    let devices = project.plan.devices.iter().filter(|device| owners.contains(device.name.as_str()));
    let required = devices.flat_map(|device| {
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

/// Fetches the required secrets and writes their files. Returns the exit code and the findings.
fn write_secrets(
    context: &Context<'_>,
    project: &Project,
    lock: &Lock,
    required: &[RequiredSecret],
    definitions: &Definitions<'_>,
    arguments: &Arguments,
    written: &mut Vec<(Utf8PathBuf, ChangeKind)>,
) -> anyhow::Result<(Exit, Vec<Diagnostic>)> {
    let Some(fleet) = project.fleet.as_ref().filter(|_| !required.is_empty()) else {
        return Ok((Exit::Success, Vec::new()));
    };
    let variables = ProcessVariables::load();
    let sources = secrets::SourceContext { processes: context.processes, variables: &variables, root: lock.root() };
    let mut resolution = secrets::resolve(required, definitions, fleet.source, &sources);
    let decided = secrets::decide_files(required, &mut resolution, arguments.require_secrets, lock.root());
    let kept: BTreeSet<&Utf8Path> = required
        .iter()
        .zip(&decided.outcomes)
        .filter(|(_, outcome)| **outcome != FileOutcome::Writable)
        .map(|(required, _)| required.target.as_path())
        .collect();
    let mut devices: Vec<&str> = required.iter().map(|required| required.device.as_str()).collect();
    devices.dedup();
    for name in devices {
        let Some(device) = project.plan.devices.iter().find(|device| device.name == name) else { continue };
        let artifacts = project.renderer.secrets(device, &resolution.secrets);
        // The fault of a template holds no value; its text has been reported with the tracked file already.
        for artifact in artifacts.map_err(|fault| anyhow::anyhow!("{name}: {}", fault.message))? {
            if kept.contains(artifact.path.as_path()) {
                continue;
            }
            let kind = write_secret(lock, &artifact.path, artifact.expose_bytes())?;
            if kind != ChangeKind::Same {
                written.push((artifact.path.clone(), kind));
            }
        }
    }
    let exit = if decided.exit_code == 0 { Exit::Success } else { Exit::Failure };
    Ok((exit, decided.findings))
}

/// Lists the changes, a line each.
fn list(
    context: &mut Context<'_>,
    differences: &Differences,
    secrets: &[(Utf8PathBuf, ChangeKind)],
) -> anyhow::Result<()> {
    let mut lines = String::new();
    for change in differences.real() {
        lines.push_str(&format!("{} {}\n", letter(change.kind), change.path));
    }
    for (path, _) in secrets {
        lines.push_str(&format!("S {path}  (secret, mode 0600, not tracked)\n"));
    }
    context.console.result(&lines)?;
    Ok(())
}

const fn letter(kind: ChangeKind) -> char {
    match kind {
        ChangeKind::Added => 'A',
        ChangeKind::Changed => 'M',
        ChangeKind::Removed => 'D',
        ChangeKind::Same => ' ',
    }
}

fn conclude(context: &mut Context<'_>, owners: &[Tally], differences: &Differences, changed: usize, dry_run: bool) {
    let devices = count(owners.iter().filter(|owner| owner.is_device).count(), "device");
    let files = count(differences.files(), "file");
    context.console.status(&match (changed, dry_run) {
        (0, _) => format!("nothing to change: {devices}, {files}"),
        (_, true) => format!("{} to write: {devices}, {files}", count(changed, "file")),
        (_, false) => format!("{} written: {devices}, {files}", count(changed, "file")),
    });
}

fn summary(differences: &Differences, secrets: usize) -> serde_json::Map<String, Value> {
    let of = |kind: ChangeKind| -> Vec<&str> {
        differences.changes.iter().filter(|change| change.kind == kind).map(|change| change.path.as_str()).collect()
    };
    let summary = json!({
        "files": differences.files(),
        "added": of(ChangeKind::Added),
        "changed": of(ChangeKind::Changed),
        "removed": of(ChangeKind::Removed),
        "secretFiles": secrets,
    });
    summary.as_object().cloned().unwrap_or_default()
}
