#!/usr/bin/env python3
"""Times whole processes of builds with the profile dist side by side and prints ratios, which hold on any machine; seconds do not.

    python3 benches/processes.py [--runs N] [--install]

Builds talosmith and a hello world with the same profile. The two sides of a ratio run in turn, so that both find the same machine in the
same state; a ratio is the median of the pairs. Peers (talhelper, minijinja-cli) are timed where they are on PATH. --install also times a
fresh `cargo install --path .`, which takes minutes.
"""
import argparse, collections, os, pathlib, shutil, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TALHELPER = """clusterName: bench
endpoint: https://192.168.1.194:6443
talosVersion: v1.12.1
nodes:
  - hostname: ryzen
    ipAddress: 192.168.1.194
    controlPlane: true
    installDisk: /dev/nvme0n1
"""


# A finished process: its wall time, its CPU time, and its peak memory in MB where that was asked for.
Run = collections.namedtuple("Run", "seconds cpu peak")


def build(work, binary=None):
    """Returns the paths of talosmith, the given one or a fresh build, and of a hello world."""
    if binary is None:
        subprocess.run(["cargo", "build", "--profile", "dist", "--quiet"], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    hello = work / "hello"
    (hello / "src").mkdir(parents=True)
    (hello / "src/main.rs").write_text('fn main() {\n    println!("hello");\n}\n')
    profile = "[profile.release]\nlto = \"thin\"\ncodegen-units = 1\npanic = \"abort\"\nstrip = true\n"
    (hello / "Cargo.toml").write_text(f'[package]\nname = "hello"\nversion = "0.1.0"\nedition = "2024"\n[workspace]\n{profile}')
    subprocess.run(["cargo", "build", "--release", "--quiet", "--target-dir", hello / "target"], cwd=hello, check=True)
    return binary.resolve() if binary else target / "dist/talosmith", hello / "target/release/hello"


def run(command, cwd, status=0, memory=False):
    """Runs a command and measures it. GNU time measures the memory, at the cost of a millisecond: the kernel's figure for a child of Python
    contains Python's own memory."""
    command = list(map(str, command))
    with tempfile.NamedTemporaryFile("r") as out:
        gnu_time = ["/usr/bin/time", "--quiet", "-f", "%M", "-o", out.name] if memory and pathlib.Path("/usr/bin/time").exists() else []
        start = time.perf_counter()
        process = subprocess.Popen([*gnu_time, *command], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, ended, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(ended)
        if process.returncode != status:
            raise SystemExit(f"{' '.join(command)} in {cwd} exits with {process.returncode} instead of {status}")
        peak = float(out.read()) * 1024 / 1e6 if gnu_time else float("nan")
        return Run(seconds, usage.ru_utime + usage.ru_stime, peak)


def ratio(name, one, other, runs, cwd, other_cwd=None):
    """Prints the ratio of two commands, and the time of the first."""
    for _ in range(3):
        run(one, cwd), run(other, other_cwd or cwd)
    pairs = [(run(one, cwd), run(other, other_cwd or cwd)) for _ in range(runs)]
    value = statistics.median(a.seconds / b.seconds for a, b in pairs)
    print(f"{name:58} {value:6.2f}   ({statistics.median(a.seconds for a, _ in pairs) * 1e3:.2f} ms)", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=60)
    options.add_argument("--install", action="store_true")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        talosmith, hello = build(work)
        repository = work / "repository"
        for path in ["talosmith.yaml", "devices/ryzen/device.yaml"]:
            (repository / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, repository / path)
        generate = [talosmith, "generate", "--tracked-only", "devices/ryzen"]
        check = [talosmith, "check", "devices/ryzen"]
        subprocess.run(generate, cwd=repository, check=True, capture_output=True)
        print("ratio of whole processes, median of pairs (and the first one's time here)")
        ratio("check devices/ryzen : hello world", check, [hello], options.runs, repository)
        ratio("talosmith --version : hello world", [talosmith, "--version"], [hello], options.runs, repository)
        ratio("generate, nothing to change : check", generate, check, options.runs, repository)
        if shutil.which("talhelper"):
            peer = work / "talhelper"
            peer.mkdir()
            (peer / "talconfig.yaml").write_text(TALHELPER)
            secrets = subprocess.run(["talhelper", "gensecret"], capture_output=True, text=True, check=True).stdout
            (peer / "talsecret.yaml").write_text(secrets)
            ratio("check : talhelper genconfig, one node", check, ["talhelper", "genconfig", "--no-gitignore"], 10, repository, peer)
        if shutil.which("minijinja-cli"):
            (work / "t.j2").write_text("a: {{ n }}\n")
            (work / "t.json").write_text('{"n": 1}\n')
            loop = ["sh", "-c", "for i in $(seq 21); do minijinja-cli t.j2 t.json; done"]
            ratio("check : minijinja-cli, once for each artifact", check, loop, 20, repository, work)
        size = talosmith.stat().st_size / 1e6
        print(f"binary: {size:.1f} MB; peak memory of check: {run(check, repository, memory=True).peak:.1f} MB")
        if options.install:
            start = time.perf_counter()
            environment = {**os.environ, "CARGO_TARGET_DIR": str(work / "install")}
            subprocess.run(["cargo", "install", "--quiet", "--path", ".", "--root", work / "root"], cwd=ROOT, env=environment, check=True)
            print(f"cargo install --path .: {time.perf_counter() - start:.0f} s on {os.cpu_count()} cores")


if __name__ == "__main__":
    sys.exit(main())
