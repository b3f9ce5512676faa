//! What the owner of a fleet goes through: another base config, secrets in several kinds of files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::sandbox::Sandbox;

#[test]
fn a_cluster_moves_to_a_base_of_1_14_by_one_line() {
    let sandbox = Sandbox::of_fleet("home-lab");
    sandbox.replace("talosmith.yaml", "talosVersion: v1.13.5\n", "talosVersion: v1.14.1\n    baseConfig: v1.13.5\n");
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    sandbox.replace("talosmith.yaml", "baseConfig: v1.13.5", "baseConfig: v1.14.0");
    let ran = sandbox.run(&["generate", "--tracked-only", "--diff", "bosgame"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    insta::assert_snapshot!("moved", format!("{}\n{}", ran.stdout, ran.stderr));
}

#[test]
fn what_a_base_of_1_14_cannot_hold_is_named_at_its_line() {
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
fn a_passphrase_and_a_password_stand_in_their_own_files_alone() {
    let passphrase = "correct horse battery staple";
    let company = Sandbox::of_fleet("company");
    let ran = company.run_with(&["generate", "prod-cp-1"], &[("RECOVERY_PASSPHRASE", passphrase)]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(!format!("{ran:?}").contains(passphrase));
    let folder = "devices/prod-cp-1/manifests";
    assert!(
        company
            .read(&format!("{folder}/ephemeral-volume.template.yaml"))
            .contains("passphrase: \"${RECOVERY_PASSPHRASE}\"\n")
    );
    assert!(
        company.read(&format!("{folder}/ephemeral-volume.yaml")).contains("passphrase: correct horse battery staple\n")
    );
    let mode =
        fs::metadata(company.path(&format!("{folder}/ephemeral-volume.yaml"))).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let home = Sandbox::of_fleet("home-lab");
    let ran = home.run_with(&["generate", "nas"], &[("NUT_PASSWORD", "s3cret: #1")]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let service = home.read("devices/nas/manifests/nut-client-extension-service.yaml");
    assert!(service.contains("MONITOR ups@192.168.10.2 1 monitor s3cret: #1 secondary\n"), "{service}");
    assert!(!home.path("devices/nas/manifests/tailscale-extension-service.yaml").exists(), "its secret has no source");
    assert_eq!(home.run(&["check", "nas"]).status, 0);
}
