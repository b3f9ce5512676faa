#!/usr/bin/env python3
"""Writes the tables of system extensions from a catalogue, a JSON file.

Usage: scripts/extensions.py CATALOGUE [--check]

The catalogue has `per_tag_versions` (Talos tag -> name -> version), `extensions` (name -> arch, services) and `aliases`.
The tables are written to crates/model/src/upstream/; with --check they are compared instead.
"""

import json
import re
import sys
from pathlib import Path

TABLES = Path(__file__).resolve().parent.parent / "crates/model/src/upstream"

EXTENSIONS_HEADER = """\
# System extensions of the official catalogue. Written by scripts/extensions.py; do not edit.
# Source: github.com/siderolabs/extensions, the lists of its release tags and the manifests at the heads of its branches.
# Fields: name, architectures, Talos versions, services. Sorted by the bytes of the name.
# A version `1.13` is every release of that minor, `v1.12.2` is that release and the later ones of its minor.
# A service has the name that an ExtensionServiceConfig uses; with `!` after it, it does not start without one.
# The row `*` lists the minors that the catalogue covers.
"""

ALIASES_HEADER = """\
# Old names of system extensions, and the names that the Image Factory replaces them with. Written by scripts/extensions.py; do not edit.
# Source: github.com/siderolabs/image-factory, internal/profile. Fields: old name, name. Sorted by the bytes of the old name.
"""


def order(tag):
    """The sort key of a tag; a pre-release comes before its release."""
    release, _, pre = tag.removeprefix("v").partition("-")
    parts = [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"[.]", pre)] if pre else []
    return [int(part) for part in release.split(".")], not pre, parts


def minor(tag):
    return ".".join(tag.removeprefix("v").split(".")[:2])


def versions(name, tags):
    """The minors that have an extension; instead of a minor, its first release with the extension if that is not the first of all."""
    found = []
    minors = list(dict.fromkeys(minor(tag) for tag in tags))
    for each in minors:
        releases = [tag for tag in tags if minor(tag) == each]
        having = [tag for tag in releases if name in tags[tag]]
        if not having:
            continue
        if having != releases[-len(having):]:
            sys.exit(f"{name} was removed within Talos {each}, which the table cannot express")
        found.append(each if having == releases else having[0])
    return found


def extensions_table(catalogue):
    tags = dict(sorted(catalogue["per_tag_versions"].items(), key=lambda item: order(item[0])))
    rows = {"*": ["-", ",".join(dict.fromkeys(minor(tag) for tag in tags)), "-"]}
    for name, extension in catalogue["extensions"].items():
        found = versions(name, tags)
        if not found:
            continue
        services = sorted(service["config_name"] + "!" * service["requires_config"] for service in extension["services"])
        rows[extension["name"]] = [",".join(sorted(extension["arch"])), ",".join(found), ",".join(services) or "-"]
    return EXTENSIONS_HEADER + "".join(f"{name} {' '.join(rows[name])}\n" for name in sorted(rows))


def aliases_table(catalogue):
    names = {extension["name"] for extension in catalogue["extensions"].values()}
    # Aliases of names that no release has are left out.
    rows = {old: new for old, new in catalogue["aliases"].items() if new in names}
    return ALIASES_HEADER + "".join(f"{old} {rows[old]}\n" for old in sorted(rows))


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    catalogue = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    tables = {"extensions.txt": extensions_table(catalogue), "aliases.txt": aliases_table(catalogue)}
    for name, text in tables.items():
        path = TABLES / name
        if "--check" in sys.argv:
            if path.read_text(encoding="utf-8") != text:
                sys.exit(f"{path} differs from the catalogue: run scripts/extensions.py {arguments[0]}")
        else:
            path.write_text(text, encoding="utf-8")


main()
