//! The image of a node, and the steps to another one.

use talosmith_machinery::Role;
use talosmith_render::{boot_file, generated_files};

use super::NodeSteps;
use crate::printable::shell_quote;

/// The installer image that a node gets, and the medium that belongs to it.
pub(super) struct Image<'d> {
    reference: &'d str,
    pub factory: &'d str,
    pub platform: &'d str,
    /// The ID of its schematic; empty if it is not one of the model.
    pub id: &'d str,
    pub boot_file: String,
    pub is_secureboot: bool,
}

impl NodeSteps<'_> {
    pub(super) fn image(&self) -> Option<Image<'_>> {
        let device = &self.node.device;
        let reference = device.images.install.image.as_ref()?.reference.as_str();
        let mut parts = reference.split('/');
        let factory = parts.next().unwrap_or_default();
        // As in `factory.talos.dev/metal-installer-secureboot/ID:VERSION`.
        let installer = parts.find_map(|part| part.split_once("-installer"));
        let platform = installer.map_or("metal", |(platform, _)| platform);
        let id = device.images.applied().map_or("", |schematic| &schematic.id);
        let is_secureboot = installer.is_some_and(|(_, rest)| rest.starts_with("-secureboot"));
        Some(Image { reference, factory, platform, id, boot_file: boot_file(device, platform), is_secureboot })
    }

    /// Registers the schematic of the image, and compares its ID.
    pub(super) fn register_schematic(&self) -> Vec<String> {
        let device = &self.node.device;
        let Some((image, schematic)) = self.image().zip(device.images.applied()) else { return Vec::new() };
        let key = format!("schematics.{}", schematic.name);
        let Some(file) = generated_files(device).into_iter().find(|file| file.key == key) else { return Vec::new() };
        let (path, factory) = (shell_quote(file.path.as_str()), image.factory);
        vec![
            format!(
                "ID=$(curl -fsS -X POST -H 'Content-Type: application/yaml' --data-binary @{path} https://{factory}/schematics | jq -r .id)"
            ),
            format!("test \"$ID\" = {} && echo same", schematic.id),
        ]
    }

    pub(super) fn upgrade(&mut self, title: &str) {
        let talosctl = self.talosctl.clone();
        let mut commands = self.register_schematic();
        if self.node.device.role == Role::ControlPlane {
            if self.number == 0 {
                commands.extend(["umask 077".to_owned(), format!("mkdir -p {}", self.folder)]);
            }
            commands.push(format!("{talosctl} etcd snapshot {}/etcd.db", self.folder));
            commands.push(format!("{talosctl} etcd status"));
            commands.push(format!("{talosctl} etcd members"));
        }
        let (before, after) = (&self.node.before, &self.node.device);
        let is_to_1_13 = before.versions.talos.minor() < (1, 13) && after.versions.talos.minor() == (1, 13);
        if is_to_1_13 && (before.kubernetes.gpu.nvidia.is_some() || after.kubernetes.gpu.nvidia.is_some()) {
            commands.push("# Remove NVIDIA's device plugin and the RuntimeClass `nvidia` before.".to_owned());
        }
        commands.push("# Every PHASE must be `ready`.".to_owned());
        commands.push(format!("{talosctl} get volumestatus"));
        // talosctl drains the node itself since 1.13, and an only node has nowhere to move its pods.
        let has_drain = self.node.before.versions.talos.minor() >= (1, 13);
        let option = match () {
            // GRUB's arguments of the config would be lost.
            () if has_drain && self.node.device.has_boot_arguments() => " --legacy",
            () if has_drain && self.node.size.nodes < 2 => " --drain=false",
            () => "",
        };
        let drain = match has_drain && option != " --legacy" {
            true => "stops the drain: the node stays cordoned, and boots the new image at its next reboot.",
            false => "holds up the drain for five minutes; then the pods are killed.",
        };
        if option != " --drain=false" {
            commands.push(format!("# ALLOWED DISRUPTIONS 0 {drain}"));
            commands.push("kubectl get pdb -A".to_owned());
        }
        commands.push(match self.image() {
            Some(image) => format!("{talosctl} upgrade --image {}{option}", image.reference),
            None => "# the model names no image: talosctl upgrade --image IMAGE".to_owned(),
        });
        commands.push(format!("{talosctl} get extensions"));
        commands.push(self.wait_until_ready());
        self.step(title, &commands);
    }
}
