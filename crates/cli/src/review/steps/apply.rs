//! The steps that apply the new config to a node.

use talosmith_machinery::DifferenceKind;
use talosmith_model::layout::device_folder;
use talosmith_model::plan::KataContainers;

use super::{NodeSteps, OLD_NAME, ReviewRow, get_name, has};
use crate::printable::shell_quote;

/// The whole config, and the one without what containerd does not start with before its scratch file exists.
pub(super) const CONFIG: &str = "config";
pub(super) const WITHOUT_KATA: &str = "without-kata";

impl NodeSteps<'_> {
    /// Builds the whole config, which `apply-config` replaces the node's by, and saves the way back.
    pub(super) fn config(&mut self) {
        let folder = &self.folder;
        let device = shell_quote(device_folder(&self.node.device.name).as_str());
        let has_base = self.cluster.generates_base || !self.node.device.base.is_empty();
        let base = if has_base { String::new() } else { format!(" --base {folder}/base.yaml") };
        let mut commands = vec![
            "umask 077".to_owned(),
            format!("mkdir -p {folder}"),
            format!("talosmith check {device} && talosmith validate {device}"),
        ];
        if self.kata.is_some() || self.optional_needs_scratch() {
            let without =
                format!("talosmith config {device}{base} --without kata --output {folder}/{WITHOUT_KATA}.yaml");
            commands.push(without);
        }
        commands.push(format!("talosmith config {device}{base} --output {folder}/{CONFIG}.yaml"));
        commands.push(format!("talosctl validate --config {folder}/{CONFIG}.yaml --mode {}", self.validation_mode()));
        if self.node.change == DifferenceKind::Changed {
            commands.push(format!(
                "{} get machineconfig v1alpha1 -o jsonpath='{{.spec}}' > {folder}/before.yaml",
                self.talosctl
            ));
            self.step(
                "Build the whole config, and save the way back; both files hold every secret of the cluster",
                &commands,
            );
        } else {
            self.step("Build the whole config; it holds every secret of the cluster", &commands);
        }
    }

    /// The mode of `talosctl validate` for the platform of the image.
    fn validation_mode(&self) -> &'static str {
        match self.image().map(|image| image.platform) {
            None | Some("metal") => "metal",
            Some(_) => "cloud",
        }
    }

    /// Applies the config; what turns on kata containers only after the rest, and when their scratch file is there.
    pub(super) fn apply_in_order(&mut self) {
        let rows = self.rows.clone();
        let name = if self.kata.is_some() { WITHOUT_KATA } else { CONFIG };
        match self.wipe.take() {
            Some(wipe) => {
                let title = wipe.title();
                let is_staged = self.wipe_and_apply(&title, &wipe, Some(name));
                self.wipe = Some(wipe);
                if !is_staged {
                    self.apply(name, &rows);
                }
            }
            None => {
                let others = rows.iter().copied().filter(|row| self.kata.is_none() || !is_of_containerd(row));
                self.apply(name, &others.collect::<Vec<_>>());
            }
        }
        if let Some(kata) = self.kata {
            self.turn_kata_on(kata);
        }
    }

    /// Applies the config with kata containers to a node that has all but them.
    pub(super) fn turn_kata_on(&mut self, kata: &KataContainers) {
        self.scratch_file(kata);
        match self.reboots_itself() {
            true => self.reboot_by_applying(),
            false => self.reboot_staged(),
        }
        let commands = [format!("{} service cri", self.talosctl), self.wait_until_ready()];
        self.step(
            "STATE must be Running, and HEALTH OK: if not, apply without-kata.yaml through the LAN and reboot",
            &commands,
        );
    }

    fn apply(&mut self, name: &str, rows: &[&ReviewRow]) {
        let apply = |steps: &Self, mode: &str| steps.apply_config(name, mode);
        if self.is_renamed() && !self.is_arrived {
            self.leave_name();
        }
        // containerd reads its own file only at boot, and its parts at once.
        let is_staged = !self.reboots_itself() && rows.iter().any(|row| row.what.contains("/etc/cri/containerd.toml"));
        if rows.iter().any(|row| row.may_cut) && !has(rows, "reboot") && !is_staged {
            let tried = apply(self, "try --timeout=2m");
            self.arrive();
            let commands = [tried, format!("{} get machinestatus", self.talosctl)];
            self.step("Try it, through the LAN: the node goes back by itself after two minutes", &commands);
        }
        match () {
            () if is_staged => self.reboot_staged(),
            () if has(rows, "reboot") && self.reboots_itself() => self.reboot_by_applying(),
            () if has(rows, "reboot") || has(rows, "pending") || has(rows, "grow") => {
                let commands = [apply(self, "no-reboot")];
                self.step("Apply it", &commands);
                self.arrive();
                let commands = self.reboot();
                self.step("Reboot, so that all of it takes effect", &commands);
            }
            () => {
                let commands = [apply(self, "no-reboot")];
                self.step("Apply it, without a reboot", &commands);
            }
        }
        self.arrive();
    }

    /// Prepares a node for another name: its pods belong to the node in Kubernetes that has the old one.
    fn leave_name(&mut self) {
        let mut commands = Vec::new();
        if self.has_unknown_name() {
            commands.push(format!("OLD=$({})", get_name(&self.talosctl)));
            self.node_name = OLD_NAME.to_owned();
        }
        commands.extend(self.claims_gate(&["/".to_owned()]));
        commands.extend(self.drain());
        let title = format!(
            "Its pods stop, and its local volumes stay bound to the name {}. So move them first:",
            self.node_name
        );
        self.step(&title, &commands);
    }

    pub(super) fn apply_config(&self, name: &str, mode: &str) -> String {
        format!("{} apply-config --file {}/{name}.yaml --mode={mode}", self.talosctl, self.folder)
    }

    /// Whether the Talos that applies the config reboots by itself.
    fn reboots_itself(&self) -> bool {
        self.node.device.versions.talos.minor() < (1, 14)
    }

    fn reboot_by_applying(&mut self) {
        let read = format!("{} read /proc/sys/kernel/random/boot_id", self.talosctl);
        let mut commands: Vec<String> = self.drain().into_iter().collect();
        commands.push(format!("BOOT=$({read})"));
        commands.push(self.apply_config(CONFIG, "auto"));
        self.arrive();
        let read = format!("{} read /proc/sys/kernel/random/boot_id", self.talosctl);
        commands.push(format!("until NOW=$({read}) && test \"$NOW\" != \"$BOOT\"; do sleep 5; done"));
        commands.push(self.wait_until_ready());
        commands.extend(self.uncordon());
        self.step("Apply it: the node reboots, and does not drain itself", &commands);
    }

    fn reboot_staged(&mut self) {
        let mut commands = vec![self.apply_config(CONFIG, "staged")];
        commands.extend(self.reboot());
        self.step(
            "Stage it, and reboot: containerd would get its parts at once, and its own file only at boot",
            &commands,
        );
        self.arrive();
    }

    fn reboot(&self) -> Vec<String> {
        let talosctl = &self.talosctl;
        // `--drain` is new in 1.13.
        if self.node.device.versions.talos.minor() >= (1, 13) {
            let drain = if self.node.size.nodes > 1 { " --drain" } else { "" };
            return vec![format!("{talosctl} reboot{drain}")];
        }
        let reboot = [format!("{talosctl} reboot"), self.wait_until_ready()];
        self.drain().into_iter().chain(reboot).chain(self.uncordon()).collect()
    }

    /// The gate: the scratch file exists, on its volume.
    fn scratch_file(&mut self, kata: &KataContainers) {
        let talosctl = &self.talosctl;
        let commands = [
            "# Argo CD applies it, or you do:".to_owned(),
            format!("kubectl apply -k {}", shell_quote(&kata.folder)),
            "kubectl -n kube-system rollout status daemonset/kata-blockfile-scratch".to_owned(),
            format!("# It must list the file with {} bytes, and the mount of its volume:", kata.scratch_bytes),
            format!("{talosctl} list -l {}", shell_quote(&kata.scratch_root)),
            format!("{talosctl} get mountstatus u-{}", shell_quote(&kata.scratch_volume)),
        ];
        self.step("Make the scratch file of kata containers, without which containerd does not start", &commands);
    }
}

fn is_of_containerd(row: &ReviewRow) -> bool {
    row.what.contains("/etc/cri/") || row.what.starts_with("CRI")
}
