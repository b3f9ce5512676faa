#!/usr/bin/env python3
"""Builds the documents into static pages with search, in target/site. Needs mkdocs-material.

Usage: scripts/site.py

Links to files that are no pages lead to the repository on the web; one to a file that does not exist fails, and so does a link to a heading
that a page has not (`mkdocs build --strict`).
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / "target/site-source"
REPOSITORY = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["repository"]
PAGES = ["README.md", "GLOSSARY.md", "CHANGELOG.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/**/*.md", "codes/*.md", "devices/*/RUNBOOK.md"]
LINK = re.compile(r"\]\(([^)\s#:]+)(#[^)\s]*)?\)")


def pages():
    found = [path for pattern in PAGES for path in ROOT.glob(pattern)]
    return sorted(path.relative_to(ROOT) for path in found)


def with_links(text, page, known):
    """Leads the links of a page to pages, or to the repository on the web."""

    def led(match):
        target = Path(os.path.normpath(page.parent / match[1]))
        if target in known or target.suffix == ".svg":
            return match[0]
        if not (ROOT / target).exists():
            sys.exit(f"{page}: there is no file {target}")
        return f"]({REPOSITORY}/{'tree' if (ROOT / target).is_dir() else 'blob'}/main/{target}{match[2] or ''})"

    # Code is not Markdown.
    parts = re.split(r"(^```.*?^```|`[^`\n]+`)", text, flags=re.MULTILINE | re.DOTALL)
    # A word in backticks can be the text of a link, whose end is in the next part.
    return "".join(part if index % 2 else LINK.sub(led, part) for index, part in enumerate(parts))


def main():
    known = set(pages())
    shutil.rmtree(STAGE, ignore_errors=True)
    for page in known:
        target = STAGE / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(with_links((ROOT / page).read_text(), page, known))
    for picture in ROOT.glob("devices/*/*.svg"):
        shutil.copy(picture, STAGE / picture.relative_to(ROOT))
    command = ["mkdocs", "build", "--strict", "--quiet", "--config-file", "mkdocs.yml", "--site-dir", "target/site"]
    result = subprocess.run(command, cwd=ROOT, check=False).returncode
    print(f"{len(known)} pages in target/site")
    sys.exit(result)


main()
