#!/usr/bin/env python3
"""Writes a made-up fleet for benchmarks: N devices with 12 artifacts each, in clusters of 100.

    python3 benches/fleet.py N OUT [--layers] [--raw]

Each cluster has three control planes, layers of defaults, an application, and devices with one or two disks, all in typed keys. --layers
says two of the artifacts in raw patches of the layers instead, which many devices share; --raw gives every device a raw patch of 30
lines besides. Nothing is left to chance: N says it all.
"""
import ipaddress, pathlib, sys

CLUSTER = 100
CONTROL_PLANES = 3
EXTENSIONS = ["iscsi-tools", "util-linux-tools", "nut-client", "intel-ucode", "zfs", "nfs-utils"]


# What else the layers say: in typed keys, or in raw patches.
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


def fleet(clusters, keys):
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
{keys["worker"]}""".splitlines()
    lines += ["secrets:", "  tailscale-authkey:", "    - env: TAILSCALE_AUTHKEY"]
    return "\n".join(lines) + "\n"


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


def raw_patch(number):
    """A raw patch as people write them for one machine: its network card, its kubelet, and documents that have no key of their own."""
    card = f"02:00:00:00:{number // 256 % 256:02x}:{number % 256:02x}"
    return f"""\

patches:
  machine:
    text: |
      # What this machine has that its neighbours have not.
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


def write(count, out, layers=False, raw=False):
    out = pathlib.Path(out)
    out.mkdir(parents=True)
    (out / "talosmith.yaml").write_text(fleet(-(-count // CLUSTER), LAYERS if layers else TYPED))
    (out / ".gitignore").write_text("tailscale-extension-service.yaml\n")
    for number in range(count):
        folder = out / f"devices/node-{number}"
        folder.mkdir(parents=True)
        (folder / "device.yaml").write_text(device(number) + (raw_patch(number) if raw else ""))


if __name__ == "__main__":
    flags = {"--layers", "--raw"}
    arguments = [argument for argument in sys.argv[1:] if argument not in flags]
    if len(arguments) != 2:
        sys.exit(__doc__)
    write(int(arguments[0]), arguments[1], layers="--layers" in sys.argv, raw="--raw" in sys.argv)
