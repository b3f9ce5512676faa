//! Whole fleets: a newer base config, secrets in several kinds of files, and checks of all devices against checks of some.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::sandbox::Sandbox;

#[test]
fn one_line_moves_a_cluster_to_a_base_of_1_14() {
    let sandbox = Sandbox::of_fleet("home-lab");
    sandbox.replace("talosmith.yaml", "talosVersion: v1.13.5\n", "talosVersion: v1.14.1\n    baseConfig: v1.13.5\n");
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    sandbox.replace("talosmith.yaml", "baseConfig: v1.13.5", "baseConfig: v1.14.0");
    let ran = sandbox.run(&["generate", "--tracked-only", "--diff", "bosgame"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    insta::assert_snapshot!("moved", format!("{}\n{}", ran.stdout, ran.stderr));
}

#[test]
fn a_key_that_a_base_of_1_14_cannot_express_is_a_finding_at_its_line() {
    let sandbox = Sandbox::of_fleet("edge");
    let device = "devices/pi/device.yaml";
    sandbox.write(device, &format!("{}kubelet: {{ disableManifestsDirectory: true }}\n", sandbox.read(device)));
    sandbox.replace("talosmith.yaml", "talosVersion: v1.13.8\n", "talosVersion: v1.14.1\n    baseConfig: v1.14.1\n");
    let ran = sandbox.run(&["generate", "--tracked-only"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("cannot_hold", format!("{}\n{}", ran.stdout, ran.stderr));
    assert!(!sandbox.path("devices/pi/manifests").exists());
}

#[test]
fn a_passphrase_and_a_password_are_written_to_their_own_files_only() {
    let passphrase = "correct horse battery staple";
    let company = Sandbox::of_fleet("company");
    let ran = company.run_with(&["generate", "prod-cp-1"], &[("RECOVERY_PASSPHRASE", passphrase)]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(!format!("{ran:?}").contains(passphrase));
    let folder = "devices/prod-cp-1/manifests";
    let template = company.read(&format!("{folder}/ephemeral-volume.template.yaml"));
    let filled = template.replace("\"${RECOVERY_PASSPHRASE}\"", passphrase);
    assert_ne!(filled, template);
    assert_eq!(company.read(&format!("{folder}/ephemeral-volume.yaml")), filled);
    let mode =
        fs::metadata(company.path(&format!("{folder}/ephemeral-volume.yaml"))).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let home = Sandbox::of_fleet("home-lab");
    let ran = home.run_with(&["generate", "nas"], &[("NUT_PASSWORD", "s3cret: #1"), ("WG0_KEY", "0x1=")]);
    assert_eq!(ran.status, 0, "{ran:?}");
    insta::assert_snapshot!("filled-password", home.read("devices/nas/manifests/nut-client-extension-service.yaml"));
    let template = home.read("devices/nas/manifests/wg0.template.yaml");
    assert_eq!(home.read("devices/nas/manifests/wg0.yaml"), template.replace("${WG0_KEY}", "\"0x1=\""));
    assert!(!home.path("devices/nas/manifests/tailscale-extension-service.yaml").exists(), "its secret has no source");
    assert_eq!(home.run(&["check", "nas"]).status, 0);
}

/// A fleet large enough for several threads, in which the certificates of some devices contain the addresses of others.
fn crowd() -> Sandbox {
    let sandbox = Sandbox::of(&[(
        "talosmith.yaml",
        "clusters:\n  east:\n    talosVersion: v1.13.0\n    controlplane: { certSANs: [controlplanes] }\n    \
         applications: { local-path: { version: v0.0.31, defaultPaths: [/var/mnt/data] } }\n  west:\n    talosVersion: v1.13.0\n",
    )]);
    for number in 0..80 {
        let cluster = ["east", "west"][number % 2];
        let role = if number < 6 { "controlplane" } else { "worker" };
        sandbox.write(
            &format!("devices/node-{number}/device.yaml"),
            &format!("name: node-{number}\ncluster: {cluster}\nrole: {role}\naddress: 10.0.0.{number}\n"),
        );
    }
    let ran = sandbox.run(&["generate"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    sandbox
}

#[test]
fn check_reports_what_generate_would_write() {
    let sandbox = crowd();
    assert_eq!(sandbox.run(&["check"]).stderr, "up to date: 80 devices and 86 files checked in [time]\n");
    let hostname = |number: u32| format!("devices/node-{number}/manifests/hostname.patch.yaml");
    let ours = sandbox.read(&hostname(70));
    sandbox.replace(&hostname(71), "node-71", "node-17");
    sandbox.replace("devices/node-2/manifests/cert-sans.patch.yaml", "10.0.0.2", "10.0.0.3");
    fs::remove_file(sandbox.path(&hostname(1))).expect("the file can be removed");
    let agree = |expected: &[String]| {
        let dry = sandbox.run(&["generate", "--dry-run", "--remove-devices"]);
        assert_eq!(dry.stdout.lines().collect::<Vec<_>>(), expected);
        let report = sandbox.run(&["check", "--format", "json"]).stdout;
        let report: serde_json::Value = serde_json::from_str(&report).expect("a report is JSON");
        let mut found: Vec<&str> =
            report["findings"].as_array().expect("findings").iter().filter_map(|it| it["path"].as_str()).collect();
        let mut paths: Vec<&str> =
            expected.iter().filter_map(|line| line.split_once(' ')).map(|(_, path)| path).collect();
        found.sort_unstable();
        paths.sort_unstable();
        assert_eq!(found, paths);
    };
    let mut expected = vec![
        format!("A {}", hostname(1)),
        "M devices/node-2/manifests/cert-sans.patch.yaml".to_owned(),
        format!("M {}", hostname(71)),
    ];
    agree(&expected);
    // Orphans, in the folder of a device that does not exist and in that of one that does.
    for path in ["devices/gone/manifests/hostname.patch.yaml", "devices/node-9/manifests/stray.yaml"] {
        sandbox.write(path, &ours);
        expected.push(format!("D {path}"));
    }
    agree(&expected);
}

#[test]
fn duplicate_names_of_a_certificate_are_dropped_for_one_device_and_for_all() {
    let sandbox = Sandbox::of(&[
        ("talosmith.yaml", "clusters: { home: { talosVersion: v1.13.0 } }\n"),
        (
            "devices/a/device.yaml",
            "name: a\ncluster: home\nrole: controlplane\naddress: 192.0.2.1\n\
             certSANs: [x.example.com, y.example.com, x.example.com]\n\
             apiServer: { certSANs: [z.example.com, z.example.com] }\n",
        ),
    ]);
    assert_eq!(sandbox.run(&["generate"]).status, 0);
    let text = sandbox.read("devices/a/manifests/cert-sans.patch.yaml");
    let (_, body) = text.split_once('\n').expect("a header");
    assert_eq!(body, "machine:\n  certSANs:\n    - x.example.com\n    - y.example.com\n");
    for arguments in [&["check"][..], &["check", "a"]] {
        assert_eq!(sandbox.run(arguments).status, 0, "{arguments:?}");
    }
}

#[test]
fn checking_devices_by_name_equals_checking_all() {
    for fleet in ["company", "edge", "features", "home-lab"] {
        let sandbox = Sandbox::of_fleet(fleet);
        assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0, "{fleet}");
        let all = sandbox.run(&["check"]);
        assert_eq!(all.status, 0, "{fleet}: {all:?}");
        let folders = fs::read_dir(sandbox.path("devices")).expect("devices");
        let names: Vec<String> =
            folders.map(|folder| folder.expect("a folder").file_name().into_string().expect("UTF-8")).collect();
        let mut arguments = vec!["check"];
        arguments.extend(names.iter().map(String::as_str));
        assert_eq!(sandbox.run(&arguments), all, "{fleet}");
    }
}
