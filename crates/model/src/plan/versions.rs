//! Talos versions: which one a node runs, and who made its base config.

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Location, Pointer, TalosVersion};
use talosmith_machinery::talos_data::talos;

use super::{Check, Cluster, applications};
use crate::FleetFile;
use crate::fleet;

/// The first minor whose base configs consist of documents instead of one v1alpha1 document.
const DOCUMENTS_SINCE: (u64, u64) = (1, 14);

/// Which kind of patches a base config takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfigFormat {
    /// Patches of the v1alpha1 document: bases that Talos up to 1.13 generated.
    V1alpha1,
    /// The documents that replace it: bases that Talos generated from 1.14 on, which refuse the others.
    Documents,
}

/// What the versions of a device come to.
pub struct Versions {
    pub talos: TalosVersion,
    /// Whose base config the device has.
    pub base: TalosVersion,
    pub flavour: ConfigFormat,
}

/// The versions of a device.
pub fn device(check: &mut Check<'_>) -> Versions {
    let device = &check.file.device;
    let cluster = check.cluster();
    let talos = device.talos_version.clone().or_else(|| cluster.map(|cluster| cluster.talos_version.clone()));
    let talos = talos.unwrap_or(TalosVersion { major: 1, minor: 12, patch: 0, pre: None });
    if device.talos_version.is_some() {
        let location = check.at("/talosVersion");
        check.findings.extend(judge(&talos, &location));
    }
    let base = device.base_config.clone().or_else(|| cluster.and_then(|cluster| cluster.base_config.clone()));
    if base.is_none() && device.talos_version.is_some() && talos.minor() >= DOCUMENTS_SINCE {
        let location = check.at("/talosVersion");
        check.push(missing_base_config(&talos, location));
    }
    let base = base.unwrap_or_else(|| talos.clone());
    let base_minor = base.minor();
    if base_minor > talos.minor() && base_minor >= DOCUMENTS_SINCE {
        // The nearer of the two that do not go together; the cluster's own line is one finding for all of its devices.
        let of_cluster = Pointer::new("/clusters").child(&device.cluster).child("baseConfig");
        let location = match (&device.base_config, &device.talos_version) {
            (Some(_), _) => check.at("/baseConfig"),
            (None, Some(_)) => check.at("/talosVersion"),
            (None, None) => check.fleet.at(of_cluster),
        };
        check.push(
            Diagnostic::new(
                Code::OldTalos,
                format!("Talos {talos} cannot read a base config of {}.{}", base_minor.0, base_minor.1),
                location,
            )
            .note("the documents that such a base consists of came with v1.14")
            .help(format!("write the version whose talosctl made the base config, such as `baseConfig: {talos}`")),
        );
    }
    let flavour = if base_minor >= DOCUMENTS_SINCE { ConfigFormat::Documents } else { ConfigFormat::V1alpha1 };
    Versions { talos, base, flavour }
}

/// Finds fault with a fact that the version is too old for. `what` names it in the message.
pub fn since(check: &mut Check<'_>, first: (u64, u64), version: &TalosVersion, what: &str, at: &Pointer) {
    if version.minor() >= first {
        return;
    }
    let location = check.at(at.clone()).as_key();
    let needed = format!("v{}.{}", first.0, first.1);
    check.push(
        Diagnostic::new(Code::OldTalos, format!("{what} needs Talos {needed}, and this is {version}"), location)
            .note("an older Talos refuses a config with what it does not know")
            .help(format!("remove it, or upgrade the node to {needed} or later first")),
    );
}

/// A cluster without its devices.
pub fn cluster(
    file: &FleetFile,
    name: &str,
    cluster: &fleet::Cluster,
    at: &Pointer,
    findings: &mut Vec<Diagnostic>,
) -> Cluster {
    let version = file.at(at.child("talosVersion"));
    findings.extend(judge(&cluster.talos_version, &version));
    if cluster.base_config.is_none() && cluster.talos_version.minor() >= DOCUMENTS_SINCE {
        findings.push(missing_base_config(&cluster.talos_version, version));
    }
    let texts = |cidrs: &Option<Vec<crate::scalar::Cidr>>, default: &str| match cidrs {
        Some(cidrs) => cidrs.iter().map(|cidr| cidr.as_str().to_owned()).collect(),
        None => vec![default.to_owned()],
    };
    let planned = Cluster {
        name: name.to_owned(),
        talos_version: cluster.talos_version.clone(),
        endpoint: cluster.endpoint.as_ref().map(ToString::to_string),
        // Talos's defaults: DefaultIPv4PodNet and DefaultIPv4ServiceNet in its machinery's constants.
        pod_cidrs: texts(&cluster.pod_cidrs, "10.244.0.0/16"),
        service_cidrs: texts(&cluster.service_cidrs, "10.96.0.0/12"),
        local_path: applications::local_path(file, cluster, at),
        kata: applications::kata(file, cluster, at),
        incomplete: false,
    };
    findings.extend(super::network::overlaps(file, at, &planned));
    planned
}

fn judge(version: &TalosVersion, location: &Location) -> Option<Diagnostic> {
    let (newest, oldest) = (talos::newest_minor(), talos::oldest_minor());
    if version.minor() > newest {
        let known = format!("v{}.{}", newest.0, newest.1);
        return Some(
            Diagnostic::new(
                Code::NewerTalos,
                format!("{version} is newer than this talosmith knows (up to {known})"),
                location.clone(),
            )
            .note(format!("generated as for {known}; extension names were not checked")),
        );
    }
    (version.minor() < oldest).then(|| {
        Diagnostic::new(
            Code::OldTalos,
            format!("{version} has no HostnameConfig document (needs v{}.{})", oldest.0, oldest.1),
            location.clone(),
        )
        .note("what talosmith generates needs it")
        .help(format!("upgrade the node to v{}.{} or later first", oldest.0, oldest.1))
    })
}

fn missing_base_config(version: &TalosVersion, location: Location) -> Diagnostic {
    Diagnostic::new(Code::MissingBaseConfig, format!("from Talos 1.14 on `baseConfig` must be written; this is {version}"), location)
        .note("a base that 1.14 generated refuses the patches of older ones, and an older base keeps them through upgrades")
        .help(format!(
            "if an older talosctl made the base config, name its version, as in\nbaseConfig: v1.13.0\nif this one did\nbaseConfig: {version}"
        ))
}
