#!/usr/bin/env python3
"""Writes a generated fleet for benchmarks: N devices in clusters of 100.

    python3 benches/fleet.py N DIR [--kind plain|ryzen] [--layers] [--raw]

A plain device has 12 artifacts. A cluster of the plain kind has three control planes, defaults for all devices and for each role, an
application, and devices with one or two disks, all in typed keys. A device of the kind ryzen has every artifact that devices/ryzen of
this repository has: those of its GPU, of Kata, of local-path, and one that only control planes have, so 99 of 100 devices are control planes.

--layers (plain only) moves two artifacts into raw patches of the cluster's defaults, which many devices share; --raw gives every device a
raw patch of 30 lines in addition. The same arguments write the same files.
"""
import argparse, ipaddress, pathlib

CLUSTER = 100
CONTROL_PLANES = 3
EXTENSIONS = ["iscsi-tools", "util-linux-tools", "bnx2-bnx2x", "intel-ucode", "intel-ice-firmware", "nfs-utils"]


# The rest of a cluster's defaults: in typed keys, or in raw patches.
TYPED = {
    "defaults": """\
      sysctls: { vm.nr_hugepages: "1024", net.core.somaxconn: "4096" }""",
    "worker": """\
      kernelModules: { nf_conntrack: { parameters: [hashsize=65536] } }""",
}
LAYERS = {
    "defaults": """\
      patches:
        sysctls: { inline: { machine: { sysctls: { vm.nr_hugepages: "1024", net.core.somaxconn: "4096" } } } }""",
    "worker": """\
      patches:
        logging:
          text: |
            # Logs go to the collector of the cluster.
            machine:
              logging:
                destinations:
                  - endpoint: udp://192.0.2.9:5514
                    format: json_lines""",
}


def fleet(clusters, settings):
    """Returns talosmith.yaml; `settings` returns what a cluster has besides the lines that all have."""
    lines = ["clusters:"]
    for cluster in range(clusters):
        lines += f"""\
  cluster-{cluster}:
    talosVersion: v1.13.{cluster % 4}
    endpoint: https://cluster-{cluster}.example.net:6443
    podCIDRs: [10.244.0.0/16]
    serviceCIDRs: [10.96.0.0/12]
    applications:
      local-path:
        path: argocd/cluster-{cluster}/local-path
        version: v0.0.31
{settings(cluster)}""".splitlines()
    lines += ["secrets:", "  tailscale-authkey:", "    - env: TAILSCALE_AUTHKEY"]
    return "\n".join(lines) + "\n"


def plain_settings(cluster, keys):
    return f"""\
        defaultPaths: [/var/mnt/data]
    defaults:
      install: {{ image: {{ schematic: main }} }}
      labels: {{ example.net/site: site-{cluster % 7}, example.net/cluster: cluster-{cluster} }}
      nameservers: [192.0.2.53, 198.51.100.53]
      kubelet: {{ disableManifestsDirectory: true }}
      tailscale: {{ authKey: tailscale-authkey, routes: [services, pods], acceptDNS: false }}
{keys["defaults"]}
    controlplane:
      allowSchedulingOnControlPlanes: false
      labels: {{ example.net/pool: control }}
    worker:
      labels: {{ example.net/pool: workers }}
{keys["worker"]}"""


def device(number):
    cluster, place = divmod(number, CLUSTER)
    role = "controlplane" if place < CONTROL_PLANES else "worker"
    extra = [EXTENSIONS[(number >> bit) % len(EXTENSIONS)] for bit in range(2)]
    extensions = ["siderolabs/tailscale", *(f"siderolabs/{name}" for name in dict.fromkeys(extra))]
    lines = f"""\
name: node-{number}
cluster: cluster-{cluster}
role: {role}
address: {ipaddress.ip_address("10.0.0.0") + number + 1}

schematics:
  main:
    extraKernelArgs: [talos.unified_cgroup_hierarchy=1, net.ifnames=0]
    extensions: [{", ".join(extensions)}]

disks:
  first: {{ size: 2048408248320B, selector: disk.transport == 'nvme', system: true }}""".splitlines()
    data = "first"
    if number % 3 == 0:
        data = "second"
        lines.append(f"  second: {{ size: 4000787030016B, path: /dev/disk/by-id/ata-EXAMPLE-{number} }}")
    lines += f"""\

volumes:
  EPHEMERAL: {{ disk: first, size: {100 + number % 5 * 10}GiB }}
  scratch: {{ disk: first, size: 500GB }}
  data: {{ disk: {data}, size: remaining }}

localPath:
  volumes: [{"scratch, " if number % 10 == 0 else ""}data]

labels:
  example.net/rack: rack-{number % 40}
  example.net/unit: "{number % 42}\"""".splitlines()
    return "\n".join(lines) + "\n"


def ryzen_settings(cluster):
    return f"""\
        namespace: label
        defaultClass: true
        defaultPaths: [/var/mnt/data]
      kata-containers:
        path: argocd/cluster-{cluster}/kata-containers
        runtime: kata-fc
        snapshotter: blockfile
        scratch: {{ volume: blockfile-scratch, path: containerd-blockfile/scratch, size: 10GiB }}
        sandboxImage: registry.k8s.io/pause@sha256:{"e" * 64}
        nodeSelector: {{ kata-deploy: enabled }}
        images: {{ scratch: "debian:bookworm", hold: "busybox:1.36" }}"""


def ryzen_device(number):
    cluster, place = divmod(number, CLUSTER)
    # An odd number of control planes.
    role = "worker" if place == CLUSTER - 1 else "controlplane"
    lines = f"""\
name: node-{number}
cluster: cluster-{cluster}
role: {role}
address: {ipaddress.ip_address("10.0.0.0") + number + 1}

schematics:
  tailscale:
    extraKernelArgs: [amd_iommu=off, amdgpu.gttsize={131072 + number % 16}, ttm.pages_limit=33554432]
    extensions: [siderolabs/kata-containers, siderolabs/glibc, siderolabs/tailscale, siderolabs/amdgpu, siderolabs/amd-ucode]

install:
  image: {{ schematic: tailscale }}

disks:
  nvme0n1: {{ size: 2048408248320B, selector: disk.transport == 'nvme', system: true }}

volumes:
  EPHEMERAL: {{ disk: nvme0n1, size: {100 + number % 5 * 10}GiB }}
  blockfile-scratch: {{ disk: nvme0n1, size: 500GB }}
  data: {{ disk: nvme0n1, size: 1300GB }}

localPath:
  volumes: [data]

kata: true

gpu:
  amd:
    devicePlugin: rocm/k8s-device-plugin@sha256:{"a" * 64}
    labeller: rocm/k8s-device-plugin@sha256:{"b" * 64}

labels:
  kata-deploy: enabled
  example.net/rack: rack-{number % 40}
  example.net/unit: "{number % 42}"

nameservers: [100.100.100.100, 192.168.1.130]

tailscale:
  authKey: tailscale-authkey
  hostname: node-{number}
  routes: [services, pods]
  acceptDNS: false

kubelet:
  disableManifestsDirectory: false""".splitlines()
    if role == "controlplane":
        lines += ["", "allowSchedulingOnControlPlanes: true"]
    lines += ["", "files:", "  volumes.blockfile-scratch: blockfile.patch.yaml", "  volumes.data: local-path.patch.yaml"]
    return "\n".join(lines) + "\n"


def raw_patch(number):
    """A raw patch as people write them for one machine: its network card, its kubelet, and documents that have no key of their own."""
    card = f"02:00:00:00:{number // 256 % 256:02x}:{number % 256:02x}"
    return f"""\

patches:
  machine:
    text: |
      # Settings of this machine alone.
      machine:
        udev:
          rules:
            - SUBSYSTEM=="net", ATTR{{address}}=="{card}", NAME="lan{number % 4}"
        nodeAnnotations:
          example.net/asset: "{100000 + number}"
        kubelet:
          extraArgs:
            rotate-server-certificates: "true"
          extraConfig:
            maxPods: {150 + number % 5 * 10}
        sysctls:
          net.ipv4.conf.all.rp_filter: "2"
      ---
      # Restarts the machine when it hangs.
      apiVersion: v1alpha1
      kind: WatchdogTimerConfig
      device: /dev/watchdog0
      timeout: 2m0s
      ---
      apiVersion: v1alpha1
      kind: LinkConfig
      name: lan{number % 4}
      mtu: 9000
      addresses:
        - address: {ipaddress.ip_address("10.0.0.0") + number + 1}/16
      routes:
        - gateway: 10.0.255.254
"""


def write(count, out, kind="plain", layers=False, raw=False):
    out = pathlib.Path(out)
    out.mkdir(parents=True)
    clusters = -(-count // CLUSTER)
    keys = LAYERS if layers else TYPED
    model = fleet(clusters, ryzen_settings if kind == "ryzen" else lambda cluster: plain_settings(cluster, keys))
    (out / "talosmith.yaml").write_text(model)
    (out / ".gitignore").write_text("tailscale-extension-service.yaml\n")
    for number in range(count):
        folder = out / f"devices/node-{number}"
        folder.mkdir(parents=True)
        text = ryzen_device(number) if kind == "ryzen" else device(number)
        (folder / "device.yaml").write_text(text + (raw_patch(number) if raw else ""))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("count", type=int, metavar="N")
    options.add_argument("out", metavar="DIR")
    options.add_argument("--kind", choices=["plain", "ryzen"], default="plain")
    options.add_argument("--layers", action="store_true")
    options.add_argument("--raw", action="store_true")
    options = options.parse_args()
    write(options.count, options.out, options.kind, options.layers, options.raw)
