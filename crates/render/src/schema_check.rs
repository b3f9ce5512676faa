//! The check on each rendered artifact: it is parsed again, by another parser, and must be a document of its kind. A broken template
//! is then our finding, and never the node's.

mod words;

use jsonschema::ValidationError;
use serde_json::Value;
use talosmith_document::{Code, Diagnostic, Location, SourceId};

use crate::Artifact;
use crate::catalogue::Reader;
use crate::engine::TemplateOrigin;
use crate::formats::{Format, parse};

macro_rules! schemas {
    ($($name:ident $path:literal)*) => {$(
        #[jsonschema::validator(path = $path)]
        struct $name;
    )*};
}

schemas! {
    V1alpha1Patch "../../schemas/output/v1alpha1-patch.schema.json"
    Hostname "../../schemas/output/hostname.schema.json"
    Volume "../../schemas/output/volume.schema.json"
    Resolver "../../schemas/output/resolver.schema.json"
    KubeNode "../../schemas/output/kube-node.schema.json"
    UnattendedInstall "../../schemas/output/unattended-install.schema.json"
    CriCustomization "../../schemas/output/cri-customization.schema.json"
    ExtensionService "../../schemas/output/extension-service.schema.json"
    TimeSync "../../schemas/output/time-sync.schema.json"
    RegistryMirror "../../schemas/output/registry-mirror.schema.json"
    KernelModule "../../schemas/output/kernel-module.schema.json"
    Sysctl "../../schemas/output/sysctl.schema.json"
    EtcFile "../../schemas/output/etc-file.schema.json"
    Kubelet "../../schemas/output/kubelet.schema.json"
    KubeApiServer "../../schemas/output/kube-api-server.schema.json"
    KubeAuthentication "../../schemas/output/kube-authentication.schema.json"
    KubeCluster "../../schemas/output/kube-cluster.schema.json"
    Schematic "../../schemas/output/schematic.schema.json"
    Kustomization "../../schemas/output/kustomization.schema.json"
    Kubernetes "../../schemas/output/kubernetes.schema.json"
    StorageClass "../../schemas/output/storage-class.schema.json"
    DaemonSet "../../schemas/output/daemon-set.schema.json"
}

/// What is wrong with an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where in which document: `/provisioning/minSize of document 1`, or `document 1` as a whole; empty if the text cannot be parsed.
    pub location: String,
    /// What is wrong there.
    pub message: String,
}

impl Fault {
    /// The finding at the template, which is where it can be mended.
    pub fn diagnostic(&self, artifact: &Artifact, template: SourceId, origin: TemplateOrigin) -> Diagnostic {
        let at = if self.location.is_empty() { String::new() } else { format!(" at `{}`", self.location) };
        let finding = Diagnostic::new(
            Code::OutputSchema,
            format!("`{}` would not be valid{at}: {}", artifact.path, self.message),
            Location::file(template),
        )
        .note("each artifact is parsed again and checked against the schema of its kind before it is written");
        match origin {
            TemplateOrigin::BuiltIn => origin.explain(finding),
            TemplateOrigin::Override => finding.help("fix the template"),
        }
    }
}

/// Everything that is wrong with an artifact. A raw patch is the user's own, and is checked as such.
pub fn verify(artifact: &Artifact) -> Vec<Fault> {
    if artifact.raw {
        return Vec::new();
    }
    let documents = match parse(Format::Yaml, &artifact.text) {
        Ok(documents) => documents,
        Err(message) => return vec![Fault { location: String::new(), message }],
    };
    let mut faults = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let errors = errors(artifact.reader, document);
        faults.extend(errors.iter().flat_map(words::words).map(|(pointer, message)| Fault {
            location: format!("{pointer} of document {}", index + 1).trim_start_matches(" of ").to_owned(),
            message,
        }));
        faults.extend(parts(document, index));
    }
    faults
}

fn errors(reader: Reader, document: &Value) -> Vec<ValidationError<'_>> {
    match (reader, document["kind"].as_str()) {
        (Reader::ImageFactory, _) => Schematic::iter_errors(document).collect(),
        (Reader::Kubernetes, Some("Kustomization")) => Kustomization::iter_errors(document).collect(),
        (Reader::Kubernetes, Some("DaemonSet")) => DaemonSet::iter_errors(document).collect(),
        (Reader::Kubernetes, Some("StorageClass")) => StorageClass::iter_errors(document).collect(),
        (Reader::Kubernetes, _) => Kubernetes::iter_errors(document).collect(),
        (Reader::Talos, Some("HostnameConfig")) => Hostname::iter_errors(document).collect(),
        (
            Reader::Talos,
            Some("VolumeConfig" | "UserVolumeConfig" | "RawVolumeConfig" | "ExistingVolumeConfig" | "SwapVolumeConfig"),
        ) => Volume::iter_errors(document).collect(),
        (Reader::Talos, Some("ResolverConfig")) => Resolver::iter_errors(document).collect(),
        (Reader::Talos, Some("KubeNodeConfig")) => KubeNode::iter_errors(document).collect(),
        (Reader::Talos, Some("UnattendedInstallConfig")) => UnattendedInstall::iter_errors(document).collect(),
        (Reader::Talos, Some("CRICustomizationConfig")) => CriCustomization::iter_errors(document).collect(),
        (Reader::Talos, Some("ExtensionServiceConfig")) => ExtensionService::iter_errors(document).collect(),
        (Reader::Talos, Some("TimeSyncConfig")) => TimeSync::iter_errors(document).collect(),
        (Reader::Talos, Some("RegistryMirrorConfig")) => RegistryMirror::iter_errors(document).collect(),
        (Reader::Talos, Some("KernelModuleConfig")) => KernelModule::iter_errors(document).collect(),
        (Reader::Talos, Some("SysctlConfig")) => Sysctl::iter_errors(document).collect(),
        (Reader::Talos, Some("EtcFileConfig")) => EtcFile::iter_errors(document).collect(),
        (Reader::Talos, Some("KubeletConfig")) => Kubelet::iter_errors(document).collect(),
        (Reader::Talos, Some("KubeAPIServerConfig")) => KubeApiServer::iter_errors(document).collect(),
        (Reader::Talos, Some("KubeAuthenticationConfig")) => KubeAuthentication::iter_errors(document).collect(),
        (Reader::Talos, Some("KubeClusterConfig")) => KubeCluster::iter_errors(document).collect(),
        // The v1alpha1 document has no kind, and one that talosmith does not write has no schema of ours.
        (Reader::Talos, _) => V1alpha1Patch::iter_errors(document).collect(),
    }
}

/// Texts of other languages inside a document, parsed in their own.
fn parts(document: &Value, index: usize) -> Vec<Fault> {
    let mut texts: Vec<(String, Format, &str)> = Vec::new();
    for (at, file) in document["machine"]["files"].as_array().into_iter().flatten().enumerate() {
        let is_toml = file["path"].as_str().is_some_and(|path| path.ends_with(".toml") || path.ends_with(".part"));
        if let (true, Some(content)) = (is_toml, file["content"].as_str()) {
            texts.push((format!("/machine/files/{at}/content"), Format::Toml, content));
        }
    }
    if let ("CRICustomizationConfig", Some(content)) =
        (document["kind"].as_str().unwrap_or_default(), document["content"].as_str())
    {
        texts.push(("/content".to_owned(), Format::Toml, content));
    }
    for (key, value) in document["data"].as_object().into_iter().flatten() {
        let format = match key.rsplit_once('.').map(|(_, extension)| extension) {
            Some("json") => Format::Json,
            Some("yaml") => Format::Yaml,
            _ => continue,
        };
        texts.extend(value.as_str().map(|text| (format!("/data/{key}"), format, text)));
    }
    let faults = texts.into_iter().filter_map(|(location, format, text)| {
        let message = parse(format, text).err()?;
        Some(Fault { location: format!("{location} of document {}", index + 1), message })
    });
    faults.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(reader: Reader, text: &str) -> Vec<(String, String)> {
        let text = text.to_owned();
        let artifact = Artifact {
            path: "a.yaml".into(),
            key: "a".into(),
            text,
            template: None,
            reader,
            applied: true,
            raw: false,
        };
        verify(&artifact).into_iter().map(|fault| (fault.location, fault.message)).collect()
    }

    #[test]
    fn a_document_of_its_kind_has_no_fault() {
        let hostname = "apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: a\nauto: \"off\"\n";
        assert_eq!(verified(Reader::Talos, hostname), []);
        assert_eq!(verified(Reader::Talos, "machine:\n  kubelet:\n    disableManifestsDirectory: true\n"), []);
    }

    #[test]
    fn what_a_node_would_refuse_is_found_at_its_place() {
        let places = |reader, text| -> Vec<String> {
            verified(reader, text).into_iter().map(|(location, _)| location).collect()
        };
        let no_selector = "apiVersion: v1alpha1\nkind: UserVolumeConfig\nname: a\nprovisioning:\n  minSize: 1GB\n";
        assert_eq!(places(Reader::Talos, no_selector), ["/provisioning of document 1"]);
        let stable = "apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: a\nauto: stable\n";
        assert_eq!(places(Reader::Talos, stable), ["/auto of document 1"]);
        let toml = "machine:\n  files:\n    - path: /etc/cri/conf.d/20-customization.part\n      op: create\n      permissions: 0o644\n      content: \"a = \"\n";
        assert_eq!(places(Reader::Talos, toml), ["/machine/files/0/content of document 1"]);
        let json = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  config.json: \"{\"\n";
        assert_eq!(places(Reader::Kubernetes, json), ["/data/config.json of document 1"]);
        let pod = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  helperPod.yaml: \"a: [\"\n";
        assert_eq!(places(Reader::Kubernetes, pod), ["/data/helperPod.yaml of document 1"]);
        let class = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata:\n  name: a\nparameters:\n  nodePath: /a\nreclaimPolicy: Keep\n";
        assert_eq!(places(Reader::Kubernetes, class), ["document 1", "/reclaimPolicy of document 1"]);
        assert_eq!(places(Reader::Kubernetes, "a: b\na: c\n"), [""]);
    }
}
