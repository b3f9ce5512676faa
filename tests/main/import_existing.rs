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

/// A repository with a control plane, and a worker with these keys.
fn with_worker(keys: &str) -> Sandbox {
    let device = |name: &str, role: &str, last: u8| {
        format!("name: {name}\ncluster: home\nrole: {role}\naddress: 192.168.20.{last}\n")
    };
    let sandbox = Sandbox::of(&[
        ("talosmith.yaml", "clusters:\n  home:\n    talosVersion: v1.13.8\n    worker:\n      labels:\n        a: b\n"),
        ("devices/cp-1/device.yaml", &device("cp-1", "controlplane", 11)),
        ("devices/worker-1/device.yaml", &format!("{}{keys}", device("worker-1", "worker", 21))),
    ]);
    let generated = sandbox.run(&["generate"]);
    assert_eq!(generated.status, 0, "{}", generated.stderr);
    sandbox.commit_all();
    for name in ["worker-2", "worker-3"] {
        let own = "  time: { servers: [time.lab.example] }\n  sysctls: { vm.swappiness: \"10\" }\n  env: { a: b }\n";
        let labels = format!("  nodeLabels: {{ zone: lab, rack: {name} }}\n");
        sandbox.write(&format!("new/{name}/machine.yaml"), &format!("machine:\n{own}{labels}"));
    }
    sandbox
}

#[test]
fn keys_that_new_devices_share_are_added_to_a_layer_if_no_existing_device_changes() {
    let own = "sysctls: { vm.swappiness: \"1\" }\nlabels: { zone: other }\n";
    let sandbox = with_worker(own);
    sandbox.run(&["import", "new"]);
    insta::assert_snapshot!("import-existing-shared-talosmith.yaml", sandbox.read("talosmith.yaml"));
    insta::assert_snapshot!("import-existing-shared-worker-2.yaml", sandbox.read("devices/worker-2/device.yaml"));
    assert_generates(&sandbox, &[]);
    // The existing worker has neither `time` nor the patch, and keeps its own sysctls and labels.
    assert_eq!(sandbox.git(&["diff", "--name-only", "HEAD", "--", "devices/cp-1", "devices/worker-1"]), "");
    // Without other workers, everything that they share is added.
    let sandbox = with_worker("");
    sandbox.replace("devices/worker-1/device.yaml", "role: worker", "role: controlplane");
    let ran = sandbox.run(&["import", "new"]);
    insta::assert_snapshot!("import-existing-shared", ran.stdout);
    assert_eq!(sandbox.read("devices/worker-2/device.yaml").lines().last(), Some("  rack: worker-2"));
    // A layer in braces is not edited.
    let sandbox = with_worker(own);
    sandbox.replace(
        "talosmith.yaml",
        "    worker:\n      labels:\n        a: b\n",
        "    worker: { labels: { a: b } }\n",
    );
    let text = sandbox.read("talosmith.yaml");
    sandbox.run(&["import", "new"]);
    assert_eq!(sandbox.read("talosmith.yaml"), text);
    assert_generates(&sandbox, &[]);
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
