#!/usr/bin/env python3
"""Writes crates/machinery/src/talos_data/kubelet_fields.txt: the fields of the kubelet's configuration that each minor of Talos knows.

    scripts/kubelet_fields.py MINOR=TYPES_GO… > crates/machinery/src/talos_data/kubelet_fields.txt

TYPES_GO is config/v1beta1/types.go of the k8s.io/kubelet that the minor's go.mod has: `go mod download -json k8s.io/kubelet@VERSION` prints its folder.
"""

import re
import sys

FIELD = re.compile(r"^\t(?:\w+ )?([\w.*\[\]]+) `json:\"([^\"]*)\"")
SCALARS = {"bool": "bool", "string": "string", "float64": "number", "metav1.Duration": "duration"}
SCALARS |= {name: "integer" for name in ("int", "int32", "int64", "uint32", "uint64")}
# k8s.io/api/core/v1, k8s.io/component-base/tracing/api/v1.
OTHERS = {
    "v1.Taint": [("string", "key"), ("string", "value"), ("string", "effect"), ("any", "timeAdded")],
    "tracingapi.TracingConfiguration": [("string", "endpoint"), ("int32", "samplingRatePerMillion")],
}


def structs(path):
    """Returns the fields of each struct of a file as (type, name), and the names of its strings."""
    found, strings, fields = {}, set(), None
    for line in open(path, encoding="utf-8"):
        if start := re.match(r"^type (\w+) (struct \{|string)", line):
            if start[2] == "string":
                strings.add(start[1])
            else:
                fields = found.setdefault(start[1], [])
        elif line.startswith("}"):
            fields = None
        elif fields is not None and (field := FIELD.match(line.rstrip())):
            name, *options = field[2].split(",")
            if name:
                fields.append((field[1], name))
    return found | OTHERS, strings


def rows(types, strings, struct, prefix=""):
    """Yields the path and the type of each field, and of those in it."""
    for kind, name in types[struct]:
        kind = kind.replace("*", "")
        list_of, map_of = kind.startswith("[]"), kind.startswith("map[string]")
        inner = kind.removeprefix("[]").removeprefix("map[string]")
        inner = inner.removeprefix("corev1.") if inner in strings else inner.replace("corev1.", "v1.")
        path = prefix + name
        if inner in types:
            yield path, "list" if list_of else "mapping"
            yield from rows(types, strings, inner, path + ("[]." if list_of else "."))
        else:
            scalar = SCALARS.get(inner, "string" if inner in strings else "any")
            yield path, scalar + ("[]" if list_of else "{}" if map_of else "")


def main():
    minors = {}
    for argument in sys.argv[1:]:
        minor, path = argument.split("=", 1)
        types, strings = structs(path)
        for row in rows(types, strings, "KubeletConfiguration"):
            minors.setdefault(row, []).append(minor)
    known = [argument.split("=", 1)[0] for argument in sys.argv[1:]]
    print(HEADER, end="")
    for (path, kind), of in sorted(minors.items()):
        assert of == known[known.index(of[0]) :][: len(of)], f"{path} is not in a row of minors"
        print(path, kind, of[0], of[-1])


HEADER = """\
# The fields of the kubelet's configuration, kubelet.config.k8s.io/v1beta1, as each minor of Talos decodes them: strictly, with the
# types of the k8s.io/kubelet in its go.mod. Source: config/v1beta1/types.go of v0.35 for 1.12, of v0.36 for 1.13, of v0.37 for 1.14;
# internal/app/machined/pkg/controllers/k8s/kubelet_spec.go of Talos, prepareExtraConfig. Written by scripts/kubelet_fields.py.
# Fields: path ([] for the items of a list), type ([] for a list of it, {} for a mapping to it), the first and the last minor.
"""


if __name__ == "__main__":
    main()
