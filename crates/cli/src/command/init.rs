//! `talosmith init`

use std::collections::BTreeSet;

use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Map, json};
use talosmith_document::TalosVersion;
use talosmith_machinery::Role;
use talosmith_model::Schema;
use talosmith_model::layout::{FLEET_FILE, device_file};

use super::{Context, Exit, disks};
use crate::change::Change;
use crate::console::Channel;
use crate::existing_fleet::{ExistingCluster, ExistingFleet};
use crate::inspection::inspect;
use crate::printable::shell_quote;
use crate::project::Project;
use crate::selection::Selection;
use crate::starter::{self, HOOK, NewDevice, TALOS};
use crate::steps::Purpose;
use crate::tree::{MemoryTree, Overlay, Root, Tree, WorkTree, exists, misnamed_fleet_file, resolve_links};
use crate::writer::{Lock, apply};

/// Begin a repository with one device, or add a device to one
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith init node-1 --address 192.168.1.10\n  \
    talosctl get disks --insecure --nodes 192.168.1.11 -o yaml | talosmith init node-2 --address 192.168.1.11 --disks -")]
pub(crate) struct Arguments {
    /// The name of the device [default in a new repository: node-1]
    #[arg(value_name = "NAME", value_parser = name)]
    device: Option<String>,
    /// The device's cluster [default: the only one, or home in a new repository]
    #[arg(long, value_parser = name)]
    cluster: Option<String>,
    /// The version of Talos [default: that of the cluster, or the newest known one in a new repository]
    #[arg(long, value_name = "VERSION")]
    talos_version: Option<TalosVersion>,
    /// The version of Kubernetes in the command that makes the base configs, which talosmith.yaml mentions
    #[arg(long, value_name = "VERSION", value_parser = name)]
    kubernetes_version: Option<String>,
    /// The IP address at which talosctl reaches the node
    #[arg(long, value_parser = name)]
    address: Option<String>,
    /// The role [default: controlplane for the first device of a cluster, then worker]
    #[arg(long, value_parser = PossibleValuesParser::new(["controlplane", "worker"]))]
    role: Option<String>,
    /// The output of `talosctl get disks -o yaml` on the node; `-` is standard input
    #[arg(long, value_name = "FILE")]
    disks: Option<Utf8PathBuf>,
}

/// Parses a word of letters, digits and a few signs, which is valid in every file that it is written to.
pub(super) fn name(text: &str) -> Result<String, String> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    let is_name = text.chars().all(is_good) && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':');
    if is_name { Ok(text.to_owned()) } else { Err("it has letters, digits, `.`, `_`, `:` and `-`".to_owned()) }
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    context.refuse_json("init")?;
    let start = context.global.directory.clone().unwrap_or_else(|| Utf8PathBuf::from("."));
    let folder = resolve_links(&start).with_context(|| format!("cannot open the folder {start}"))?;
    let root = Root::find(&start)?.map(|root| root.path);
    if let Some(path) = misnamed_fleet_file(&start).filter(|_| root.is_none()) {
        bail!("`{path}` is not read: `mv {path} {}`", path.with_file_name(FLEET_FILE));
    }
    let is_new = root.is_none();
    let root = root.unwrap_or(folder);
    let block = match &arguments.disks {
        None => None,
        Some(file) => match disks::read_disks(context, file)? {
            Some(disks) => Some(disks.block()),
            None => return Ok(Exit::Findings),
        },
    };
    let lock = Lock::acquire(&root, || context.console.status("waiting for another run of talosmith"))?;
    let tree = WorkTree::new(root.clone());
    let existing = if is_new { None } else { Some(ExistingFleet::read(&tree)?) };
    let cluster = existing.as_ref().map(|fleet| fleet.cluster_of_device(arguments.cluster.as_deref())).transpose()?;
    let device = match (&arguments.device, is_new) {
        (Some(device), _) => device.clone(),
        (None, true) => "node-1".to_owned(),
        (None, false) => bail!("name the new device, as in `talosmith init node-2`"),
    };
    let path = device_file(&device);
    ensure!(tree.read(&path)?.is_none(), "{path} exists, and nothing is overwritten: name another device");
    let text = device_text(&device, arguments, existing.as_ref().zip(cluster), block.as_deref());
    let repository = Repository::of(&root);
    let mut texts = vec![(path, text)];
    if is_new {
        let default = TALOS.parse().context("the default version")?;
        let talos = arguments.talos_version.as_ref().unwrap_or(&default);
        let fleet = starter::fleet(cluster_name(arguments), talos, arguments.kubernetes_version.as_deref());
        texts.push((FLEET_FILE.into(), fleet));
    }
    let files = with_missing(&tree, &repository, texts, &[])?;
    if !is_valid(context, &tree, &files, &device)? {
        context.console.status("nothing was written");
        return Ok(Exit::Findings);
    }
    let changes: Vec<Change> = files.iter().map(|(path, old, new)| change(path, old, new)).collect();
    apply(&lock, &changes, &BTreeSet::new(), &[])?;
    context.console.result(&listing(&files))?;
    if let Some(hook) = missing_hook(&tree, &repository, &files)? {
        context.console.result(&hook)?;
    }
    context.console.result(&next(&repository, "talosmith generate", &format!("Add {device}"), is_new))?;
    Ok(Exit::Success)
}

/// A file to write: its path, its old text and its new one.
pub(super) type NewFile = (Utf8PathBuf, Option<String>, String);

pub(super) fn change(path: &Utf8Path, old: &Option<String>, new: &str) -> Change {
    Change::new(path.to_owned(), old.clone().map(String::into_bytes), Some(new.as_bytes().to_vec()))
}

/// Returns the device.yaml of the new device.
fn device_text(
    device: &str,
    arguments: &Arguments,
    existing: Option<(&ExistingFleet, &ExistingCluster)>,
    disks: Option<&str>,
) -> String {
    let role = match (arguments.role.as_deref(), existing) {
        (Some("worker"), _) => Role::Worker,
        (None, Some((fleet, cluster))) if fleet.has_control_plane(&cluster.name) => Role::Worker,
        _ => Role::ControlPlane,
    };
    // Addresses for documentation: RFC 5737.
    let mut free = (11..255).map(|number| format!("192.0.2.{number}"));
    let used = existing.map(|(fleet, _)| fleet.addresses()).unwrap_or_default();
    let free = free.find(|address| !used.contains(address));
    let layers = existing.into_iter().map(|(_, cluster)| cluster.layer_keys(role));
    let of_layers: Vec<&str> = layers.flat_map(Map::keys).map(String::as_str).collect();
    let talos = arguments.talos_version.as_ref();
    starter::device(&NewDevice {
        name: device,
        cluster: existing.map_or(cluster_name(arguments), |(_, cluster)| &cluster.name),
        role,
        address: arguments.address.as_deref(),
        free_address: free.as_deref().unwrap_or_default(),
        talos: talos.filter(|version| existing.is_some_and(|(_, cluster)| cluster.talos != **version)),
        disks,
        of_layers: &of_layers,
    })
}

fn cluster_name(arguments: &Arguments) -> &str {
    arguments.cluster.as_deref().unwrap_or("home")
}

/// The repository of git that contains a root.
pub(super) struct Repository {
    /// The folder of talosmith.yaml below the repository's; empty if they are the same.
    below: Utf8PathBuf,
    is_there: bool,
}

impl Repository {
    pub(super) fn of(root: &Utf8Path) -> Self {
        let git = root.ancestors().find(|folder| exists(&folder.join(".git")));
        let below = git.and_then(|git| root.strip_prefix(git).ok()).unwrap_or(Utf8Path::new("")).to_owned();
        Self { below, is_there: git.is_some() }
    }
}

/// Returns the files to write: these, and those that every repository needs and this one lacks. `secret_files` are not to be tracked.
pub(super) fn with_missing(
    tree: &dyn Tree,
    repository: &Repository,
    files: Vec<(Utf8PathBuf, String)>,
    secret_files: &[String],
) -> anyhow::Result<Vec<NewFile>> {
    let mut files: Vec<NewFile> = files.into_iter().map(|(path, text)| (path, None, text)).collect();
    let mut texts = vec![
        ("schemas/device.schema.json", Schema::Device.published().to_owned()),
        ("schemas/fleet.schema.json", Schema::Fleet.published().to_owned()),
    ];
    if repository.below.as_str().is_empty() {
        texts.push((".pre-commit-config.yaml", format!("repos:\n{HOOK}")));
    }
    for (path, text) in texts {
        let path = Utf8PathBuf::from(path);
        if tree.read(&path)?.is_none() {
            files.push((path, None, text));
        }
    }
    let path = Utf8PathBuf::from(".gitignore");
    let old = tree.read(&path)?.map(String::from_utf8).transpose().context(".gitignore is not UTF-8")?;
    if let Some(text) = starter::gitignore(old.as_deref().unwrap_or_default(), secret_files) {
        files.push((path, old, text));
    }
    files.sort();
    Ok(files)
}

/// Whether the new device is valid in its repository; what is wrong is reported.
fn is_valid(context: &mut Context<'_>, tree: &WorkTree, files: &[NewFile], device: &str) -> anyhow::Result<bool> {
    let above: MemoryTree = files.iter().map(|(path, _, text)| (path.as_str(), text.as_str())).collect();
    let overlay = Overlay::new(tree, above);
    let project = Project::open(&overlay)?;
    let selection = Selection::Devices([device.to_owned()].into());
    let mut inspection = inspect(project, &selection, Purpose::Validate, |_| None::<()>)?;
    inspection.remove_findings_about_others(&selection);
    let is_valid = !inspection.has_errors();
    context.report(Channel::Status, &mut inspection.findings, &mut inspection.sources, json!({}))?;
    Ok(is_valid)
}

/// Lists what was written, and what only a person can know.
pub(super) fn listing(files: &[NewFile]) -> String {
    let mut text = String::new();
    for (path, old, _) in files {
        text.push_str(&format!("{} {path}\n", if old.is_some() { "M" } else { "A" }));
    }
    let placeholders = files.iter().flat_map(|(path, old, new)| {
        let is_old = |line: usize| {
            let text = new.lines().nth(line - 1);
            old.as_deref().is_some_and(|old| old.lines().any(|other| Some(other) == text))
        };
        let new = starter::placeholders(new).filter(move |(line, _)| !is_old(*line));
        new.map(move |(line, what)| format!("  {path}:{line}: {what}\n"))
    });
    let placeholders: String = placeholders.collect();
    if !placeholders.is_empty() {
        text.push_str(&format!("replace the placeholders:\n{placeholders}"));
    }
    text
}

/// Returns the hook to add by hand, if the repository has hooks already or is that of a folder above.
pub(super) fn missing_hook(
    tree: &dyn Tree,
    repository: &Repository,
    files: &[NewFile],
) -> anyhow::Result<Option<String>> {
    let hooks = ".pre-commit-config.yaml";
    let is_written = files.iter().any(|(path, ..)| path == hooks);
    let text = tree.read(Utf8Path::new(hooks))?.unwrap_or_default();
    if is_written || String::from_utf8_lossy(&text).contains("talosmith") {
        return Ok(None);
    }
    let hook = match repository.below.as_str() {
        "" => HOOK.to_owned(),
        below => HOOK.replace("entry: talosmith", &format!("entry: talosmith -C {}", shell_quote(below))),
    };
    Ok(Some(format!("add the hook to {hooks} of the repository, under `repos`:\n{hook}")))
}

/// Returns the next commands, of which the first one generates the files.
pub(super) fn next(repository: &Repository, generate: &str, message: &str, is_new: bool) -> String {
    let hook = match (is_new, repository.is_there) {
        (false, _) => "",
        (true, true) => "  pre-commit install\n",
        (true, false) => "  git init && pre-commit install\n",
    };
    format!("next:\n  {generate}\n{hook}  git add --all && git commit --message \"{message}\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word() {
        for good in ["node-1", "192.0.2.1", "::1", "fd00::1"] {
            assert_eq!(name(good), Ok(good.to_owned()));
        }
        for bad in ["", "..", "a/b", "a b", "-x", "a: b", "a\n"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
