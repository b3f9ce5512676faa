//! `talosmith import` into a repository that has a model already.

use crate::import::{assert_generates, assert_no_secrets, imported, sandbox};
use crate::sandbox::Sandbox;

/// A repository with the model of two nodes, whose imported files are still there.
fn repository() -> Sandbox {
    let sandbox = sandbox("home");
    let mut moved: Vec<(String, String)> = Vec::new();
    for name in ["gpu.yaml", "network.yaml"] {
        let path = format!("talos/patches/worker-2/{name}");
        moved.push((path.clone(), sandbox.read(&path)));
        std::fs::remove_file(sandbox.path(&path)).expect("a file");
    }
    imported(&sandbox, &["talos/patches", "--talos-version", "v1.13.8", "--address", "cp-1=192.168.20.11"]);
    assert_generates(&sandbox, &[]);
    sandbox.commit_all();
    moved.iter().for_each(|(path, text)| sandbox.write(path, text));
    sandbox
}

#[test]
fn a_new_device_does_not_repeat_the_keys_of_its_layers() {
    let sandbox = repository();
    let ran = imported(&sandbox, &["talos/patches"]);
    insta::assert_snapshot!("import-existing", ran.stdout);
    insta::assert_snapshot!("import-existing-worker-2.yaml", sandbox.read("devices/worker-2/device.yaml"));
    assert_eq!(sandbox.git(&["status", "--short", "--untracked-files=no"]), "");
    assert_generates(&sandbox, &[]);
}

#[test]
fn a_layer_that_adds_a_value_is_a_difference_with_its_key() {
    let sandbox = repository();
    std::fs::remove_dir_all(sandbox.path("talos")).expect("a folder");
    sandbox.write("old/n/time.yaml", "machine:\n  time:\n    servers: [time.cloudflare.com]\n  env:\n    a: b\n");
    let ran = imported(&sandbox, &["old/n"]);
    insta::assert_snapshot!("import-existing-inherited", ran.stdout);
    assert!(!sandbox.read("devices/n/device.yaml").contains("time.cloudflare.com"));
    let one = "nameservers: null\n";
    let device = sandbox.read("devices/n/device.yaml");
    sandbox.write(
        "devices/n/device.yaml",
        &format!("{device}\n{one}\nsysctls: {{ fs.inotify.max_user_watches: null }}\n"),
    );
    assert_eq!(sandbox.run(&["validate", "--quiet"]).status, 0, "the keys that are proposed are valid");
}

#[test]
fn a_whole_machine_config_gets_nothing_from_the_layers() {
    let sandbox = repository();
    let whole = self::sandbox("whole");
    sandbox.write("worker-8.yaml", &whole.read("worker-1.yaml").replace("worker-1", "worker-8"));
    let ran = sandbox.run(&["import", "worker-8.yaml", "--cluster", "home"]);
    insta::assert_snapshot!("import-existing-whole", ran.stdout);
    insta::assert_snapshot!("import-existing-whole-worker-8.yaml", sandbox.read("devices/worker-8/device.yaml"));
    assert_generates(&sandbox, &[]);
}

#[test]
fn a_new_cluster_and_secrets_are_added_to_talosmith_yaml() {
    let sandbox = repository();
    sandbox.replace("talosmith.yaml", "version: 1\n", "version: 1 # of the model\n");
    let old = sandbox.read("talosmith.yaml");
    let auth =
        "apiVersion: v1alpha1\nkind: RegistryAuthConfig\nname: registry.lab\nusername: me\npassword: CANARYCANARY\n";
    sandbox.write("old/auth.yaml", auth);
    let ran = sandbox.run(&["import", "edge-1=old/auth.yaml", "--cluster", "edge", "--talos-version", "v1.13.8"]);
    insta::assert_snapshot!("import-existing-cluster", ran.stdout);
    let new = sandbox.read("talosmith.yaml");
    let added = new.strip_prefix(&old).expect("only lines are added");
    insta::assert_snapshot!("import-existing-cluster-talosmith.yaml", added);
    assert_no_secrets(&sandbox, &ran, &["old/auth.yaml"], &["CANARY"]);
    assert_generates(&sandbox, &[]);
}

#[test]
fn a_talosmith_yaml_in_braces_is_not_edited() {
    let device = "name: a\ncluster: home\nrole: controlplane\naddress: 192.168.20.5\n";
    let fleet = "clusters: { home: { talosVersion: v1.13.8 } }\n";
    let time = "machine:\n  time:\n    servers: [time.lab.example]\n";
    let sandbox = Sandbox::of(&[("talosmith.yaml", fleet), ("devices/a/device.yaml", device), ("b/time.yaml", time)]);
    let before = sandbox.state();
    let ran = sandbox.run(&["import", "b", "--cluster", "edge"]);
    assert_eq!(ran.status, 2, "{}", ran.stdout);
    insta::assert_snapshot!("import-existing-braces", ran.stderr);
    assert_eq!(sandbox.state(), before);
    imported(&sandbox, &["b"]);
    assert!(sandbox.read("devices/b/device.yaml").contains("role: worker # PLACEHOLDER"));
    assert_eq!(sandbox.read("talosmith.yaml"), fleet);
}
