//! The base configs, which Talos generates and patches are merged into.

use std::sync::{LazyLock, OnceLock};

use talosmith_document::{Document as Text, Sources, Style, table};

use super::config::Document;
use super::value::{Content, Value};
use crate::Role;
use crate::scalar::Scalar;
use crate::talos_data::{Minor, talos};
use crate::url::Url;

const BASES: &str = include_str!("talos_data/bases.yaml");

/// The line that starts a base config, followed by its minor and role.
const HEAD: &str = "\n# base ";

struct Base {
    minor: Minor,
    role: Role,
    text: &'static str,
    documents: OnceLock<Vec<Value<'static>>>,
}

impl Base {
    /// Reads a part of the file: the rest of its first line, and the documents.
    fn read(part: &'static str) -> Option<Self> {
        let (head, text) = part.split_once('\n')?;
        let (minor, role) = head.split_once(' ')?;
        let role = if role == "worker" { Role::Worker } else { Role::ControlPlane };
        Some(Self { minor: table::minor(minor)?, role, text, documents: OnceLock::new() })
    }
}

static TABLE: LazyLock<Vec<Base>> = LazyLock::new(|| BASES.split(HEAD).skip(1).filter_map(Base::read).collect());

/// Returns the oldest minor of Talos whose base config is known. A node keeps the base config of the Talos that installed it.
#[must_use]
pub fn oldest_base() -> Minor {
    TABLE.first().map(|base| base.minor).unwrap_or_default()
}

/// Returns the documents of the base config that a minor of Talos, or the nearest one that is known, generates.
pub(crate) fn documents(minor: Minor, role: Role) -> Vec<Document<'static>> {
    let minor = minor.clamp(oldest_base(), talos::newest_minor());
    let Some(base) = TABLE.iter().find(|base| base.minor == minor && base.role == role) else { return Vec::new() };
    let documents = base.documents.get_or_init(|| {
        let nodes = Text::parse_stream(Sources::default().add("", ""), base.text).unwrap_or_default();
        nodes.iter().map(Value::read_base).collect()
    });
    documents.iter().map(Document::of_base).collect()
}

/// What `talosctl gen config` gets besides the secrets of the cluster.
#[derive(Debug, Clone)]
pub struct BaseOptions<'o> {
    pub cluster_name: &'o str,
    /// The URL of the Kubernetes API.
    pub endpoint: &'o str,
    /// Without a `v`; none for the one that the Talos of the base installs.
    pub kubernetes_version: Option<&'o str>,
    /// The path of a device.
    pub install_disk: &'o str,
    /// The installer image.
    pub install_image: &'o str,
}

/// The options that the bases in the table were generated with, in `conformance/base.go`.
mod example {
    pub(super) const CLUSTER_NAME: &str = "conformance";
    pub(super) const ENDPOINT: &str = "https://192.0.2.1:6443";
    pub(super) const HOST: &str = "192.0.2.1";
    pub(super) const INSTALL_DISK: &str = "/dev/nvme0n1";
    pub(super) const DISK_SELECTOR: &str = "disk.dev_path == \"/dev/nvme0n1\"";
    pub(super) const INSTALLERS: [&str; 2] = ["ghcr.io/siderolabs/installer:", "factory.talos.dev/metal-installer/"];
    pub(super) const KUBERNETES: [&str; 2] = ["ghcr.io/siderolabs/kubelet:", "registry.k8s.io/kube-"];
}

/// The base config that `talosctl gen config` generates with some options. In place of each value of the secrets bundle it has a
/// placeholder such as `${certs_os_key}`: the keys that lead to the value in the bundle, with `_pem` where it is the decoded text.
#[derive(Debug)]
pub struct GeneratedBase(Vec<Value<'static>>);

impl GeneratedBase {
    /// Generates the base config of a minor of Talos, or of the nearest one that is known.
    #[must_use]
    pub fn new(minor: Minor, role: Role, options: &BaseOptions<'_>) -> Self {
        let mut documents: Vec<Value<'static>> =
            documents(minor, role).iter().map(|document| (*document.value).clone()).collect();
        documents.iter_mut().for_each(|document| fill_in(document, options));
        Self(documents)
    }

    /// Returns the placeholders of secrets in it, without `${` and `}`: each leads to a value of the secrets bundle.
    #[must_use]
    pub fn secrets(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.0.iter().for_each(|document| add_secrets(document, &mut names));
        names
    }

    pub(crate) fn documents(&self) -> impl Iterator<Item = Document<'_>> {
        self.0.iter().map(Document::of_base)
    }
}

fn add_secrets<'v>(value: &'v Value<'_>, names: &mut Vec<&'v str>) {
    value.list().iter().for_each(|item| add_secrets(item, names));
    value.all_fields().iter().for_each(|field| add_secrets(&field.value, names));
    names.extend(placeholder_name(value.scalar()));
}

/// Returns the name of the placeholder that a text is as a whole.
#[must_use]
pub fn placeholder_name(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix('}')
}

/// Writes options over the scalars that have those of the example.
fn fill_in(value: &mut Value<'static>, options: &BaseOptions<'_>) {
    match &mut value.content {
        Content::List(items) => items.iter_mut().for_each(|item| fill_in(item, options)),
        Content::Map(fields) => fields.iter_mut().for_each(|field| fill_in(&mut field.value, options)),
        Content::Scalar(scalar) => {
            if let Some(text) = option(&scalar.text, options) {
                *scalar = Scalar::read(&text, Style::Quoted);
            }
        }
    }
}

/// The text in place of one of the example; none if it stays.
fn option(text: &str, options: &BaseOptions<'_>) -> Option<String> {
    let starts_with = |prefixes: [&str; 2]| prefixes.iter().any(|prefix| text.starts_with(prefix));
    match text {
        example::CLUSTER_NAME => Some(options.cluster_name.to_owned()),
        example::ENDPOINT => Some(options.endpoint.to_owned()),
        example::HOST => Some(Url::parse(options.endpoint).host.to_owned()),
        example::INSTALL_DISK => Some(options.install_disk.to_owned()),
        example::DISK_SELECTOR => Some(format!("disk.dev_path == {:?}", options.install_disk)),
        _ if starts_with(example::INSTALLERS) => Some(options.install_image.to_owned()),
        _ if starts_with(example::KUBERNETES) => {
            let (name, _) = text.rsplit_once(':')?;
            options.kubernetes_version.map(|version| format!("{name}:v{version}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{documents, oldest_base};
    use crate::Role;
    use crate::talos_data::talos;

    #[test]
    fn every_minor_has_a_base_for_each_role() {
        assert_eq!(oldest_base(), (1, 8));
        for minor in (8..=talos::newest_minor().1).map(|minor| (1, minor)) {
            for role in [Role::ControlPlane, Role::Worker] {
                let kinds = documents(minor, role);
                assert!(kinds.iter().any(|document| document.kind == "v1alpha1"), "{minor:?} {role:?}");
            }
        }
    }
}
