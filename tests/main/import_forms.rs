//! `talosmith import` of files in forms that the model does not have: aliases, and applications of a cluster.

use crate::import::{assert_generates, assert_no_secrets, imported};
use crate::sandbox::Sandbox;

const ALIASES: &str = "machine:
  # The limits of every node.
  sysctls: &limits
    vm.swappiness: \"10\"
  env:
    a: &proxy http://proxy.lab.example
    b: *proxy
  nodeAnnotations:
    <<: *limits
    c: d
  files:
    - path: /var/etc/a
      permissions: 0o600
      content: *proxy
      op: create
";

#[test]
fn aliases_in_a_patch_are_replaced_by_their_values() {
    let sandbox = Sandbox::of(&[("n/machine.yaml", ALIASES)]);
    let ran = imported(&sandbox, &["n", "--talos-version", "v1.13.8"]);
    insta::assert_snapshot!("import-aliases", ran.stdout);
    insta::assert_snapshot!("import-aliases-device.yaml", sandbox.read("devices/n/device.yaml"));
    insta::assert_snapshot!("import-aliases-machine.yaml", sandbox.read("devices/n/patches/machine.yaml"));
    assert_generates(&sandbox, &[]);
    let loops = Sandbox::of(&[("n/machine.yaml", "machine: &m\n  env: *m\n")]);
    let ran = loops.run(&["import", "n"]);
    assert!(ran.status == 1 && ran.stderr.starts_with("error[alias]"), "{}", ran.stderr);
}

const TALCONFIG: &str = "clusterName: lab
talosVersion: v1.13.8
endpoint: https://192.168.20.11:6443
.patches:
  - &proxy |-
    machine:
      env:
        a: b
nodes:
  - hostname: cp-1
    ipAddress: 192.168.20.11
    controlPlane: true
    patches:
      - *proxy
      - |-
        machine:
          env: { c: &c d, e: *c }
";

#[test]
fn a_patch_of_talhelper_in_an_alias_has_the_line_of_its_anchor() {
    let sandbox = Sandbox::of(&[("talconfig.yaml", TALCONFIG)]);
    let ran = imported(&sandbox, &["talconfig.yaml"]);
    insta::assert_snapshot!("import-talhelper-aliases", ran.stdout);
    assert_generates(&sandbox, &[]);
    let other =
        TALCONFIG.replace("v1.13.8", "latest") + "      - machine: {}\n      - '[{op: test, path: /machine/type}]'\n";
    let sandbox = Sandbox::of(&[("talconfig.yaml", &other)]);
    let ran = imported(&sandbox, &["talconfig.yaml", "--talos-version", "v1.13.8"]);
    let listed = [
        "talconfig.yaml:2: `talosVersion`: it is not a version: name it with `--talos-version`\n",
        "talconfig.yaml:18: `nodes.patches`: it is not a string, as the patches of talhelper are\n",
        "talconfig.yaml:19: `test /machine/type`: a merge patch tests no value\n",
    ];
    assert!(listed.iter().all(|line| ran.stdout.contains(line)), "{}", ran.stdout);
}

const LABELS: &str = "machine:\n  nodeLabels: { gpu: amd }\n";
const SCHEMATIC: &str = "customization:\n  systemExtensions:\n    officialExtensions: [siderolabs/i915]\n";
const KUSTOMIZATION: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [amd.yaml, intel-gpu-plugin.yaml, quota.yaml]\n";

/// A hand-written DaemonSet of a device plugin.
fn device_plugin(name: &str, image: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: {name}\n  namespace: kube-system\nspec:\n  selector:\n    matchLabels: {{ app: {name} }}\n  \
         template:\n    metadata:\n      labels: {{ app: {name} }}\n    spec:\n{more}      containers:\n        - name: plugin\n          image: {image}\n          args: [-shared-dev-num=4]\n"
    )
}

#[test]
fn device_plugins_for_gpus_become_an_application() {
    let amd = device_plugin(
        "amdgpu-device-plugin-daemonset",
        "rocm/k8s-device-plugin:1.31.0.8",
        "      nodeSelector: { gpu: amd }\n",
    );
    let intel = device_plugin("intel-gpu-plugin", "intel/intel-gpu-plugin:0.34.1", "");
    let quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: { name: gpu, namespace: kube-system }\n";
    let files = [
        ("devices/gpu-1/manifests/labels.yaml", LABELS),
        ("devices/gpu-2/manifests/schematic.yaml", SCHEMATIC),
        ("argocd/applications/gpu/kustomization.yaml", KUSTOMIZATION),
        ("argocd/applications/gpu/amd.yaml", &amd),
        ("argocd/applications/gpu/intel-gpu-plugin.yaml", &intel),
        ("argocd/applications/gpu/quota.yaml", quota),
    ];
    let sandbox = Sandbox::of(&files);
    let ran = imported(&sandbox, &["devices", "argocd", "--talos-version", "v1.13.8"]);
    insta::assert_snapshot!("import-gpu", ran.stdout);
    insta::assert_snapshot!("import-gpu-talosmith.yaml", sandbox.read("talosmith.yaml"));
    insta::assert_snapshot!("import-gpu-1.yaml", sandbox.read("devices/gpu-1/device.yaml"));
    insta::assert_snapshot!("import-gpu-2.yaml", sandbox.read("devices/gpu-2/device.yaml"));
    let other = Sandbox::of(&files);
    other.replace("devices/gpu-1/manifests/labels.yaml", "gpu: amd", "gpu: none");
    other.replace("devices/gpu-2/manifests/schematic.yaml", "i915", "iscsi-tools");
    let ran = imported(&other, &["devices", "argocd", "--talos-version", "v1.13.8"]);
    assert!(ran.stdout.contains("argocd/applications/gpu/amd.yaml: Kubernetes objects"), "{}", ran.stdout);
    assert!(!other.read("talosmith.yaml").contains("applications"));
}

#[test]
fn nodes_without_files_of_their_own_are_named_by_their_roles() {
    let shared = "machine:\n  time:\n    servers: [time.lab.example]\n";
    let sandbox = Sandbox::of(&[
        ("patches/all/time.yaml", shared),
        ("patches/controlplane/cni.yaml", "cluster:\n  network:\n    cni: { name: none }\n"),
    ]);
    imported(&sandbox, &["patches", "--role", "a=controlplane", "--role", "b=worker", "--talos-version", "v1.13.8"]);
    insta::assert_snapshot!("import-roles-talosmith.yaml", sandbox.read("talosmith.yaml"));
    assert!(sandbox.read("devices/b/device.yaml").contains("role: worker\n"));
    assert_generates(&sandbox, &[]);
}

const JSON_KUBELET: &str = "- op: add
  path: /machine/kubelet/extraArgs
  value:
    rotate-server-certificates: \"true\"
- op: add
  path: /machine/env
  value: { TOKEN: CANARY-of-a-json-patch }
";

const JSON_API: &str = "# No admission control.
- op: test
  path: /machine/type
  value: controlplane
- op: remove
  path: /cluster/apiServer/admissionControl
- op: add
  path: /cluster/apiServer/certSANs/-
  value: api.lab.example
- op: add
  path: /machine/pods
  value: [{ kind: Pod }]
";

const JSON_FILE: &str = "[{\"op\": \"add\", \"path\": \"/machine/nodeLabels/example.org~1a\", \"value\": \"b\"}]\n";
const JSON_COPY: &str = "- op: copy\n  from: /machine/type\n  path: /machine/nodeLabels/type\n";

fn json_patches() -> Sandbox {
    Sandbox::of(&[
        ("patches/all/kubelet.yaml", JSON_KUBELET),
        ("patches/all/labels.json", JSON_FILE),
        ("patches/cp-1/api.yaml", JSON_API),
    ])
}

#[test]
fn json_patches_become_keys_and_merge_patches() {
    // Only a base config up to 1.11 accepts them, and there the proof applies them as Talos does.
    let sandbox = json_patches();
    let ran = imported(&sandbox, &["patches", "--talos-version", "v1.13.8"]);
    insta::assert_snapshot!("import-json-patches", ran.stdout);
    insta::assert_snapshot!("import-json-patches-talosmith.yaml", sandbox.read("talosmith.yaml"));
    insta::assert_snapshot!("import-json-patches-device.yaml", sandbox.read("devices/cp-1/device.yaml"));
    assert_generates(&sandbox, &[]);
    assert_no_secrets(&sandbox, &ran, &["patches/all/kubelet.yaml"], &["CANARY"]);
    for base in ["v1.12.0", "v1.13.0"] {
        let sandbox = json_patches();
        let ran = imported(&sandbox, &["patches", "--talos-version", "v1.13.8", "--base-config", base]);
        assert!(ran.stdout.contains("\n  cp-1: the machine config is the same\n"), "{}", ran.stdout);
        assert_generates(&sandbox, &[]);
    }
}

#[test]
fn an_operation_without_an_equal_merge_patch_is_listed_with_its_line() {
    let sandbox = json_patches();
    sandbox.write("patches/cp-1/image.yaml", JSON_COPY);
    let ran = imported(&sandbox, &["patches", "--talos-version", "v1.13.8", "--base-config", "v1.13.0"]);
    insta::assert_snapshot!("import-json-patch-copy", ran.stdout);
    // The old base config accepts the JSON patch as it is.
    let sandbox = json_patches();
    sandbox.write("patches/cp-1/image.yaml", JSON_COPY);
    let ran = imported(&sandbox, &["patches", "--talos-version", "v1.13.8"]);
    insta::assert_snapshot!("import-json-patch-copy-raw", ran.stdout);
    assert_eq!(sandbox.read("devices/cp-1/patches/image.yaml"), JSON_COPY);
    assert_generates(&sandbox, &[]);
}

#[test]
fn an_operation_with_an_endless_path_is_listed_in_one_line() {
    let patch = format!("- {{ op: add, path: {}, value: a }}\n", "/a".repeat(100_000));
    let sandbox =
        Sandbox::of(&[("n/deep.yaml", &patch), ("n/swap.yaml", "machine: { sysctls: { vm.swappiness: \"10\" } }\n")]);
    let ran = imported(&sandbox, &["n", "--talos-version", "v1.13.8", "--base-config", "v1.13.0"]);
    let line = ran.stdout.lines().find(|line| line.contains("n/deep.yaml:1"));
    let line = line.unwrap_or_else(|| panic!("{}", ran.stdout));
    assert!(line.ends_with("…`: its path has more keys than any of a machine config") && line.len() < 400, "{line}");
}
