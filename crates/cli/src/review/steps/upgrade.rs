//! The steps to another image.

use talosmith_machinery::Role;
use talosmith_render::generated_files;

use super::NodeSteps;
use crate::printable::shell_quote;

impl NodeSteps<'_> {
    pub(super) fn upgrade(&mut self, title: &str) {
        let device = &self.node.device;
        let talosctl = self.talosctl.clone();
        let mut commands = Vec::new();
        let files = generated_files(device);
        let image = device.images.install.image.as_ref();
        if let Some(schematic) = device.images.applied() {
            let key = format!("schematics.{}", schematic.name);
            if let Some(file) = files.iter().find(|file| file.key == key) {
                let path = shell_quote(file.path.as_str());
                let reference = image.map_or("", |image| &image.reference);
                let factory = reference.split('/').next().unwrap_or_default();
                commands.push(format!(
                    "ID=$(curl -fsS -X POST -H 'Content-Type: application/yaml' --data-binary @{path} https://{factory}/schematics | jq -r .id)"
                ));
                commands.push(format!("test \"$ID\" = {} && echo same", schematic.id));
            }
        }
        if device.role == Role::ControlPlane {
            commands.push(format!("{talosctl} etcd snapshot {}/etcd.db", self.folder));
            commands.push(format!("{talosctl} etcd status"));
        }
        commands.push("kubectl get pdb -A".to_owned());
        match image {
            Some(image) => commands.push(format!("{talosctl} upgrade --image {}", image.reference)),
            None => commands.push("# the model names no image: talosctl upgrade --image IMAGE".to_owned()),
        }
        commands.push(format!("{talosctl} get extensions"));
        self.step(title, &commands);
    }
}
