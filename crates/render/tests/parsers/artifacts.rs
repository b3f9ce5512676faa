//! The artifacts that the built-in templates render.

use std::collections::BTreeMap;

use talosmith_render::{Format, Renderer, parse};

use crate::fleet::{BASES, plan, render};

#[test]
fn every_artifact_is_a_document_of_its_kind() {
    for base in BASES {
        for scheduling in [false, true] {
            let artifacts = render(&plan(base, scheduling), &BTreeMap::new()).expect("artifacts");
            assert_eq!(artifacts.len(), 23, "{base}");
            let renderer = Renderer::new(&BTreeMap::new(), &[]);
            let invalid: Vec<_> = artifacts.iter().flat_map(|artifact| renderer.check_schema(artifact)).collect();
            assert_eq!(invalid, [], "{base}");
        }
    }
}

#[test]
fn templates_see_every_field_of_a_device() {
    let plan = plan("v1.14.0", true);
    let fields = "{% for name in device %}\n{{ name }}: {{ device[name] | json | quote }}\n{% endfor %}\n";
    let overrides = BTreeMap::from([("device/hostname.yaml.j2".to_owned(), fields.to_owned())]);
    let artifacts = render(&plan, &overrides).expect("artifacts");
    let artifact = artifacts.iter().find(|artifact| artifact.key == "hostname").expect("the hostname");
    let seen = parse(Format::Yaml, &artifact.text).expect("YAML").remove(0);
    let value = |text: &serde_json::Value| serde_json::from_str(text.as_str().expect("a text")).expect("JSON");
    let seen = seen.as_object().expect("fields").iter().map(|(name, text)| (name.clone(), value(text)));
    let device = &plan.devices[0];
    let groups = [
        serde_json::json!(device),
        serde_json::json!(device.versions),
        serde_json::json!(device.images),
        serde_json::json!(device.storage),
        serde_json::json!(device.network),
        serde_json::json!(device.system),
        serde_json::json!(device.kubernetes),
        serde_json::json!(device.host),
        serde_json::json!(device.components),
        serde_json::json!(device.features),
    ];
    let fields = groups.iter().flat_map(|group| group.as_object().expect("a struct").clone());
    assert_eq!(serde_json::Value::Object(seen.collect()), serde_json::Value::Object(fields.collect()));
}

/// The documents of one file.
fn data(base: &str, scheduling: bool, name: &str) -> serde_json::Value {
    let artifacts = render(&plan(base, scheduling), &BTreeMap::new()).expect("artifacts");
    let artifact = artifacts.iter().find(|artifact| artifact.path.file_name() == Some(name)).expect(name);
    serde_json::Value::Array(parse(Format::Yaml, &artifact.text).expect("YAML"))
}

#[test]
fn a_base_of_documents_gets_documents() {
    let documents = |name: &str, scheduling| data("v1.14.0", scheduling, name);
    assert_eq!(
        documents("install-disk.patch.yaml", true),
        serde_json::json!([{
            "apiVersion": "v1alpha1",
            "kind": "UnattendedInstallConfig",
            "provisioning": {"diskSelector": {"match": "disk.transport == 'nvme'"}, "wipe": false},
        }])
    );
    let taints = |value: serde_json::Value| {
        serde_json::json!([{
            "apiVersion": "v1alpha1",
            "kind": "KubeNodeConfig",
            "taints": {"node-role.kubernetes.io/control-plane": value},
        }])
    };
    let name = "allow-scheduling-controlplane.patch.yaml";
    assert_eq!(documents(name, true), taints(serde_json::json!({"$patch": "delete"})));
    assert_eq!(documents(name, false), taints(serde_json::json!(":NoSchedule")));
}

#[test]
fn a_base_of_one_document_gets_patches_of_it() {
    assert_eq!(
        data("v1.12.1", false, "allow-scheduling-controlplane.patch.yaml"),
        serde_json::json!([{"cluster": {"allowSchedulingOnControlPlanes": false}}])
    );
    assert_eq!(
        data("v1.12.1", false, "node-labels.patch.yaml"),
        serde_json::json!([{"machine": {"nodeLabels": {"kata-deploy": "enabled", "kubevirt.io/schedulable": "true"}}}])
    );
}

#[test]
fn the_hostname_patch_disables_automatic_hostnames_with_a_string() {
    assert_eq!(
        data("v1.12.1", true, "hostname.patch.yaml"),
        serde_json::json!([{"apiVersion": "v1alpha1", "kind": "HostnameConfig", "hostname": "ryzen", "auto": "off"}])
    );
}
