//! Any string in any field of the plan is read back unchanged, and changes nothing around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use talosmith_render::{Format, parse};

use crate::fleet::{BASES, Plan, plan, render};

/// Any string except the empty one, which the model refuses everywhere.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::string::string_regex("[\\PC\n]{1,12}").expect("a regex"),
        proptest::sample::select(vec![
            "off", "null", "~", "0644", "1e3", "- a", "a: b", "a #b", "'", "\"", "\"\"\"", "\\", "{{ x }}", "$(id)",
            "`id`", "${X}", "---", "]", "\n", "a\nb\n", " a", "a ", "\u{feff}", "é",
        ])
        .prop_map(str::to_owned),
    ]
}

/// The documents of each file, by the file's name.
fn files(plan: &Plan) -> BTreeMap<String, Vec<Value>> {
    let artifacts = render(plan, &BTreeMap::new()).expect("artifacts");
    let named = |artifact: &talosmith_render::Artifact| {
        let name = artifact.path.strip_prefix("devices/ryzen/manifests").unwrap_or(&artifact.path).to_string();
        (name, parse(Format::Yaml, &artifact.text).expect("YAML"))
    };
    artifacts.iter().map(named).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_survives(any in text(), other in text(), base in proptest::sample::select(BASES.to_vec())) {
        let mut plan = plan(base, true);
        {
            let device = Arc::get_mut(&mut plan.devices[0]).expect("no other reference exists");
            device.network.hostname.clone_from(&any);
            device.kubernetes.labels = [(any.clone(), other.clone())].into_iter().collect();
            device.network.nameservers = Some(vec![any.clone(), other.clone()]);
            device.images.schematics[0].extra_kernel_args = vec![any.clone()];
            device.storage.volumes[0].selector = Some(any.clone());
            device.kubernetes.gpu.amd.get_or_insert_default().device_plugin = Some(any.clone());
            let cluster = &mut plan.clusters[0];
            let kata = cluster.kata.as_mut().expect("kata");
            kata.sandbox_image.clone_from(&any);
            kata.node_selector = [(any.clone(), other.clone())].into_iter().collect();
            let local_path = cluster.local_path.as_mut().expect("local-path");
            local_path.node_path_map.as_mut().expect("nodes")[0].paths = vec![any.clone(), other.clone()];
            local_path.helper_pod_image = Some(any.clone());
            local_path.images[0].new_tag = Some(any.clone());
            let class = &mut local_path.storage_classes.as_mut().expect("classes")[0];
            class.node.clone_from(&any);
            class.classes[0].annotations = [(any.clone(), other.clone())].into_iter().collect();
        }
        let files = files(&plan);
        let at = |name: &str, document: usize, pointer: &str| files[name][document].pointer(pointer).cloned();
        prop_assert_eq!(at("hostname.patch.yaml", 0, "/hostname"), Some(json!(any)));
        let documents = base == "v1.14.0";
        let labels = if documents { "/labels" } else { "/machine/nodeLabels" };
        prop_assert_eq!(at("node-labels.patch.yaml", 0, labels), Some(json!({ (any.clone()): other })));
        let (servers, listed) = if documents {
            ("/nameservers", json!([{"address": any}, {"address": other}]))
        } else {
            ("/machine/network/nameservers", json!([any, other]))
        };
        prop_assert_eq!(at("tailscale-dns.patch.yaml", 0, servers), Some(listed));
        prop_assert_eq!(at("ryzen-main-schematic.yaml", 0, "/customization/extraKernelArgs"), Some(json!([any])));
        prop_assert_eq!(
            at("k8s/amdgpu-device-plugin.yaml", 0, "/spec/template/spec/containers/0/image"),
            Some(json!(any))
        );
        prop_assert_eq!(
            at("ephemeral-volume.patch.yaml", 0, "/provisioning/diskSelector/match"),
            Some(json!(any))
        );
        let daemon_set = "argocd/applications/kata-containers/blockfile-scratch-daemonset.yaml";
        prop_assert_eq!(at(daemon_set, 0, "/spec/template/spec/nodeSelector"), Some(json!({ (any.clone()): other })));
        let (document, pointer) = if documents { (1, "/content") } else { (0, "/machine/files/1/content") };
        let content = at("kata-firecracker.patch.yaml", document, pointer).expect("a part");
        let toml = parse(Format::Toml, content.as_str().expect("a text")).expect("TOML");
        prop_assert_eq!(&toml[0]["plugins"]["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"], &json!(any));
        let config = "argocd/applications/local-path/patches/local-path-config.patch.yaml";
        let content = at(config, 0, "/data/config.json").expect("a part");
        let parsed = parse(Format::Json, content.as_str().expect("a text")).expect("JSON");
        prop_assert_eq!(&parsed[0]["nodePathMap"][0]["paths"], &json!([any, other]));
        let pod = at(config, 0, "/data/helperPod.yaml").expect("a part");
        let parsed = parse(Format::Yaml, pod.as_str().expect("a text")).expect("YAML");
        prop_assert_eq!(&parsed[0]["spec"]["containers"][0]["image"], &json!(any));
        let class = "argocd/applications/local-path/storageclasses/ryzen.yaml";
        prop_assert_eq!(at(class, 0, "/metadata/annotations"), Some(json!({ (any.clone()): other })));
        prop_assert_eq!(at(class, 0, "/allowedTopologies/0/matchLabelExpressions/0/values"), Some(json!([any])));
        let kustomization = "argocd/applications/local-path/kustomization.yaml";
        prop_assert_eq!(at(kustomization, 0, "/images/0/newTag"), Some(json!(any)));
    }
}
