//! `talosmith import`

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde_json::json;
use talosmith_document::TalosVersion;
use talosmith_machinery::talos_data::Minor;
use talosmith_machinery::{Role, SEVERAL_DOCUMENTS_SINCE};
use talosmith_model::layout::{FLEET_FILE, device_file};

use super::init::{self, NewFile, Repository, listing, missing_hook, name, with_missing};
use super::{Context, Exit, disks};
use crate::change::{Change, is_generated};
use crate::console::Channel;
use crate::existing_fleet::ExistingFleet;
use crate::import::{
    FileScope, FleetFacts, Folder, FoundFiles, ImportProof, ImportedFleet, Inherited, KnownDisks, Masked, Rejected,
    Roles, check_amount, convert, has_documents, has_json_patches, installed_version, prove, read_folders, reduce,
    summary,
};
use crate::source_cache::SourceCache;
use crate::starter::TALOS;
use crate::tree::{MemoryTree, Overlay, Root, Tree, WorkTree, resolve_links};
use crate::writer::{Lock, apply};

/// Make a model of the files that configure your nodes today, and prove that it is equivalent
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith import devices argocd --dry-run\n  \
    talosmith import all=patches/common controlplane=patches/cp node-1=patches/node-1 node-2=patches/node-2\n\n\
    Nothing is overwritten, and no imported file is changed. In a repository with talosmith.yaml, devices are added.")]
pub(crate) struct Arguments {
    /// Folders and files, in the order in which they are applied: patches of the machine config, schematics and Kubernetes objects; whole
    /// machine configs; or talconfig.yaml of talhelper. SCOPE is `all`, `controlplane`, `worker`, or a device; the default is the scope that the
    /// names of the folders specify
    #[arg(value_name = "[SCOPE=]PATH", required = true)]
    paths: Vec<Utf8PathBuf>,
    #[command(flatten)]
    nodes: NodeOptions,
}

/// Facts that the files may not contain.
#[derive(Debug, Args)]
struct NodeOptions {
    /// The name of the cluster [default: the one in the files, or home]
    #[arg(long, value_parser = name)]
    cluster: Option<String>,
    /// The version of Talos that the nodes run [default: the one in the files, or the newest one that talosmith supports]
    #[arg(long, value_name = "VERSION")]
    talos_version: Option<TalosVersion>,
    /// The version of the talosctl that generated the base configs [default: the one that fits the files best]
    #[arg(long, value_name = "VERSION")]
    base_config: Option<TalosVersion>,
    /// The role of a device: `node-1=worker`
    #[arg(long = "role", value_name = "DEVICE=ROLE", value_parser = role)]
    roles: Vec<(String, Role)>,
    /// The IP address at which talosctl reaches a device: `node-1=192.168.1.10`
    #[arg(long = "address", value_name = "DEVICE=ADDRESS", value_parser = pair)]
    addresses: Vec<(String, String)>,
    /// The output of `talosctl get disks -o yaml` on a device: `node-1=disks.yaml`
    #[arg(long = "disks", value_name = "DEVICE=FILE", value_parser = pair)]
    disks: Vec<(String, String)>,
    /// Only print the files that would be written, and the proof
    #[arg(long)]
    dry_run: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (device, value) = text.split_once('=').ok_or("write a device and its value, as in `node-1=…`")?;
    Ok((device.to_owned(), value.to_owned()))
}

fn role(text: &str) -> Result<(String, Role), String> {
    match pair(text)? {
        (device, role) if role == "controlplane" => Ok((device, Role::ControlPlane)),
        (device, role) if role == "worker" => Ok((device, Role::Worker)),
        _ => Err("the role is `controlplane` or `worker`".to_owned()),
    }
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    context.refuse_json("import")?;
    let start = context.global.directory.clone().unwrap_or_else(|| Utf8PathBuf::from("."));
    let folder = resolve_links(&start).with_context(|| format!("cannot open the folder {start}"))?;
    let root = Root::find(&start)?.map(|root| root.path);
    let is_new = root.is_none();
    let root = root.unwrap_or_else(|| folder.clone());
    let below = folder.strip_prefix(&root).unwrap_or(Utf8Path::new(""));
    let tree = WorkTree::new(root.clone());
    let existing = if is_new { None } else { Some(ExistingFleet::read(&tree)?) };
    let cache = SourceCache::new(&tree);
    let paths = arguments.paths.iter().map(|path| scoped_path(&tree, below, path));
    let mut found = read_folders(&tree, &cache, &paths.collect::<anyhow::Result<Vec<_>>>()?)?;
    if !found.findings.is_empty() {
        let mut findings = std::mem::take(&mut found.findings);
        let mut cache = cache;
        context.report(Channel::Status, &mut findings, &mut cache, json!({}))?;
        context.console.status("nothing was written");
        return Ok(Exit::Findings);
    }
    check_amount(&found)?;
    let Some(disks) = known_disks(context, &arguments.nodes)? else { return Ok(Exit::Findings) };
    let mut masked = Masked::default();
    let mut facts = facts(&arguments.nodes, &mut found, existing, &mut masked)?;
    facts.disks = disks;
    if let Some(cluster) = facts.known_cluster() {
        facts.inherited = Inherited::read(&tree, cluster)?;
    }
    let repository = Repository::of(&root);
    let import = Import { tree: &tree, repository, facts, found, masked, dry_run: arguments.nodes.dry_run };
    import.run(context, &root)
}

/// An import, with everything that it reads.
struct Import<'a> {
    tree: &'a WorkTree,
    repository: Repository,
    facts: FleetFacts,
    found: FoundFiles,
    masked: Masked,
    dry_run: bool,
}

/// Parses an argument `[SCOPE=]PATH`, whose path is relative to a folder of the repository.
fn scoped_path(tree: &WorkTree, below: &Utf8Path, argument: &Utf8Path) -> anyhow::Result<Folder> {
    let (scope, path) = match argument.as_str().split_once('=') {
        Some((scope, path)) => (Some(FileScope::parse(scope)), Utf8PathBuf::from(path)),
        None => (None, argument.to_owned()),
    };
    let path: Utf8PathBuf = below.join(path).components().filter(|part| part.as_str() != ".").collect();
    let is_there = !tree.list(&path)?.is_empty() || matches!(tree.read(&path), Ok(Some(_)));
    ensure!(is_there, "there is no file in {argument}: name a folder or a file below the folder of the new repository");
    Ok(Folder { scope, path })
}

/// Reads the disks of nodes; returns none if a file has errors, which are reported.
fn known_disks(context: &mut Context<'_>, nodes: &NodeOptions) -> anyhow::Result<Option<KnownDisks>> {
    let mut known = KnownDisks::new();
    for (device, file) in &nodes.disks {
        match disks::read_disks(context, &file.into())? {
            Some(disks) => drop(known.insert(device.clone(), disks)),
            None => return Ok(None),
        }
    }
    Ok(Some(known))
}

/// Facts in whole machine configs.
struct WholeConfigs {
    roles: BTreeMap<String, Role>,
    cluster: Option<String>,
    /// The minor version of the talosctl that generated the base config.
    base: Option<Minor>,
}

/// Replaces the secrets in the files, and reduces whole machine configs to the values that their base configs do not have.
fn reduce_whole(
    found: &mut FoundFiles,
    base: Option<Minor>,
    talos: &TalosVersion,
    masked: &mut Masked,
) -> anyhow::Result<WholeConfigs> {
    let mut configs = WholeConfigs { roles: BTreeMap::new(), cluster: None, base };
    for source in &mut found.sources {
        masked.mask(source, talos)?;
        let Some(whole) = reduce(source, base, talos.minor()) else { continue };
        configs.base.get_or_insert(whole.base);
        configs.roles.insert(whole.device, whole.role);
        configs.cluster = configs.cluster.take().or(whole.cluster);
    }
    Ok(configs)
}

/// Returns a guess at the version of the talosctl that generated the base configs; none if it can be that of the nodes. Talos accepts JSON patches
/// only for base configs up to 1.11, and fields of the main document that became documents only for those up to 1.13.
fn guessed_base(found: &FoundFiles, talos: &TalosVersion) -> Option<TalosVersion> {
    let minor = if has_json_patches(&found.sources) { SEVERAL_DOCUMENTS_SINCE.1 - 1 } else { 13 };
    (talos.minor() > (1, minor)).then(|| TalosVersion { minor, patch: 0, pre: None, ..talos.clone() })
}

/// Collects the facts about the cluster and its nodes from the arguments, the files and the existing repository.
fn facts(
    nodes: &NodeOptions,
    found: &mut FoundFiles,
    existing: Option<ExistingFleet>,
    masked: &mut Masked,
) -> anyhow::Result<FleetFacts> {
    let newest: TalosVersion = TALOS.parse().context("the default version")?;
    let talconfig = found.talconfig.as_ref();
    let named = nodes.cluster.clone().or_else(|| talconfig?.cluster.clone());
    let is_of_talhelper = talconfig.is_some_and(|talconfig| talconfig.talos.is_some());
    let cluster = existing.as_ref().and_then(|fleet| fleet.cluster_of_device(named.as_deref()).ok());
    let known = nodes.talos_version.clone().or_else(|| talconfig?.talos.clone());
    let known = known.or_else(|| Some(cluster?.talos.clone()));
    let talos = known.or_else(|| installed_version(&found.sources)).unwrap_or(newest);
    let whole = reduce_whole(found, nodes.base_config.as_ref().map(TalosVersion::minor), &talos, masked)?;
    let cluster = match (named.or(whole.cluster), &existing) {
        (Some(name), _) => name,
        (None, Some(fleet)) => fleet.cluster_of_device(None)?.name.clone(),
        (None, None) => "home".to_owned(),
    };
    let known = existing.as_ref().and_then(|fleet| fleet.cluster(&cluster));
    let made_by = |minor: Minor| match known {
        Some(cluster) if cluster.base.minor() == minor => cluster.base.clone(),
        _ if talos.minor() == minor => talos.clone(),
        _ => TalosVersion { major: minor.0, minor: minor.1, patch: 0, pre: None },
    };
    let base = nodes.base_config.clone().or_else(|| whole.base.map(made_by));
    let base = base.or_else(|| known.map(|cluster| cluster.base.clone()));
    let is_known = base.is_some() || is_of_talhelper || has_documents(&found.sources);
    let guess = if is_known { None } else { guessed_base(found, &talos) };
    let is_base_guessed = guess.is_some();
    let base = base.or(guess).unwrap_or_else(|| talos.clone());
    found.sources.iter_mut().for_each(|source| convert(source, base.minor()));
    let has_control_plane = existing.as_ref().is_some_and(|fleet| fleet.has_control_plane(&cluster));
    if let Some(fleet) = &existing {
        found.remove_devices(|name| fleet.has_device(name));
    }
    let (mut roles, mut addresses) = (whole.roles, BTreeMap::new());
    roles.retain(|name, _| existing.as_ref().is_none_or(|fleet| !fleet.has_device(name)));
    roles.extend(found.roles.clone());
    if let Some(talconfig) = &found.talconfig {
        roles.extend(talconfig.roles.clone());
        addresses.extend(talconfig.addresses.clone());
    }
    roles.extend(nodes.roles.iter().cloned());
    addresses.extend(nodes.addresses.iter().cloned());
    Ok(FleetFacts {
        cluster,
        base,
        is_base_guessed,
        talos,
        roles: Roles { known: roles, has_control_plane },
        addresses,
        disks: KnownDisks::new(),
        existing,
        inherited: Inherited::default(),
    })
}

impl Import<'_> {
    /// Makes a model and proves it, until the proof rejects no further fact. The values of rejected facts stay in raw patches.
    fn run(&self, context: &mut Context<'_>, root: &Utf8Path) -> anyhow::Result<Exit> {
        let mut rejected = Rejected::default();
        loop {
            let fleet = self.facts.build(&self.found.sources, &rejected)?;
            if let ([], Some(name)) = (fleet.drafts.as_slice(), self.found.existing_devices.first()) {
                bail!("{} exists, and nothing is overwritten: no file applies to a new device", device_file(name));
            }
            let skipped = self.found.skipped.iter().take(3).map(|(path, reason)| format!("; {path}: {reason}"));
            ensure!(
                !fleet.drafts.is_empty(),
                "no file applies to a device: write the device before its files, as in `node-1=PATH`, or name the nodes that have only \
                 the files of all nodes or of their role, as in `--role node-1=controlplane`{}",
                skipped.collect::<String>()
            );
            if let Some(name) = self.facts.unknown_device(&fleet) {
                let known: Vec<&str> = fleet.drafts.iter().map(|draft| draft.name.as_str()).collect();
                bail!("no file applies to the device `{name}`, only to {}", known.join(", "));
            }
            let mut files = with_missing(self.tree, &self.repository, fleet.files.clone(), &fleet.secret_files)?;
            if let (Some(existing), Some(file)) =
                (&self.facts.existing, files.iter_mut().find(|file| file.0 == FLEET_FILE))
            {
                file.1 = Some(existing.text.clone());
            }
            let above: MemoryTree = files.iter().map(|(path, _, text)| (path.as_str(), text.as_str())).collect();
            let overlay = Overlay::new(self.tree, above);
            let mut proof = prove(&overlay, &fleet, &self.found.sources)?;
            if !rejected.add(std::mem::take(&mut proof.rejected)) {
                return self.finish(context, root, &files, (&fleet, proof, &rejected));
            }
        }
    }

    /// Writes the files, and prints the summary of the import and the proof.
    fn finish(
        &self,
        context: &mut Context<'_>,
        root: &Utf8Path,
        files: &[NewFile],
        (fleet, mut proof, rejected): (&ImportedFleet, ImportProof<'_>, &Rejected),
    ) -> anyhow::Result<Exit> {
        let mut written: Vec<NewFile> = Vec::new();
        for (path, old, text) in files {
            ensure!(old.is_some() || self.tree.read(path)?.is_none(), "{path} exists, and nothing is overwritten");
            written.push((path.clone(), old.clone(), text.clone()));
        }
        let is_foreign = |path: &Utf8PathBuf| matches!(self.tree.read(path), Ok(Some(bytes)) if !is_generated(&bytes));
        let replaces = proof.files.iter().flat_map(|file| &file.generated).any(is_foreign);
        let found = summary(&self.found, &self.masked, (fleet, &proof, rejected));
        let has_errors = proof.inspection.has_errors();
        let inspection = &mut proof.inspection;
        context.report(Channel::Status, &mut inspection.findings, &mut inspection.sources, json!({}))?;
        if !self.dry_run {
            let lock = Lock::acquire(root, || context.console.status("waiting for another run of talosmith"))?;
            let changes: Vec<Change> = written.iter().map(|(path, old, new)| init::change(path, old, new)).collect();
            apply(&lock, &changes, &BTreeSet::new(), &[])?;
        }
        if self.facts.existing.is_some() && self.facts.known_cluster().is_none() {
            let name = &self.facts.cluster;
            let new = format!("new cluster in {FLEET_FILE}: `{name}` (`--cluster` names an existing one instead)\n");
            context.console.result(&new)?;
        }
        context.console.result(&found)?;
        context.console.result(&listing(&written))?;
        if self.dry_run {
            context.console.status("nothing was written: --dry-run");
        } else {
            if let Some(hook) = missing_hook(self.tree, &self.repository, &written)? {
                context.console.result(&hook)?;
            }
            let generate = if replaces { "talosmith generate --force" } else { "talosmith generate" };
            let message = match &self.facts.existing {
                Some(_) => {
                    format!("Add {}", fleet.drafts.iter().map(|draft| &*draft.name).collect::<Vec<_>>().join(", "))
                }
                None => "Import the model".to_owned(),
            };
            let is_new = self.facts.existing.is_none();
            context.console.result(&init::next(&self.repository, generate, &message, is_new))?;
        }
        Ok(if has_errors { Exit::Findings } else { Exit::Success })
    }
}
