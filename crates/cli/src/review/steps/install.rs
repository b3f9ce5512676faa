//! The steps of a node that is new, that is installed again, or that leaves its cluster.

use talosmith_machinery::Role;

use super::NodeSteps;
use super::apply::{CONFIG, WITHOUT_KATA};
use super::wipe::Wipe;

impl NodeSteps<'_> {
    /// Installs a new node.
    pub(super) fn install(&mut self) {
        self.config();
        self.boot_from_image();
        self.apply_in_maintenance(if self.kata.is_some() { WITHOUT_KATA } else { CONFIG }, Vec::new());
        if self.cluster.bootstraps {
            let talosctl = &self.talosctl;
            let commands = ["bootstrap", "health", "kubeconfig"].map(|command| format!("{talosctl} {command}"));
            let gate = format!("# When `{talosctl} service etcd` shows STATE Preparing:");
            let commands: Vec<String> = std::iter::once(gate).chain(commands).collect();
            self.step("Bootstrap etcd, once in the life of the cluster", &commands);
        }
        if let Some(kata) = self.kata {
            self.turn_kata_on(kata);
        }
        self.ready();
    }

    /// Takes a node out of its cluster.
    pub(super) fn leave(&mut self) {
        let wipe = Wipe::whole_disk();
        let mut lines = self.lost(&wipe);
        if self.node.before.role == Role::ControlPlane {
            lines.splice(..0, ["umask 077".to_owned(), format!("mkdir -p {}", self.folder)]);
        }
        self.step("The node keeps running until it is reset. What is on its system disk is lost then:", &lines);
        let mut commands: Vec<String> = self.drain().into_iter().collect();
        commands.push(self.reset(&wipe, false));
        commands.push(format!("kubectl delete node {}", self.node_name));
        self.step("Reset it and turn it off", &commands);
    }

    /// Boots the machine from the medium of its image.
    pub(super) fn boot_from_image(&mut self) {
        let mut commands = self.register_schematic();
        let device = &self.node.device;
        let lines = match self.image() {
            Some(image) if !image.id.is_empty() => vec![
                format!(
                    "curl -fL -O https://{}/image/{}/{}/{}",
                    image.factory, image.id, device.versions.talos, image.boot_file
                ),
                match (image.is_secureboot, image.boot_file.ends_with(".iso")) {
                    (true, _) => "# Boot the machine from it, with the firmware in setup mode, and enroll the keys in the boot menu.",
                    (false, true) => "# Boot the machine from it, with SecureBoot off.",
                    (false, false) => "# It is an installed system: unpack it with `xz -d`, and write it to the disk of the machine with `dd`.",
                }
                .to_owned(),
            ],
            _ => vec![format!("# Boot the machine from an image of Talos {}.", device.versions.talos)],
        };
        commands.extend(lines);
        self.step("Boot the machine from the image that it installs", &commands);
    }

    /// Applies a config to a machine that has none; other commands follow.
    pub(super) fn apply_in_maintenance(&mut self, name: &str, afterwards: Vec<String>) {
        let talosctl = &self.talosctl;
        let mut commands = vec![
            format!("until {talosctl} get disks --insecure; do sleep 5; done"),
            format!("{talosctl} apply-config --insecure --file {}/{name}.yaml", self.folder),
        ];
        commands.extend(afterwards);
        self.step("Apply the config in maintenance mode, at the address that the console shows", &commands);
    }
}
