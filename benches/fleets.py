#!/usr/bin/env python3
"""Times big fleets on a release build and prints ratios, as processes.py does for one device.

    python3 benches/fleets.py [--runs N] [--devices N] [--big N] [--binary PATH]

The fleets are those of fleet.py. `check` is held against `sha256sum` of the files that it reads, against fleets with raw patches (some in
the layers; one of 30 lines for each device), and against a fleet ten times as large; `generate` from nothing against `cp -r` of what it
writes. talhelper is timed beside it where it is on PATH. The fleets are made in /dev/shm where that is there, since `generate` waits for the disk after each
file, and copied to where they are timed.
"""
import argparse, pathlib, shutil, statistics, subprocess, sys, tempfile

from fleet import write
from processes import build, peak, ratio, seconds

GOALS = {"sha256sum": 1.0, "growth": 11.0, "raw": 2.0, "one": 2.0, "memory": 16.0}
MEMORY = "/dev/shm"


def generate(talosmith, folder):
    command = [talosmith, "generate", "--tracked-only", "--quiet"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def repository(talosmith, count, out, **flags):
    with tempfile.TemporaryDirectory(dir=MEMORY if pathlib.Path(MEMORY).is_dir() else None) as made:
        made = pathlib.Path(made) / "fleet"
        write(count, made, **flags)
        generate(talosmith, made)
        # Not `shutil.copytree`, which takes minutes for a hundred thousand files.
        subprocess.run(["cp", "-r", made, out], check=True)
    # What was just written is on its way to the disk for a while, which would count against whoever reads first.
    subprocess.run(["sync", "-f", out], check=True)
    return out


def listed(folder, work):
    """A file that names every file of a folder, for xargs."""
    names = work / "names"
    names.write_text("\n".join(str(path) for path in sorted(folder.rglob("*")) if path.is_file()))
    return names


def from_nothing(talosmith, model, work, runs):
    """Pairs of `generate` in a repository that holds nothing but its model, and `cp -r` of the result."""
    pairs = []
    for _ in range(runs):
        made, copied = work / "made", work / "copied"
        shutil.copytree(model, made)
        one = seconds([talosmith, "generate", "--tracked-only", "--quiet"], made)
        other = seconds(["cp", "-r", made, copied], work)
        pairs.append((one, other))
        shutil.rmtree(made), shutil.rmtree(copied)
    value, time = statistics.median(a / b for a, b in pairs), statistics.median(a for a, _ in pairs)
    print(f"{'generate from nothing : cp -r of the result':58} {value:6.2f}   ({time * 1e3:.2f} ms)", flush=True)


def talhelper(work, count):
    """A configuration of talhelper with so many nodes."""
    folder = work / "talhelper"
    folder.mkdir()
    lines = ["clusterName: bench", "endpoint: https://192.0.2.1:6443", "talosVersion: v1.13.0", "nodes:"]
    for number in range(count):
        role = "true" if number < 3 else "false"
        lines += [f"  - hostname: node-{number}", f"    ipAddress: 10.0.0.{number + 1}", f"    controlPlane: {role}", "    installDisk: /dev/sda"]
    (folder / "talconfig.yaml").write_text("\n".join(lines) + "\n")
    secrets = subprocess.run(["talhelper", "gensecret"], capture_output=True, text=True, check=True).stdout
    (folder / "talsecret.yaml").write_text(secrets)
    return folder


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=15)
    options.add_argument("--devices", type=int, default=1000)
    options.add_argument("--binary", type=pathlib.Path, help="a talosmith to time, so that none is built")
    options.add_argument("--big", type=int, default=10000, help="devices of the larger fleet; 0 leaves it out")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        talosmith, hello = build(work, options.binary)
        check = [talosmith, "check"]
        model = work / "model"
        write(options.devices, model)
        fleet = repository(talosmith, options.devices, work / "fleet")
        sums = ["xargs", "-s", "2000000", "-a", listed(fleet, work), "sha256sum"]
        print("ratio of whole processes, median of pairs (and the first one's time here)")
        ratio(f"check of {options.devices} devices : sha256sum of their files", check, sums, options.runs, fleet)
        ratio(f"fleet of {options.devices} devices : check", [talosmith, "fleet"], check, options.runs, fleet)
        ratio("check of one among them : check of all", [*check, "node-7"], check, options.runs, fleet)
        one = repository(talosmith, 1, work / "one")
        ratio("check of a fleet of one : hello world", check, [hello], 60, one)
        layers = repository(talosmith, options.devices, work / "layers", layers=True)
        ratio("check with raw patches of the layers : without", check, check, options.runs, layers, fleet)
        raw = repository(talosmith, options.devices, work / "raw", raw=True)
        ratio("check with a raw patch of 30 lines each : without", check, check, options.runs, raw, fleet)
        from_nothing(talosmith, model, work, 3)
        if options.big:
            big = repository(talosmith, options.big, work / "big")
            ratio(f"check of {options.big} devices : {options.devices}", check, check, max(3, options.runs // 3), big, fleet)
        if shutil.which("talhelper"):
            hundred = repository(talosmith, 100, work / "hundred")
            ratio("check : talhelper genconfig, 100 nodes", check, ["talhelper", "genconfig", "--no-gitignore"], 5, hundred, talhelper(work, 100))
        if pathlib.Path("/usr/bin/time").exists():
            print(f"peak memory of check: {peak(check, fleet):.1f} MB at {options.devices} devices", end="")
            print(f", {peak(check, big):.1f} MB at {options.big}" if options.big else "")
        print(f"goals: sha256sum at most {GOALS['sha256sum']}, ten times the devices at most {GOALS['growth']} times,"
              f" raw patches {GOALS['raw']}, one {GOALS['one']}, {GOALS['memory']:.0f} MB at 1000")


if __name__ == "__main__":
    sys.exit(main())
