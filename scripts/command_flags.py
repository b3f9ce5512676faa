#!/usr/bin/env python3
"""Writes tests/command_flags.txt: the subcommands and flags of talosctl for each minor of Talos, and those of kubectl that runbooks use.

    scripts/command_flags.py MINOR=CLI_MD… > tests/command_flags.txt

CLI_MD is talosctl's own help as `talosctl docs --cli` writes it: website/content/v<minor>/reference/cli.md at the tag of a release in
github.com/siderolabs/talos. kubectl is asked for its help.
"""

import re
import subprocess
import sys

KUBECTL = [
    "apply", "cordon", "delete", "drain", "get", "kustomize", "label", "patch", "rollout restart", "rollout status", "taint", "uncordon", "version", "wait",
]
FLAG = re.compile(r"^ +(?:-(\w), )?--([\w-]+)(?: (\S.*?))?(?:  +.*)?$")
KUBECTL_FLAG = re.compile(r"^ +(?:-(\w), )?--([\w-]+)=(\S*?):?$")


def talosctl(path):
    """Yields each command of a page with its flags: (command, short, long, whether it takes a value)."""
    command = None
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if heading := re.match(r"^## (talosctl.*)$", line):
            command = heading[1]
            yield command, None, None, False
        elif command and (flag := FLAG.match(line)) and flag[2] not in ("help", "siderov1-keys-dir"):
            yield command, flag[1], flag[2], flag[3] is not None


def kubectl():
    texts = [("kubectl *", ["options"])] + [(f"kubectl {name}", [*name.split(), "--help"]) for name in KUBECTL]
    for command, arguments in texts:
        yield command, None, None, False
        text = subprocess.run(["kubectl", *arguments], capture_output=True, text=True, check=True).stdout
        for line in text.splitlines():
            if flag := KUBECTL_FLAG.match(line):
                yield command, flag[1], flag[2], flag[3] not in ("true", "false")


def main():
    rows = {}
    for argument in sys.argv[1:]:
        minor, path = argument.split("=", 1)
        for row in talosctl(path):
            rows.setdefault(row, []).append(minor)
    for row in kubectl():
        rows.setdefault(row, []).append("-")
    print("# Written by scripts/command_flags.py from talosctl's own help; do not edit. Fields: command; flag; its letter; `=` if it")
    print("# takes a value; the minors of Talos whose talosctl has it. A command without a flag is a row of its own.")
    lines = set()
    for (command, short, long, value), minors in rows.items():
        flag = f"--{long}" if long else "-"
        letter = f"-{short}" if short else "-"
        lines.add("; ".join([command, flag, letter, "=" if value else "-", " ".join(minors)]))
    print("\n".join(sorted(lines)))


main()
