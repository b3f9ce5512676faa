//! The folders of Argo CD applications, built from all devices of a cluster: what lies in them, and what kubectl builds from them.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::expected::{files, repository};
use crate::sandbox::Sandbox;

const LOCAL_PATH: &str = "argocd/applications/local-path";

const FLEET: &str = "
clusters:
  home:
    talosVersion: v1.12.1
    applications:
      local-path:
        version: v0.0.31
        image: registry.example.net/rancher/local-path-provisioner:v0.0.31@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        helperPodImage: busybox:1.36
        namespace: label
        defaultClass: true
        defaultPaths: [/var/mnt/data]
        resources: [quota.yaml]
      kata-containers:
        runtime: kata-fc
        snapshotter: blockfile
        scratch: { volume: data, path: containerd/scratch, size: 10GiB }
        sandboxImage: registry.k8s.io/pause:3.10
        images: { scratch: \"debian:bookworm\", hold: \"busybox:1.36\" }
    defaults:
      schematics: { main: { extensions: [siderolabs/kata-containers] } }
      install: { image: { schematic: main } }
      disks:
        nvme0n1: { size: 2TB, selector: disk.transport == 'nvme', system: true }
      volumes:
        EPHEMERAL: { disk: nvme0n1, size: 100GiB }
        data: { disk: nvme0n1, size: 500GB }
        fast: { disk: nvme0n1, size: 100GB }
";

/// A device of the fleet, with further lines.
fn device(number: u8, role: &str, lines: &str) -> (String, String) {
    let text = format!("name: node-{number}\ncluster: home\nrole: {role}\naddress: 192.0.2.{number}\n{lines}");
    (format!("devices/node-{number}/device.yaml"), text)
}

/// Nodes of every kind: with several volumes, none, the default ones, nothing said, and with a name that comes last.
fn fleet() -> Sandbox {
    let classes = "localPath:
  volumes: [fast, data]
  storageClasses:
    fast: { reclaimPolicy: Retain, allowVolumeExpansion: true, annotations: { defaultVolumeType: local } }
    data: { name: bulk }
";
    let devices = [
        device(1, "controlplane", "hostname: z.example.net\nlocalPath: { volumes: [fast] }\nkata: true\n"),
        device(2, "worker", classes),
        device(3, "worker", "localPath: { volumes: [data] }\nkata: true\n"),
        device(4, "worker", ""),
        device(10, "worker", "localPath: { volumes: [] }\nkata: true\n"),
    ];
    let sandbox = Sandbox::of(&[("talosmith.yaml", FLEET)]);
    for (path, text) in devices {
        sandbox.write(&path, &text);
    }
    let quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: pods\nspec:\n  hard:\n    pods: \"10\"\n";
    sandbox.write(&format!("{LOCAL_PATH}/quota.yaml"), quota);
    sandbox
}

fn generate(sandbox: &Sandbox) -> String {
    let ran = sandbox.run(&["generate"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    ran.stdout
}

/// Every file of the applications, each behind its name.
fn applications(sandbox: &Sandbox) -> String {
    let mut all = String::new();
    for path in files(&sandbox.path("argocd")) {
        let name = path.strip_prefix(sandbox.path("")).expect("a file below").display().to_string();
        write!(all, "-- {name} --\n{}", fs::read_to_string(&path).expect("text")).expect("memory");
    }
    all
}

#[test]
fn every_node_has_its_place_in_the_folders() {
    let sandbox = fleet();
    generate(&sandbox);
    insta::assert_snapshot!("folders", applications(&sandbox));
}

#[test]
fn the_last_device_that_leaves_takes_the_files_along() {
    let sandbox = Sandbox::of_this_repository();
    generate(&sandbox);
    let device = "devices/ryzen/device.yaml";
    sandbox.replace(device, "\nkata: true\n", "\n");
    assert_eq!(
        generate(&sandbox),
        "D argocd/applications/kata-containers/blockfile-scratch-daemonset.yaml
D argocd/applications/kata-containers/kustomization.yaml
D argocd/applications/kata-containers/runtimeclass-kata-fc.yaml
D devices/ryzen/manifests/kata-firecracker.patch.yaml
"
    );
    sandbox.replace(device, "\nlocalPath:\n  volumes: [local-path-provisioner]\n", "\n");
    assert_eq!(generate(&sandbox), "", "the default paths are still offered");
    sandbox.replace("talosmith.yaml", "        defaultPaths: [/var/mnt/local-path-provisioner]\n", "");
    assert_eq!(
        generate(&sandbox),
        "D argocd/applications/local-path/kustomization.yaml
D argocd/applications/local-path/patches/local-path-config.patch.yaml
D argocd/applications/local-path/patches/local-path-storageclass.patch.yaml
D argocd/applications/local-path/patches/namespace-labels.patch.yaml
"
    );
    assert_eq!(files(&sandbox.path("argocd")).len(), 0);
}

/// What kubectl builds from a folder; the remote base is replaced by the stand-in, whose image has the name that the
/// release gives it. None, and said aloud, where there is no kubectl.
fn built(sandbox: &Sandbox, folder: &str, image: &str) -> Option<String> {
    if Command::new("kubectl").arg("version").arg("--client").output().is_err() {
        assert!(std::env::var_os("TALOSMITH_ALL_TOOLS").is_none(), "kubectl is missing");
        eprintln!("skipped: kubectl is not on PATH");
        return None;
    }
    let stand_in = repository(".ci/stand-in/local-path");
    for path in files(&stand_in) {
        let text = fs::read_to_string(&path).expect("text").replace("rancher/local-path-provisioner:v0.0.31", image);
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        sandbox.write(&format!("{folder}/stand-in/{name}"), &text);
    }
    let kustomization = format!("{folder}/kustomization.yaml");
    let text = sandbox.read(&kustomization);
    let lines = text.lines().map(|line| match line.contains("github.com/rancher") {
        true => "  - stand-in\n".to_owned(),
        false => format!("{line}\n"),
    });
    sandbox.write(&kustomization, &lines.collect::<String>());
    let output = Command::new("kubectl").arg("kustomize").arg(sandbox.path(folder)).output().expect("kubectl starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn kubectl_builds_local_path_with_every_patch() {
    let sandbox = fleet();
    generate(&sandbox);
    let Some(built) = built(&sandbox, LOCAL_PATH, "rancher/local-path-provisioner:v0.0.31") else { return };
    insta::assert_snapshot!("local-path-built", built);
}

#[test]
fn kubectl_builds_kata_for_the_nodes_that_take_part() {
    let sandbox = fleet();
    generate(&sandbox);
    let Some(built) = built(&sandbox, "argocd/applications/kata-containers", "") else { return };
    insta::assert_snapshot!("kata-built", built);
}

#[test]
fn kubectl_puts_the_image_in_the_place_of_every_spelling() {
    let old = "rancher/local-path-provisioner";
    let new = "docker.io/rancher/local-path-provisioner";
    let digest = format!("sha256:{}", "b".repeat(64));
    let cases = [
        ("v0.0.35", old, "registry.example.net/x:1"),
        ("v0.0.36", new, "registry.example.net/x:1"),
        ("master", old, "registry.example.net/x:1"),
        ("master", new, "registry.example.net/x:1"),
        ("v0.0.37", new, &format!("docker.io/rancher/local-path-provisioner:v0.0.37@{digest}")),
        ("v0.0.31", old, &format!("localhost:5000/x@{digest}")),
    ];
    for (version, spelling, image) in cases {
        let sandbox = fleet();
        let fleet = FLEET.lines().map(|line| match line.trim_start().split(' ').next() {
            Some("version:") => format!("        version: {version}\n"),
            Some("image:") => format!("        image: {image}\n"),
            Some("namespace:") => "        namespace: delete\n".to_owned(),
            _ => format!("{line}\n"),
        });
        sandbox.write("talosmith.yaml", &fleet.collect::<String>());
        generate(&sandbox);
        let Some(built) = built(&sandbox, LOCAL_PATH, &format!("{spelling}:{version}")) else { return };
        let images: Vec<&str> =
            built.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("image: ")).collect();
        assert_eq!(images, ["busybox:1.36", image], "{version} as {spelling}");
        assert!(!built.contains("kind: Namespace"), "{built}");
    }
}
