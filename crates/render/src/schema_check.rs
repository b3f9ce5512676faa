//! The check of each rendered artifact: it is parsed again, by another parser, and validated against the schema of its kind.

mod words;

use jsonschema::ValidationError;
use serde_json::Value;

use crate::catalogue::Reader;
use crate::formats::{Format, parse};
use crate::{Artifact, InvalidArtifact};

macro_rules! schemas {
    ($($name:ident $path:literal)*) => {$(
        #[jsonschema::validator(path = $path)]
        struct $name;
    )*};
}

schemas! {
    Schematic "../../schemas/output/schematic.schema.json"
    Kustomization "../../schemas/output/kustomization.schema.json"
    Kubernetes "../../schemas/output/kubernetes.schema.json"
    StorageClass "../../schemas/output/storage-class.schema.json"
    DaemonSet "../../schemas/output/daemon-set.schema.json"
}

/// Returns everything for which the reader of an artifact would reject it.
pub(crate) fn check_schema(artifact: &Artifact) -> Vec<InvalidArtifact> {
    if artifact.raw || artifact.reader == Reader::Operator {
        return Vec::new();
    }
    let documents = match parse(Format::Yaml, &artifact.text) {
        Ok(documents) => documents,
        Err(message) => return vec![InvalidArtifact::new(artifact, None, message)],
    };
    let mut invalid = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let errors = errors(artifact.reader, document);
        let errors = errors.iter().flat_map(words::words).map(|(pointer, message)| (pointer.to_string(), message));
        let errors = errors.chain(errors_of_contents(document));
        invalid.extend(errors.map(|(at, message)| InvalidArtifact::new(artifact, Some((index, &at)), message)));
    }
    invalid
}

fn errors(reader: Reader, document: &Value) -> Vec<ValidationError<'_>> {
    match (reader, document["kind"].as_str()) {
        (Reader::ImageFactory, _) => Schematic::iter_errors(document).collect(),
        (Reader::Kubernetes, Some("Kustomization")) => Kustomization::iter_errors(document).collect(),
        (Reader::Kubernetes, Some("DaemonSet")) => DaemonSet::iter_errors(document).collect(),
        (Reader::Kubernetes, Some("StorageClass")) => StorageClass::iter_errors(document).collect(),
        (Reader::Kubernetes, _) => Kubernetes::iter_errors(document).collect(),
        (Reader::Talos | Reader::Operator | Reader::Other, _) => Vec::new(),
    }
}

/// The errors of TOML, JSON and YAML files in a document.
fn errors_of_contents(document: &Value) -> Vec<(String, String)> {
    let mut contents: Vec<(String, Format, &Value)> = Vec::new();
    for (at, file) in document["machine"]["files"].as_array().into_iter().flatten().enumerate() {
        if file["path"].as_str().is_some_and(|path| path.ends_with(".toml") || path.ends_with(".part")) {
            contents.push((format!("/machine/files/{at}/content"), Format::Toml, &file["content"]));
        }
    }
    if document["kind"] == "CRICustomizationConfig" {
        contents.push(("/content".to_owned(), Format::Toml, &document["content"]));
    }
    for (key, content) in document["data"].as_object().into_iter().flatten() {
        let format = match key.rsplit_once('.').map(|(_, extension)| extension) {
            Some("json") => Format::Json,
            Some("yaml") => Format::Yaml,
            _ => continue,
        };
        contents.push((format!("/data/{key}"), format, content));
    }
    let errors = contents.into_iter().filter_map(|(at, format, text)| Some((at, parse(format, text.as_str()?).err()?)));
    errors.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors_in(reader: Reader, text: &str) -> Vec<(String, String)> {
        let text = text.to_owned();
        let artifact = Artifact {
            path: "a.yaml".into(),
            key: "a".into(),
            text,
            template: None,
            reader,
            mark: crate::Mark::Header,
            applied: true,
            raw: false,
            merged: Vec::new(),
        };
        check_schema(&artifact).into_iter().map(|invalid| (invalid.location, invalid.message)).collect()
    }

    #[test]
    fn errors_have_the_location_of_the_value() {
        let places = |reader, text| -> Vec<String> {
            errors_in(reader, text).into_iter().map(|(location, _)| location).collect()
        };
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
