#!/usr/bin/env python3
"""Packs a built program for people without a compiler; the version is the workspace's in Cargo.toml.

Usage: scripts/package.py archive PROGRAM TARGET FOLDER [--run PROGRAM]
       scripts/package.py formula FOLDER

`archive` writes talosmith-VERSION-TARGET.tar.gz with the program, its manual pages, completions and licenses, and next to it a file with its
SHA-256. The same program makes the same bytes. Pages and completions come from PROGRAM, or from --run, a build of the same source for this machine.

`formula` writes talosmith.rb for Homebrew from the archives of FOLDER and their checksums.
"""

import argparse
import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKSPACE = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
VERSION = WORKSPACE["version"]
COMPLETIONS = {"bash": "talosmith.bash", "elvish": "talosmith.elv", "fish": "talosmith.fish", "powershell": "talosmith.ps1", "zsh": "_talosmith"}
# The systems of Homebrew, by target.
SYSTEMS = {
    "aarch64-apple-darwin": ("macos", "arm"),
    "x86_64-apple-darwin": ("macos", "intel"),
    "aarch64-unknown-linux-musl": ("linux", "arm"),
    "x86_64-unknown-linux-musl": ("linux", "intel"),
}


def documents(program):
    """The files that the program prints: path in the archive -> content."""

    def printed(*arguments):
        return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE).stdout

    printed_version = printed("--version").decode().split()
    if printed_version[1:2] != [VERSION]:
        sys.exit(f"{program} is version {printed_version[1]}, and Cargo.toml has {VERSION}")
    files = {"man/man1/talosmith.1": printed("man")}
    for page in re.findall(r"^talosmith\\-(\S+)\(1\)$", files["man/man1/talosmith.1"].decode(), re.MULTILINE):
        name = page.replace("\\", "")
        files[f"man/man1/talosmith-{name}.1"] = printed("man", name)
    for shell, name in COMPLETIONS.items():
        files[f"completions/{name}"] = printed("completions", shell)
    return files


def write_archive(program, target, folder, runs):
    name = f"talosmith-{VERSION}-{target}"
    files = documents(runs or program)
    files["talosmith"] = program.read_bytes()
    for text in ("README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"):
        files[text] = (ROOT / text).read_bytes()
    # Nothing of this machine is in it: sorted, one time, no owner.
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(content)
            entry.mode = 0o755 if path == "talosmith" else 0o644
            archive.addfile(entry, io.BytesIO(content))
    data = gzip.compress(packed.getvalue(), 9, mtime=0)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.tar.gz").write_bytes(data)
    (folder / f"{name}.tar.gz.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  {name}.tar.gz\n")
    print(folder / f"{name}.tar.gz")


def write_formula(folder):
    lines = [
        "class Talosmith < Formula",
        '  desc "Config compiler for Git repositories of Talos Linux nodes"',
        f'  homepage "{WORKSPACE["repository"]}"',
        f'  version "{VERSION}"',
        "  license any_of: " + str(WORKSPACE["license"].split(" OR ")).replace("'", '"'),
    ]
    for target, (system, processor) in SYSTEMS.items():
        name = f"talosmith-{VERSION}-{target}.tar.gz"
        checksum = (folder / f"{name}.sha256").read_text().split()[0]
        lines += [
            "",
            f"  on_{system} do",
            f"    on_{processor} do",
            f'      url "{WORKSPACE["repository"]}/releases/download/v{VERSION}/{name}"',
            f'      sha256 "{checksum}"',
            "    end",
            "  end",
        ]
    lines += [
        "",
        "  def install",
        '    bin.install "talosmith"',
        '    man1.install Dir["man/man1/*"]',
        '    bash_completion.install "completions/talosmith.bash" => "talosmith"',
        '    fish_completion.install "completions/talosmith.fish"',
        '    zsh_completion.install "completions/_talosmith"',
        "  end",
        "",
        "  test do",
        '    system bin/"talosmith", "init", "node-1"',
        '    system bin/"talosmith", "validate"',
        "  end",
        "end",
    ]
    (folder / "talosmith.rb").write_text("\n".join(lines) + "\n")
    print(folder / "talosmith.rb")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    archive = commands.add_parser("archive")
    archive.add_argument("program", type=Path)
    archive.add_argument("target")
    archive.add_argument("folder", type=Path)
    archive.add_argument("--run", type=Path)
    commands.add_parser("formula").add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "archive":
        write_archive(arguments.program, arguments.target, arguments.folder, arguments.run)
    else:
        write_formula(arguments.folder)


main()
