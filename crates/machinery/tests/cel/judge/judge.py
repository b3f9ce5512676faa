#!/usr/bin/env python3
"""Judges the expressions of ../expressions.txt anew, with the official machinery of each version that talosmith knows.

An expression is added by a row such as `disk ? ? "disk.size > 1u"`. Needs Go and the Go module registry.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
VERSIONS = ["1.12.7", "1.13.8", "1.14.1"]
# Releases that module proxies do not always serve, and the next ones that they do.
INSTEAD = {
    "1.14": {"github.com/cosi-project/runtime": "v1.16.2", "github.com/jsimonetti/rtnetlink/v2": "v2.2.0"},
}


def build(version, folder):
    for source in HERE.glob("*.go"):
        shutil.copy(source, folder)
    minor = version.rpartition(".")[0]
    go = lambda *words: subprocess.run(["go", *words], cwd=folder, check=True, env={**os.environ, "GOFLAGS": "-mod=mod"})
    go("mod", "init", "judge")
    go("mod", "edit", "-require", f"github.com/siderolabs/talos/pkg/machinery@v{version}")
    for module, other in INSTEAD.get(minor, {}).items():
        go("mod", "edit", "-replace", f"{module}={module}@{other}")
    go("build", "-tags", "member" if minor >= "1.14" else "", "-o", "judge", ".")


def main():
    table = HERE.parent / "expressions.txt"
    lines = table.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    rows = [line.split(" ", 3) for line in lines if not line.startswith("#")]
    questions = "".join(json.dumps({"environment": row[0], "text": json.loads(row[3])}) + "\n" for row in rows)
    answers = []
    for version in VERSIONS:
        with tempfile.TemporaryDirectory() as folder:
            build(version, folder)
            words = [f"{folder}/judge", str(HERE.parent / "disks.json")]
            output = subprocess.run(words, input=questions, capture_output=True, text=True, check=True).stdout
            answers.append(output.splitlines())
    judged = []
    for row, verdicts in zip(rows, zip(*answers, strict=True), strict=True):
        signs = "".join(verdict[0] for verdict in verdicts)
        values = {verdict[1:] for verdict in verdicts} - {""}
        assert len(values) <= 1, f"the versions differ: {row[3]} is {values}"
        judged.append(" ".join([row[0], signs, *(values or {"-"}), row[3]]))
    table.write_text("\n".join(comments + judged) + "\n")


main()
