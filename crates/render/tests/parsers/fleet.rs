//! A fleet of one device with every feature.

use std::collections::BTreeMap;
use std::sync::Arc;

use talosmith_document::Sources;
use talosmith_model::plan::{
    Caches, Cluster, ControlPlanes, CrossDeviceInput, Device, FleetPlan, PlannedDevice, clusters,
};
use talosmith_model::{DeviceFile, FleetFile};
use talosmith_render::{Artifact, ArtifactError, Renderer};

const FLEET: &str = "
clusters:
  home:
    talosVersion: v1.14.1
    baseConfig: BASE
    applications:
      local-path:
        version: v0.0.31
        image: registry.example/local-path-provisioner:v0.0.31
        helperPodImage: busybox:1.36
        namespace: label
        defaultClass: true
        defaultPaths: [/var/mnt/other]
      kata-containers:
        runtime: kata-fc
        snapshotter: blockfile
        scratch: { volume: scratch, path: containerd/scratch, size: 10GiB }
        sandboxImage: registry.k8s.io/pause:3.10
        nodeSelector: { kata-deploy: enabled }
        images: { scratch: \"debian:bookworm\", hold: \"busybox:1.36\" }
secrets:
  tailscale-authkey:
    - env: TAILSCALE_AUTHKEY
";

const DEVICE: &str = "
name: ryzen
cluster: home
role: controlplane
address: 192.0.2.10
schematics:
  main:
    extraKernelArgs: [amd_iommu=off]
    extensions: [siderolabs/kata-containers, siderolabs/tailscale, siderolabs/amdgpu]
install:
  image: { schematic: main }
  alternatives:
    own: { reference: \"registry.example/installer:v1.14.1\" }
  wipe: false
disks:
  nvme0n1: { size: 2048408248320B, selector: disk.transport == 'nvme', system: true }
volumes:
  EPHEMERAL: { disk: nvme0n1, size: 100GiB }
  scratch: { disk: nvme0n1, size: 500GB }
  data: { disk: nvme0n1, minSize: 100GB, grow: true }
localPath: { volumes: [data], storageClasses: { data: { annotations: { defaultVolumeType: local } } } }
kata: true
gpu:
  amd: { devicePlugin: \"rocm/k8s-device-plugin:1\", labeller: \"rocm/k8s-device-plugin:labeller-1\" }
labels: { kata-deploy: enabled, kubevirt.io/schedulable: \"true\" }
nameservers: [192.0.2.1]
tailscale: { authKey: tailscale-authkey, routes: [services, pods], acceptDNS: false }
allowSchedulingOnControlPlanes: SCHEDULING
";

/// The versions of the base config: one of a single v1alpha1 document, and one of several documents.
pub(crate) const BASES: [&str; 2] = ["v1.12.1", "v1.14.0"];

/// A fleet whose devices were planned.
pub(crate) struct Plan {
    pub clusters: Vec<Cluster>,
    pub devices: Vec<Arc<Device>>,
}

/// The plan of the fleet.
pub(crate) fn plan(base: &str, scheduling: bool) -> Plan {
    let mut sources = Sources::default();
    let text = FLEET.replace("BASE", base);
    let fleet = FleetFile::read(sources.add("talosmith.yaml", text.as_str()), &text).0.expect("a fleet");
    let text = DEVICE.replace("SCHEDULING", &scheduling.to_string());
    let source = sources.add("devices/ryzen/device.yaml", text.as_str());
    let (device, findings) = DeviceFile::read(&fleet, source, "ryzen", &text.as_str().into());
    assert_eq!(findings, []);
    let device = device.expect("a device");
    let mut plan = FleetPlan::new(&fleet);
    plan.add_file(CrossDeviceInput::new(&fleet, &device));
    let planned = PlannedDevice::new(&fleet, &device, &BTreeMap::new(), &ControlPlanes::default(), &Caches::default());
    assert_eq!(planned.findings, []);
    plan.add_application(planned.application, false);
    let (clusters, findings) = clusters(&fleet);
    assert_eq!(findings, []);
    let (clusters, findings) = plan.finish(clusters);
    assert_eq!(findings, []);
    Plan { clusters, devices: vec![planned.device] }
}

/// Returns every artifact, or all errors.
pub(crate) fn render(plan: &Plan, overrides: &BTreeMap<String, String>) -> Result<Vec<Artifact>, Vec<ArtifactError>> {
    let renderer = Renderer::new(overrides, &plan.clusters);
    let of_devices = plan.devices.iter().map(|device| {
        let rendered = renderer.device(device)?;
        let proved = renderer.prove_device(device, &rendered.iter().collect::<Vec<_>>());
        Ok((rendered, proved))
    });
    let of_clusters = plan.clusters.iter().map(|cluster| {
        let rendered = renderer.cluster(cluster)?;
        let proved = renderer.prove_cluster(cluster, &rendered.iter().collect::<Vec<_>>());
        Ok((rendered, proved))
    });
    let (mut artifacts, mut errors) = (Vec::new(), Vec::new());
    for result in of_devices.chain(of_clusters) {
        match result {
            Ok((rendered, proved)) => {
                errors.extend(proved.into_iter().map(ArtifactError::Template));
                artifacts.extend(rendered);
            }
            Err(wrong) => errors.extend::<Vec<ArtifactError>>(wrong),
        }
    }
    if errors.is_empty() { Ok(artifacts) } else { Err(errors) }
}

/// Every artifact of a device, or everything for which a template, Talos or another reader refuses it.
pub(crate) fn check(plan: &Plan, overrides: &BTreeMap<String, String>) -> Result<Vec<Artifact>, Vec<ArtifactError>> {
    let renderer = Renderer::new(overrides, &plan.clusters);
    let device = &plan.devices[0];
    let artifacts = renderer.device(device)?;
    renderer.check_patches(device, &artifacts)?;
    let invalid: Vec<_> = artifacts
        .iter()
        .flat_map(|artifact| renderer.check_schema(artifact))
        .map(Box::new)
        .map(ArtifactError::Invalid)
        .collect();
    if invalid.is_empty() { Ok(artifacts) } else { Err(invalid) }
}
