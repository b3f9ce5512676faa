#!/usr/bin/env python3
"""Makes the table of the fields that Talos's configuration documents have, from the official machinery's structs.

Usage: scripts/fields.py [--check] VERSION...

The versions are releases, one for each minor, oldest first, such as `1.12.7 1.13.8 1.14.1`. Needs Go and its module proxy. What no
struct says is in scripts/fields/notes.txt. The table is written to crates/machinery/src/talos_data/; with --check it is compared instead.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "crates/machinery/src/talos_data/fields.txt"
MACHINERY = "github.com/siderolabs/talos/pkg/machinery"

# Versions of dependencies that the module proxy does not serve, and the nearest that it does.
REPLACED = {
    "1.14": [
        ("github.com/cosi-project/runtime", "github.com/cosi-project/runtime@v1.16.2"),
        ("github.com/jsimonetti/rtnetlink/v2", "github.com/jsimonetti/rtnetlink/v2@v2.2.0"),
    ]
}

# What the table calls the types that read themselves.
NAMES = {
    "string": "text",
    "struct": "object",
    "text:netip.Addr": "address",
    "text:network.Addr": "address",
    "text:meta.Addr": "address",
    "text:netip.AddrPort": "address-port",
    "text:network.AddrPort": "address-port",
    "text:meta.AddrPort": "address-port",
    "text:netip.Prefix": "cidr",
    "text:network.Prefix": "cidr",
    "text:meta.Prefix": "cidr",
    "text:nethelpers.HardwareAddr": "hardware-address",
    "text:block.ByteSize": "bytes",
    "text:block.Size": "size",
    "text:cel.Expression": "cel",
    "text:nethelpers.RoutingTable": "routing-table",
    "text:nethelpers.FailOverMAC": "fail-over-mac",
    "yaml:meta.URL": "url",
    "yaml:v1alpha1.Endpoint": "url",
    "yaml:v1alpha1.DiskSize": "disk-size",
    "yaml:v1alpha1.InstallDiskSizeMatcher": "disk-condition",
    "yaml:v1alpha1.Base64Bytes": "base64",
    "yaml:v1alpha1.ArgValue": "argument",
    "yaml:meta.ArgValue": "argument",
    "yaml:network.PortRange": "ports",
    "yaml:x509.crt": "base64",
    "yaml:x509.key": "key",
}
PLAIN = {"text", "object", "any", "bool", "duration"}
NUMBER = re.compile(r"u?int(8|16|32|64)?")

HEADER = """\
# The fields of Talos's configuration documents. Made by scripts/fields.py; do not edit.
# Source: the structs of github.com/siderolabs/talos/pkg/machinery, {versions}; what no struct says, scripts/fields/notes.txt.
# Fields: path, type, first minor, minor that has it no more, deprecation, successor, `secret`. Sorted by the bytes of the path.
# A path is the kind, `v1alpha1` for the main document, and keys; lists and free keys leave no trace in it. `apiVersion` and `kind` are
# left out. The first minor is {oldest} where the field is that old or older.
# A type is behind `[]` for each list and `{{}}` for each mapping with free keys, `*` in them if no item may be null. `word:` is followed
# by the words. `;1.13=` begins the type from that minor on.
# A deprecation is the minor of Talos and, behind a comma, of the oldest base config that takes the successor.
"""


def read(version):
    """The fields of one version, by path."""
    module = json.loads(
        subprocess.run(
            ["go", "mod", "download", "-json", f"{MACHINERY}@v{version}"], check=True, capture_output=True, text=True
        ).stdout
    )
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "machinery"
        shutil.copytree(module["Dir"], copy)
        subprocess.run(["chmod", "-R", "u+w", str(copy)], check=True)
        (copy / "config/fields").mkdir()
        shutil.copy(HERE / "fields/main.go", copy / "config/fields/main.go")
        shutil.copy(HERE / "fields/registry.go", copy / "config/internal/registry/all.go")
        edits = [f"-require={MACHINERY}@v{version}", f"-replace={MACHINERY}=./machinery"]
        edits += [f"-replace={old}={new}" for old, new in REPLACED.get(minor(version), [])]
        environment = os.environ | {"GOFLAGS": "-mod=mod"}
        run = {"cwd": folder, "env": environment, "check": True, "text": True, "stdout": subprocess.PIPE}
        subprocess.run(["go", "mod", "init", "fields"], stderr=subprocess.DEVNULL, **run)
        subprocess.run(["go", "mod", "edit", *edits], **run)
        fields = json.loads(subprocess.run(["go", "run", f"{MACHINERY}/config/fields"], **run).stdout)
    return {field["Path"]: kind(field) for field in fields if field["Path"].split(".")[1:] not in (["apiVersion"], ["kind"])}


def minor(version):
    return ".".join(version.split(".")[:2])


def kind(field):
    """A type as the table has it."""
    brackets, inner = re.fullmatch(r"((?:[\[{]\*?[\]}])*)(.*)", field["Type"]).groups()
    name = NAMES.get(inner, inner)
    if name in NAMES.values() or name in PLAIN or NUMBER.fullmatch(name):
        return brackets + name
    if field["Words"]:
        return f"{brackets}word:{'|'.join(field['Words'])}"
    sys.exit(f"{field['Path']} is a {inner}, which the table has no name for")


def notes():
    """What no struct says, by path: deprecation, successor, secret."""
    found = {}
    for line in (HERE / "fields/notes.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            path, *rest = line.split(" ")
            if path in found or len(rest) != 3:
                sys.exit(f"scripts/fields/notes.txt: {line}")
            found[path] = rest
    return found


def table(versions):
    fields = {minor(version): read(version) for version in versions}
    minors = list(fields)
    noted = notes()
    rows = {}
    for path in sorted(set().union(*fields.values())):
        having = [each for each in minors if path in fields[each]]
        if having != minors[minors.index(having[0]) : minors.index(having[-1]) + 1]:
            sys.exit(f"{path} was away for a while, which the table cannot say")
        until = minors[minors.index(having[-1]) + 1] if having[-1] != minors[-1] else "-"
        types = [fields[having[0]][path]]
        for before, each in zip(having, having[1:]):
            if fields[each][path] != fields[before][path]:
                types.append(f"{each}={fields[each][path]}")
        rows[path] = [";".join(types), having[0], until, *noted.pop(path, ["-", "-", "-"])]
    if noted:
        sys.exit(f"scripts/fields/notes.txt names fields that there are not: {', '.join(noted)}")
    names = [f"v{version}" for version in versions]
    head = HEADER.format(versions=", ".join(names[:-1]) + " and " + names[-1], oldest=minors[0])
    return head + "".join(f"{path} {' '.join(rows[path])}\n" for path in sorted(rows, key=str.encode))


def main():
    versions = [argument for argument in sys.argv[1:] if argument != "--check"]
    if not versions:
        sys.exit(__doc__)
    text = table(versions)
    if "--check" in sys.argv:
        if TABLE.read_text(encoding="utf-8") != text:
            sys.exit(f"{TABLE} differs from the structs: run scripts/fields.py {' '.join(versions)}")
    else:
        TABLE.write_text(text, encoding="utf-8")


main()
