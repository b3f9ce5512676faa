//! The whole machine config of a node, and its comparison with the one of a running node.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;

use sha2::{Digest as _, Sha256};

use crate::sandbox::{Sandbox, ran};

const FLEET: &str = "\
version: 1
clusters:
  home:
    talosVersion: v1.13.8
    baseConfig: v1.12.0
    endpoint: https://192.0.2.10:6443
    kubernetesVersion: v1.34.1
    secretsBundle: { file: secrets.yaml }
secrets:
  token:
    - env: TOKEN
";
const DEVICE: &str = "\
name: node
cluster: home
role: controlplane
address: 192.0.2.10
hostname: node
disks:
  system: { path: /dev/sda, size: 500GB, system: true }
sysctls: { vm.max_map_count: \"262144\" }
patches:
  registry:
    secrets: [token]
    inline:
      machine:
        registries:
          config:
            registry.example.com: { auth: { username: node, password: \"${TOKEN}\" } }
  log:
    inline: { apiVersion: v1alpha1, kind: KmsgLogConfig, name: remote, url: \"tcp://192.0.2.30:5000/\" }
";
/// A secrets bundle in which each value is its path.
const BUNDLE: &str = "\
cluster: { id: canary-cluster-id, secret: canary-cluster-secret }
secrets: { bootstraptoken: canary-bootstrap-token, secretboxencryptionsecret: canary-secretbox }
trustdinfo: { token: canary-trustd-token }
certs:
  etcd: { crt: Y2FuYXJ5LWV0Y2QtY3J0, key: Y2FuYXJ5LWV0Y2Qta2V5 }
  k8s: { crt: Y2FuYXJ5LWs4cy1jcnQ=, key: Y2FuYXJ5LWs4cy1rZXk= }
  k8saggregator: { crt: Y2FuYXJ5LWFnZy1jcnQ=, key: Y2FuYXJ5LWFnZy1rZXk= }
  k8sserviceaccount: { key: Y2FuYXJ5LXNhLWtleQ== }
  os: { crt: Y2FuYXJ5LW9zLWNydA==, key: Y2FuYXJ5LW9zLWtleQ== }
";
const TOKEN: (&str, &str) = ("TOKEN", "canary-registry-token");

/// A repository in git, with a secrets bundle that git ignores.
fn repository() -> Sandbox {
    let sandbox = Sandbox::of(&[
        ("talosmith.yaml", FLEET),
        ("devices/node/device.yaml", DEVICE),
        (".gitignore", "/secrets.yaml\n/*.config\n/devices/*/manifests/*-secret.yaml\n"),
    ]);
    sandbox.commit_all();
    sandbox.write("secrets.yaml", BUNDLE);
    sandbox
}

/// Fails if a value of the bundle or the token is in a text.
fn assert_no_secret(text: &str) {
    let encoded: Vec<&str> = BUNDLE.split([' ', ',', '\n']).filter(|word| word.starts_with("Y2Fu")).collect();
    assert_eq!(encoded.len(), 9);
    for secret in encoded.into_iter().chain(["canary-"]) {
        assert!(!text.contains(secret), "`{secret}` is in: {text}");
    }
}

#[test]
fn a_config_has_the_base_the_patches_and_all_secrets() {
    let sandbox = repository();
    let ran = sandbox.run_with(&["config", "node", "--output", "node.config"], &[TOKEN]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_no_secret(&ran.stderr);
    assert!(ran.stderr.starts_with("written: ") && ran.stderr.contains("mode 0600"), "{}", ran.stderr);
    let mode = fs::metadata(sandbox.path("node.config")).expect("the config").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    insta::assert_snapshot!("config", sandbox.read("node.config"));
    // A pipe gets the same.
    let piped = sandbox.run_with(&["config", "node", "--output", "-"], &[TOKEN]);
    assert_eq!((piped.status, piped.stdout, piped.stderr), (0, sandbox.read("node.config"), String::new()));
}

#[test]
fn documents_of_a_base_of_1_14_have_decoded_certificates() {
    let sandbox = repository();
    sandbox.replace("talosmith.yaml", "talosVersion: v1.13.8", "talosVersion: v1.14.1");
    sandbox.replace("talosmith.yaml", "baseConfig: v1.12.0", "baseConfig: v1.14.0");
    let ran = sandbox.run_with(&["config", "node", "--output", "-"], &[TOKEN]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("kind: KubeAPIServerCAConfig\nissuingCA:\n  cert: canary-k8s-crt\n  key: canary-k8s-key\n")
    );
    assert!(ran.stdout.contains("match: 'disk.dev_path == \"/dev/sda\"'\n"), "{}", ran.stdout);
}

#[test]
fn values_have_the_form_in_which_talos_writes_them() {
    let sandbox = repository();
    sandbox.replace("talosmith.yaml", "v1.13.8", "v1.12.7");
    sandbox.replace(
        "devices/node/device.yaml",
        "patches:\n",
        "patches:
  zswap: { inline: { apiVersion: v1alpha1, kind: ZswapConfig, maxPoolPercent: 20.5 } }
  dummy: { inline: { apiVersion: v1alpha1, kind: DummyLinkConfig, name: dummy0, hardwareAddr: 112233445566 } }
  search: { inline: { apiVersion: v1alpha1, kind: ResolverConfig, searchDomains: { domains: [] } } }
  numbers: { inline: { machine: { kubelet: { extraConfig: { memoryThrottlingFactor: 0.90, maxPods: 0x64 } } } } }
  firewall: { inline: { apiVersion: v1alpha1, kind: NetworkDefaultActionConfig } }
  admission: { inline: { cluster: { apiServer: { admissionControl: [{ name: PodSecurity, $patch: delete }] } } } }
  zero: { inline: { machine: { kubelet: { extraConfig: { memoryThrottlingFactor: -0 } } } } }
",
    );
    let config = sandbox.run(&["config", "node", "--redact"]);
    assert_eq!(config.status, 0, "{}", config.stderr);
    let others = ["\ningress: accept\n", " memoryThrottlingFactor: 0.9\n", " maxPods: 100\n"];
    for line in ["\nmaxPoolPercent: 20\n", "\nhardwareAddr: \"11:22:33:44:55:66\"\n"].into_iter().chain(others) {
        assert!(config.stdout.contains(line), "{line}: {}", config.stdout);
    }
    for key in ["searchDomains", "admissionControl"] {
        assert!(!config.stdout.contains(key), "{key}: {}", config.stdout);
    }
    sandbox.write("saved.config", &config.stdout);
    let drift = sandbox.run(&["drift", "node", "saved.config"]);
    assert_eq!(drift.status, 0, "{}{}", drift.stdout, drift.stderr);
}

#[test]
fn what_only_a_generated_base_config_has_is_reviewed() {
    let sandbox = repository();
    sandbox.replace("devices/node/device.yaml", "/dev/sda", "/dev/sdb");
    let review = sandbox.run(&["review"]).stdout;
    let row = "install  node\n  machine.install.disk: /dev/sda → /dev/sdb\n    devices/node/device.yaml:7\n";
    assert!(review.contains(row), "{review}");
}

#[test]
fn a_redacted_config_needs_no_secret_and_no_key_of_the_cluster() {
    let sandbox = repository();
    let whole = sandbox.run_with(&["config", "node", "--output", "-"], &[TOKEN]).stdout;
    fs::remove_file(sandbox.path("secrets.yaml")).expect("the bundle is there");
    let redacted = sandbox.run(&["config", "node", "--redact"]);
    assert_eq!((redacted.status, redacted.stderr.as_str()), (0, ""));
    assert_no_secret(&redacted.stdout);
    let is_secret = |line: &str| line.contains("canary-") || line.contains("Y2Fu");
    for (line, plain) in redacted.stdout.lines().zip(whole.lines()) {
        assert!(line == plain || line.contains("${") && is_secret(plain), "{line}\n{plain}");
    }
    for key in [
        "    endpoint: https://192.0.2.10:6443\n",
        "    kubernetesVersion: v1.34.1\n",
        "    secretsBundle: { file: secrets.yaml }\n",
    ] {
        sandbox.replace("talosmith.yaml", key, "");
    }
    let redacted = sandbox.run(&["config", "node", "--redact"]);
    assert_eq!(redacted.status, 0, "{}", redacted.stderr);
    assert!(redacted.stdout.contains("endpoint: \"https://${endpoint}:6443\"\n"), "{}", redacted.stdout);
}

#[test]
fn secrets_go_to_no_file_that_stays_or_that_git_would_publish() {
    let sandbox = repository();
    let file = File::create(sandbox.path("log.config")).expect("a file");
    let mut command = sandbox.command(&["config", "node", "--output", "-"]);
    let to_file = ran(command.env(TOKEN.0, TOKEN.1).stdout(file).output().expect("it runs"));
    assert_eq!((to_file.status, sandbox.read("log.config").as_str()), (2, ""));
    assert!(to_file.stderr.contains("only written to a pipe"), "{}", to_file.stderr);
    for (output, reason) in [("node.yaml", "git does not ignore"), ("talosmith.yaml", "git tracks")] {
        let before = sandbox.state();
        let refused = sandbox.run_with(&["config", "node", "--output", output], &[TOKEN]);
        assert_eq!(refused.status, 2, "{}", refused.stderr);
        assert!(
            refused.stderr.contains(reason) && refused.stderr.contains("outside of the repository"),
            "{}",
            refused.stderr
        );
        assert_eq!(sandbox.state(), before);
    }
    let elsewhere = Sandbox::of(&[]);
    let path = elsewhere.path("node.yaml").display().to_string();
    let written = sandbox.run_with(&["config", "node", "--output", &path], &[TOKEN]);
    assert_eq!(written.status, 0, "{}", written.stderr);
    assert!(elsewhere.read("node.yaml").contains("canary-trustd-token"));
    let without = sandbox.run(&["config", "node"]);
    assert_eq!((without.status, without.stdout.as_str()), (2, ""));
    assert!(without.stderr.contains("--output <FILE>"), "{}", without.stderr);
}

#[test]
fn what_a_config_lacks_is_named_and_nothing_is_written() {
    let cases = [
        ("talosmith.yaml", "    endpoint: https://192.0.2.10:6443\n", "", "needs `endpoint` of the cluster `home`"),
        ("talosmith.yaml", "    kubernetesVersion: v1.34.1\n", "", "needs `kubernetesVersion` of the cluster `home`"),
        (
            "talosmith.yaml",
            "    secretsBundle: { file: secrets.yaml }\n",
            "",
            "needs `secretsBundle` of the cluster `home`",
        ),
        ("talosmith.yaml", "secrets.yaml }", "missing.yaml }", "the file `missing.yaml` does not exist"),
        (
            "secrets.yaml",
            "trustdinfo: { token: canary-trustd-token }\n",
            "",
            "the secrets bundle of `home` has no `trustdinfo.token`",
        ),
        ("secrets.yaml", "canary-trustd-token", "\"ENC[AES256_GCM,data:x]\"", "it is still encrypted"),
        ("secrets.yaml", "cluster: {", "[", "the secrets bundle of `home` is no YAML mapping"),
        ("devices/node/device.yaml", "password:", "passwort:", "passwort"),
    ];
    for (file, old, new, reason) in cases {
        let sandbox = repository();
        sandbox.replace(file, old, new);
        let ran = sandbox.run_with(&["config", "node", "--output", "node.config"], &[TOKEN]);
        assert!(ran.status > 0 && ran.stdout.is_empty(), "{reason}: {}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{reason}: {}", ran.stderr);
        assert_no_secret(&ran.stderr);
        assert!(!sandbox.path("node.config").exists(), "{reason}");
    }
    let sandbox = repository();
    let without_token = sandbox.run(&["config", "node", "--output", "node.config"]);
    assert_eq!(without_token.status, 2);
    assert!(without_token.stderr.contains("no source of the secret `token` is available"), "{}", without_token.stderr);
    assert!(!sandbox.path("node.config").exists());
    sandbox.git(&["add", "--force", "secrets.yaml"]);
    let tracked = sandbox.run_with(&["config", "node", "--output", "node.config"], &[TOKEN]);
    assert_eq!(tracked.status, 1);
    assert!(tracked.stderr.contains("git tracks `secrets.yaml`"), "{}", tracked.stderr);
    assert!(!sandbox.path("node.config").exists());
}

#[test]
fn a_base_config_can_be_given() {
    let sandbox = repository();
    sandbox.write("devices/plain/device.yaml", "name: plain\ncluster: home\nrole: controlplane\naddress: 192.0.2.11\n");
    let plain = sandbox.run(&["config", "plain", "--output", "-"]);
    let own = "token: canary-own-token\n  sysctls: { a.b: \"1\" }\n";
    let base = plain.stdout.replace("token: canary-trustd-token\n", own);
    sandbox.write("base.config", &base);
    let given = ["config", "node", "--base", "base.config", "--output", "-"];
    let ran = sandbox.run_with(&given, &[TOKEN]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let sysctls = "token: canary-own-token\n  sysctls:\n    a.b: \"1\"\n    vm.max_map_count: \"262144\"\n";
    assert_eq!(plain.stderr, "");
    assert!(ran.stdout.contains(sysctls) && ran.stdout.contains("password: canary-registry-token"), "{}", ran.stdout);
    sandbox.write("base.config", &base.replace(own, "token: canary-own-token\n  typo: canary-typo\n"));
    let refused = sandbox.run_with(&given, &[TOKEN]);
    assert_eq!((refused.status, refused.stdout.as_str()), (2, ""));
    assert!(
        refused.stderr.contains("base.config is no base config") && refused.stderr.contains("typo"),
        "{}",
        refused.stderr
    );
    assert_no_secret(&refused.stderr.replace("canary-typo", ""));
}

/// What `talosctl get machineconfig -o yaml` prints for a config.
fn resource(id: &str, config: &str) -> String {
    let spec: String = config.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "---\nnode: 192.0.2.10\nmetadata:\n    namespace: config\n    type: MachineConfigs.config.talos.dev\n    id: {id}\nspec: |\n{spec}"
    )
}

#[test]
fn a_node_with_its_config_has_no_drift() {
    let sandbox = repository();
    let config = sandbox.run_with(&["config", "node", "--output", "-"], &[TOKEN]).stdout;
    let saved = [resource("persistent", "version: v1alpha1\n"), resource("v1alpha1", &config)].concat();
    for text in [&config, &saved] {
        sandbox.write("node.config", text);
        let ran = sandbox.run(&["drift", "node", "node.config"]);
        assert_eq!((ran.status, ran.stdout.as_str()), (0, "no drift: node has what its files set\n"), "{}", ran.stderr);
    }
}

#[test]
fn drift_is_what_the_files_set_and_the_node_lacks() {
    let sandbox = repository();
    let mut config = sandbox.run_with(&["config", "node", "--output", "-"], &[TOKEN]).stdout;
    for (old, new) in [
        ("vm.max_map_count: \"262144\"", "vm.max_map_count: \"65530\""),
        ("hostname: node\n", "hostname: other\n"),
        ("username: node", "username: other"),
        // What no file sets is the base config's.
        ("kubelet:v1.34.1", "kubelet:v1.33.0"),
    ] {
        assert!(config.contains(old), "{old}: {config}");
        config = config.replace(old, new);
    }
    // The files write no document of the second kind.
    for (kind, name) in [("KmsgLogConfig", "added"), ("WireguardConfig", "wg0")] {
        let document = format!("---\napiVersion: v1alpha1\nkind: {kind}\nname: {name}\n");
        config.push_str(&format!("{document}privateKey: canary-other\nurl: tcp://user:canary-password@192.0.2.1:1/\n"));
    }
    sandbox.write("node.config", &resource("v1alpha1", &config));
    let ran = sandbox.run(&["drift", "node", "node.config"]);
    assert_eq!(ran.status, 1);
    assert_no_secret(&format!("{}{}", ran.stdout, ran.stderr));
    insta::assert_snapshot!("drift", ran.stdout);
    let json = sandbox.run(&["drift", "node", "node.config", "--format", "json"]);
    assert_eq!(json.status, 1);
    assert_no_secret(&json.stdout);
    insta::assert_snapshot!("drift_json", json.stdout);
}

#[test]
fn what_is_no_config_of_one_node_is_refused() {
    let sandbox = repository();
    let config = resource("v1alpha1", "version: v1alpha1\n");
    let cases = [
        ("clusters: {}\n".to_owned(), "it is no machine config"),
        ("a: [\n".to_owned(), "it is no YAML"),
        (resource("persistent", "version: v1alpha1\n"), "it has no MachineConfigs.config.talos.dev `v1alpha1`"),
        ([config.as_str(), &config].concat(), "it has the configs of several nodes"),
    ];
    for (text, reason) in cases {
        sandbox.write("node.config", &text);
        let ran = sandbox.run(&["drift", "node", "node.config"]);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{reason}: {}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{reason}: {}", ran.stderr);
    }
}

/// `.ci/conformance` compares the configs with these digests with those of the machinery.
#[test]
fn no_device_of_a_fleet_differs_from_its_own_config() {
    let mut digests = Vec::new();
    for fleet in ["company", "edge", "features", "home-lab", "own", "rack"] {
        let sandbox = if fleet == "own" { Sandbox::of_this_repository() } else { Sandbox::of_fleet(fleet) };
        let folders = fs::read_dir(sandbox.path("devices")).expect("devices");
        for folder in folders.map(|entry| entry.expect("a folder").file_name()) {
            let name = folder.to_str().expect("UTF-8");
            let config = sandbox.run(&["config", name, "--redact"]);
            assert_eq!(config.status, 0, "{name}: {}", config.stderr);
            sandbox.write("saved.yaml", &config.stdout);
            let ran = sandbox.run(&["drift", name, "saved.yaml"]);
            assert_eq!(
                (ran.status, ran.stdout),
                (0, format!("no drift: {name} has what its files set\n")),
                "{}",
                ran.stderr
            );
            let digest: String = Sha256::digest(&config.stdout).iter().map(|byte| format!("{byte:02x}")).collect();
            digests.push(format!("{fleet}/{name} {digest}"));
        }
    }
    digests.sort();
    assert!(digests.len() > 20, "{} devices", digests.len());
    insta::assert_snapshot!("config-digests", digests.join("\n"));
}
