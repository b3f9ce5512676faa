//! `talosmith config`

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde_json::json;
use talosmith_document::Location;
use talosmith_machinery::BaseOptions;
use talosmith_model::FleetFile;
use talosmith_model::plan::{Device, Expected, stock_installer};
use talosmith_render::{AppliedFiles, BaseFile, ConfigSecrets, MachineConfigError, NodeBase, Secrets, SecretsBundle};
use zeroize::Zeroizing;

use super::{Context, Exit, open, read_input};
use crate::console::{Channel, Console};
use crate::git::Ignore;
use crate::inspection::{Inspection, inspect};
use crate::printable::shell_quote;
use crate::review::{DeviceFiles, Kept};
use crate::secrets::{self, ProcessVariables, RequiredSecret, SourceContext};
use crate::steps::Purpose;
use crate::tree::{Root, WorkTree, resolve_links};
use crate::writer::{Lock, write_secret};

/// The disk that `talosctl gen config` writes unless it gets another one.
const INSTALL_DISK: &str = "/dev/sda";

/// What the definition of the cluster's secrets is called in findings.
const BUNDLE: &str = "secretsBundle";

/// Write the whole machine config of a node: the base config with all its patches and secrets
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith config node-1 --redact\n  \
    talosmith config node-1 --base base.yaml --output - | talosctl validate --config /dev/stdin --mode metal")]
pub(crate) struct Arguments {
    /// The device, by name or folder
    #[arg(value_name = "DEVICE")]
    device: Utf8PathBuf,
    /// A base config to use instead of a generated one, outer parts first
    #[arg(long, value_name = "FILE", conflicts_with = "redact")]
    base: Vec<Utf8PathBuf>,
    /// Where to write it, with mode 0600: a file that git ignores or does not know; `-` for a pipe to another program
    #[arg(long, value_name = "FILE", required_unless_present = "redact", conflicts_with = "redact")]
    output: Option<Utf8PathBuf>,
    /// Leave out the file of a model key, such as `kata` as long as its scratch file does not exist
    #[arg(long, value_name = "KEY")]
    without: Vec<String>,
    /// Print it with placeholders instead of secrets, and fetch none
    #[arg(long)]
    redact: bool,
}

/// Where a machine config with secrets goes.
enum Destination {
    Pipe,
    File {
        /// Without links.
        folder: Utf8PathBuf,
        name: String,
    },
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    context.refuse_json("config")?;
    let output = arguments.output.as_deref().map(|path| Destination::open(context, path)).transpose()?;
    let root = context.root(std::slice::from_ref(&arguments.device))?;
    let tree = WorkTree::new(root.path.clone());
    let (mut inspection, files) = inspect_device(&root, &tree, &arguments.device)?;
    let Some(files) = files else { return report(context, &mut inspection) };
    let files = without(files, &arguments.without)?;
    let mut command = ConfigCommand { context, root: &root.path, inspection, files };
    match output {
        None => command.print_redacted(),
        Some(output) => command.write(&arguments.base, &output),
    }
}

/// Inspects one device, and returns what is applied to it; nothing if findings keep it from being rendered.
pub(super) fn inspect_device<'t>(
    root: &Root,
    tree: &'t WorkTree,
    device: &Utf8PathBuf,
) -> anyhow::Result<(Inspection<'t, Kept>, Option<DeviceFiles>)> {
    let (project, selection) = open(root, tree, std::slice::from_ref(device))?;
    let Some(name) = selection.only_device() else {
        anyhow::bail!("`{device}` is not one device; `talosmith fleet` shows all of them");
    };
    let mut inspection = inspect(project, &selection, Purpose::Compare, Kept::rendered)?;
    inspection.remove_findings_about_others(&selection);
    let files = Kept::take_device(&mut inspection.kept, name).filter(|_| !inspection.has_errors());
    Ok((inspection, files))
}

/// Leaves out the files of model keys.
fn without(mut files: DeviceFiles, keys: &[String]) -> anyhow::Result<DeviceFiles> {
    for key in keys {
        let count = files.applied.len();
        files.applied.retain(|file| file.key != *key);
        anyhow::ensure!(
            files.applied.len() < count,
            "no file that is applied to `{}` is of the key `{key}`; `talosmith show {}` lists them",
            files.device.name,
            files.device.name
        );
    }
    Ok(files)
}

/// Prints the findings that keep a machine config from being made.
pub(super) fn report(context: &mut Context<'_>, inspection: &mut Inspection<'_, Kept>) -> anyhow::Result<Exit> {
    context.report(Channel::Status, &mut inspection.findings, &mut inspection.sources, json!({}))?;
    Ok(Exit::Findings)
}

impl Destination {
    fn open(context: &Context<'_>, path: &Utf8Path) -> anyhow::Result<Self> {
        if path == "-" {
            anyhow::ensure!(
                Console::has_reader(),
                "a config with secrets is only written to a pipe, as in `talosmith config DEVICE --output - | age -r KEY`; write `--output FILE`, or `--redact` to look at it"
            );
            return Ok(Self::Pipe);
        }
        let start = context.global.directory.clone().unwrap_or_else(|| Utf8PathBuf::from("."));
        let path = start.join(path);
        let name = path.file_name().ok_or_else(|| anyhow::anyhow!("{path} is not a file"))?.to_owned();
        let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        let folder = resolve_links(folder).map_err(|error| anyhow::anyhow!("cannot open {folder}: {error}"))?;
        let output = Self::File { folder, name };
        output.check(context)?;
        Ok(output)
    }
}

/// A run of the command for one node.
struct ConfigCommand<'c, 'p, 'a> {
    context: &'c mut Context<'p>,
    root: &'c Utf8Path,
    inspection: Inspection<'a, Kept>,
    files: DeviceFiles,
}

impl ConfigCommand<'_, '_, '_> {
    fn device(&self) -> Arc<Device> {
        Arc::clone(&self.files.device)
    }

    fn print_redacted(&mut self) -> anyhow::Result<Exit> {
        let device = self.device();
        let base = if device.base.is_empty() {
            generated_base(self.inspection.fleet.as_ref(), &device, true)?
        } else {
            NodeBase::Model
        };
        let files = AppliedFiles { device: &device, files: &self.files.applied };
        match self.inspection.renderer.machine_config(files, &base, None) {
            Ok(text) => self.context.console.result(&text)?,
            Err(error) => return self.refused(error),
        }
        Ok(Exit::Success)
    }

    fn write(&mut self, base: &[Utf8PathBuf], output: &Destination) -> anyhow::Result<Exit> {
        let device = self.device();
        let base = match (base, device.base.is_empty()) {
            ([], true) => generated_base(self.inspection.fleet.as_ref(), &device, false)?,
            ([], false) => NodeBase::Model,
            (files, _) => self.base_files(files)?,
        };
        let fetched = match self.fetch(matches!(base, NodeBase::Generated(_)), output)? {
            Ok(fetched) => fetched,
            Err(exit) => return Ok(exit),
        };
        let (named, bundle) = &fetched;
        let files = AppliedFiles { device: &device, files: &self.files.applied };
        let secrets = ConfigSecrets { named, bundle: bundle.as_ref() };
        match self.inspection.renderer.machine_config(files, &base, Some(secrets)) {
            Ok(text) => self.deliver(&text, output),
            Err(error) => self.refused(error),
        }
    }

    fn deliver(&mut self, text: &Zeroizing<String>, output: &Destination) -> anyhow::Result<Exit> {
        match output {
            Destination::Pipe => Console::secret(text.as_bytes())?,
            Destination::File { folder, name } => {
                let console = &mut self.context.console;
                let lock = Lock::acquire(folder, || console.status("waiting for another run of talosmith"))?;
                let is_new = write_secret(&lock, Utf8Path::new(name), text.as_bytes())?;
                let path = folder.join(name);
                let done = if is_new { "written" } else { "nothing to change" };
                console.status(&format!(
                    "{done}: {path}, mode 0600; remove it after use: rm {}",
                    shell_quote(path.as_str())
                ));
            }
        }
        Ok(Exit::Success)
    }

    /// Reads base configs. An error does not show their text, which contains secrets.
    fn base_files(&self, paths: &[Utf8PathBuf]) -> anyhow::Result<NodeBase> {
        let start = self.context.global.directory.clone().unwrap_or_else(|| Utf8PathBuf::from("."));
        let mut files = Vec::new();
        for path in paths {
            let (path, bytes) = read_input(&start, path)?;
            let text = Zeroizing::new(String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{path} is not UTF-8"))?);
            let source = self.inspection.sources.add(path.as_str(), "");
            match BaseFile::read(&self.files.device, path.as_str(), source, &text) {
                Ok(file) => files.push(file),
                Err(findings) => {
                    let first = findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
                    anyhow::bail!("{path} is no base config: {first}");
                }
            }
        }
        Ok(NodeBase::Files(files))
    }

    /// Fetches the secrets of the node's files, and those of the cluster for a generated base config.
    fn fetch(
        &mut self,
        needs_bundle: bool,
        output: &Destination,
    ) -> anyhow::Result<Result<(Secrets, Option<SecretsBundle>), Exit>> {
        let device = self.device();
        let Some(fleet) = self.inspection.fleet.as_ref() else { return Ok(Err(Exit::Findings)) };
        let mut definitions = secrets::definitions(&fleet.fleet);
        let mut required = output.required(&device);
        if needs_bundle {
            let cluster = fleet.fleet.clusters.get(device.cluster.as_str());
            let Some(source) = cluster.and_then(|cluster| cluster.secrets_bundle.as_ref()) else {
                return Err(missing(&device, "secretsBundle"));
            };
            let definition = secrets::bundle_definition(&device.cluster, source);
            let location = Location::key(fleet.source, definition.at.clone());
            required.push(output.required_secret(&device, BUNDLE, location, Expected::Text));
            definitions.insert(BUNDLE, definition);
        }
        let processes = self.context.processes;
        let exposed = match secrets::repository(processes, self.root)? {
            Some(git) => secrets::find_exposed_sources(&required, &definitions, fleet.source, &git, self.root)?,
            None => Vec::new(),
        };
        if !exposed.is_empty() {
            self.inspection.findings = exposed;
            return report(self.context, &mut self.inspection).map(Err);
        }
        let variables = ProcessVariables::load();
        let sources = SourceContext { processes, variables: &variables, root: self.root, can_skip: false };
        let mut resolution = secrets::resolve(&required, &definitions, fleet.source, &sources);
        let decided = secrets::decide_files(&required, &mut resolution, &BTreeSet::new(), true, self.root);
        if decided.exit_code != 0 {
            self.inspection.findings = decided.findings;
            report(self.context, &mut self.inspection)?;
            return Ok(Err(Exit::Failure));
        }
        let read = |text| {
            SecretsBundle::read(text)
                .ok_or_else(|| anyhow::anyhow!("the secrets bundle of `{}` is no YAML mapping", device.cluster))
        };
        let bundle = resolution.secrets.get(BUNDLE).map(read).transpose()?;
        Ok(Ok((resolution.secrets, bundle)))
    }

    fn refused(&mut self, error: MachineConfigError) -> anyhow::Result<Exit> {
        match error {
            MachineConfigError::Findings(findings) => {
                self.inspection.findings = findings;
                report(self.context, &mut self.inspection)
            }
            error => Err(refused(&self.files.device, error)),
        }
    }
}

/// Why there is no machine config of a device, without findings on its files.
pub(super) fn refused(device: &Device, error: MachineConfigError) -> anyhow::Error {
    match error {
        MachineConfigError::Incomplete(path) => {
            anyhow::anyhow!("the secrets bundle of `{}` has no `{path}`", device.cluster)
        }
        MachineConfigError::UnfilledBase => anyhow::anyhow!(
            "the base config of `{}` has placeholders of secrets: fill them in, and pass the result with `--base FILE`",
            device.name
        ),
        MachineConfigError::Unreadable { key, message } => {
            anyhow::anyhow!("the file of `{key}` is no patch: {message}")
        }
        MachineConfigError::Findings(findings) => {
            let first = findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
            anyhow::anyhow!("Talos refuses the config of `{}`: {first}", device.name)
        }
    }
}

/// The base config that `talosctl gen config` generates for the cluster of a device. A redacted one needs no key of the cluster.
pub(super) fn generated_base(
    fleet: Option<&FleetFile>,
    device: &Device,
    is_redacted: bool,
) -> anyhow::Result<NodeBase> {
    let cluster = fleet.and_then(|fleet| fleet.fleet.clusters.get(device.cluster.as_str()));
    let endpoint = cluster.and_then(|cluster| cluster.endpoint.as_ref()).map(|endpoint| endpoint.as_str());
    let version = cluster.and_then(|cluster| cluster.kubernetes_version.as_ref()).map(|version| version.as_str());
    anyhow::ensure!(endpoint.is_some() || is_redacted, missing(device, "endpoint"));
    anyhow::ensure!(version.is_some() || is_redacted, missing(device, "kubernetesVersion"));
    let install = &device.images.install;
    let image =
        install.image.as_ref().map_or_else(|| stock_installer(&device.versions.talos), |image| image.reference.clone());
    let options = BaseOptions {
        cluster_name: &device.cluster,
        endpoint: endpoint.unwrap_or("https://${endpoint}:6443"),
        kubernetes_version: version.map(|version| version.trim_start_matches('v')),
        install_disk: install.disk_path.as_deref().unwrap_or(INSTALL_DISK),
        install_image: &image,
    };
    Ok(NodeBase::generated(device, &options))
}

fn missing(device: &Device, key: &str) -> anyhow::Error {
    let Device { name, cluster, .. } = device;
    anyhow::anyhow!(
        "the base config of `{name}` needs `{key}` of the cluster `{cluster}` in talosmith.yaml; or pass a base config with `--base FILE`"
    )
}

impl Destination {
    /// The secrets of the files that are applied to a device.
    fn required(&self, device: &Device) -> Vec<RequiredSecret> {
        let held = device.secrets.iter();
        held.map(|held| self.required_secret(device, &held.secret, held.location.clone(), held.expected)).collect()
    }

    fn required_secret(&self, device: &Device, secret: &str, location: Location, expected: Expected) -> RequiredSecret {
        let target = match self {
            Self::Pipe => Utf8PathBuf::from("standard output"),
            Self::File { folder, name } => folder.join(name),
        };
        RequiredSecret { secret: secret.to_owned(), device: device.name.clone(), location, target, expected }
    }

    /// Refuses a file that git would publish.
    fn check(&self, context: &Context<'_>) -> anyhow::Result<()> {
        let Self::File { folder, name } = self else { return Ok(()) };
        let path = folder.join(name);
        let elsewhere = "write the config to a folder outside of the repository";
        let Some(git) = secrets::repository(context.processes, folder)? else { return Ok(()) };
        anyhow::ensure!(!git.is_tracked(Utf8Path::new(name))?, "git tracks {path}: {elsewhere}");
        let is_ignored = git.ignored_by(Utf8Path::new(name))? != Ignore::No;
        anyhow::ensure!(is_ignored, "git does not ignore {path}: {elsewhere}, or to a file that .gitignore lists");
        Ok(())
    }
}
