#!/usr/bin/env python3
"""Makes the table of the types of Talos's configuration documents from what scripts/types/main.go prints for each minor.

Usage: scripts/types/types.py MINOR=FILE... [--check]

The files are the outputs of `go run .` in this folder with github.com/siderolabs/talos/pkg/machinery of that minor and the kinds of
crates/machinery/src/talos_data/kinds.txt as arguments. With --check the table is compared instead of written.
"""

import sys
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent.parent / "crates/machinery/src/talos_data/types.txt"

HEADER = """\
# The types of Talos's configuration documents, as far as merging depends on them. Made by scripts/types/types.py; do not edit.
# Source: github.com/siderolabs/talos, pkg/machinery/config/types, the structs of the releases {releases}.
# Fields: struct (a document's is its kind, the main document's `v1alpha1`), field, type, first minor, last minor, or `-`.
# Types: `*` a pointer, `[]` a list, `[=]` a list that is replaced, `=` a mapping that is replaced, `map:` a mapping with free keys,
# `@a+b:` a list merged by the keys a or b, `@=a:` one whose items are replaced by the key a, `word=x` a word whose zero value is x.
# `sealed` is an address or a condition that the machinery cannot merge.
"""


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    inputs = dict(argument.split("=", 1) for argument in arguments)
    minors = sorted(inputs, key=lambda minor: int(minor.split(".")[1]))
    rows = {}
    for minor in minors:
        for line in Path(inputs[minor]).read_text().splitlines():
            struct, field, kind, *flags = line.split()
            if "replace" in flags:
                kind = "[=]" + kind.removeprefix("[]") if kind.startswith("[]") else "=" + kind
            kind = "@=" + kind[1:] if kind.startswith("=image") else kind
            rows.setdefault((struct, field, kind), []).append(minor)
    lines = []
    for (struct, field, kind), having in rows.items():
        until = "-" if having[-1] == minors[-1] else having[-1]
        lines.append(f"{struct} {field} {kind} {having[0]} {until}")
    text = HEADER.format(releases=", ".join(minors)) + "\n".join(sorted(lines)) + "\n"
    if "--check" in sys.argv:
        sys.exit(0 if TABLE.read_text() == text else f"{TABLE} is out of date")
    TABLE.write_text(text)


main()
