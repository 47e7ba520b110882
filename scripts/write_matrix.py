"""Rewrite the generated tables of docs/matrix.md from scripts/matrix.json: python scripts/write_matrix.py"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generated import table, with_generated
from packaging.version import Version

from foveate.imaging import write_text

ROOT = Path(__file__).parents[1]
PAGE, FOUND = ROOT / "docs" / "matrix.md", ROOT / "scripts" / "matrix.json"

ENDS = ("lowest", "newest")

Cells = Sequence[dict[str, Any]]


def tables(found: dict[str, Any]) -> dict[str, str]:
    """Marker to Markdown."""
    cells = found["cells"]
    return {
        "machine": _machine(found["machine"], cells),
        "cells": _cells(cells),
        "uses": _uses(cells),
        "failures": _failures(cells),
        "bounds": _bounds(cells),
    }


def _machine(machine: str, cells: Cells) -> str:
    good = sum(not cell["failed"] for cell in cells)
    base = [cell["found"]["base"] for cell in cells if "base" in cell["found"]]
    dice, modules = ({value(found) for found in base} for value in (_dice, _modules))
    brought = ", ".join(sorted({name for found in base for name in found["packages"]}))
    return (
        f"{machine}; Python {', '.join(_pythons(cells))}. {good} of {len(cells)} environments are good. The Dice of"
        f" `foveate segment` with the drawn vessels is {_span(dice)} in all of them. `import foveate` brings in"
        f" {_span(modules)} modules, most of them Python's own, and segmenting these packages: {brought}.\n"
    )


def _dice(found: dict[str, Any]) -> float:
    dice: float = found["dice"]
    return round(dice, 3)


def _modules(found: dict[str, Any]) -> int:
    count: int = found["modules"]
    return count


def _span(values: set[Any]) -> str:
    least, most = min(values), max(values)
    return f"{least}" if least == most else f"{least} to {most}"


def _pythons(cells: Cells) -> list[str]:
    return sorted({cell["python"] for cell in cells}, key=lambda version: [int(part) for part in version.split(".")])


def _extras(cells: Cells) -> list[str]:
    return list(dict.fromkeys(cell["extra"] for cell in cells))


def _cells(cells: Cells) -> str:
    places = {(cell["python"], cell["extra"], cell["end"]): cell for cell in cells}
    columns = [(python, end) for python in _pythons(cells) for end in ENDS]
    head = ("installed", *(f"{python}, {end}" for python, end in columns))
    rows = [
        (f"`{extra}`", *(_outcome(places.get((python, extra, end))) for python, end in columns))
        for extra in _extras(cells)
    ]
    return table(head, rows)


def _outcome(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return "not run"
    return f"**fails at {cell['failed']}**" if cell["failed"] else f"good, {cell['megabytes']} MB"


def _uses(cells: Cells) -> str:
    """What each extra was seen to do, by the newest dependencies where they were tried."""
    said: dict[str, str] = {}
    for cell in cells:
        for name, found in cell["found"].items():
            if name != "base":
                said[f"{cell['extra']}: {name}" if "," in cell["extra"] else name] = str(found)
    return table(("extra", "seen"), [(f"`{name}`", text) for name, text in said.items()])


def _failures(cells: Cells) -> str:
    lines = [
        f"- {cell['python']}, `{cell['extra']}`, {cell['end']}: {cell['failed']}: `{_last_line(cell['error'])}`\n"
        for cell in cells
        if cell["failed"]
    ]
    return "".join(lines) or "None.\n"


def _last_line(error: str) -> str:
    """Without places of this machine."""
    return re.sub(r"\(?/[^ ]*", "", error.splitlines()[-1]).strip()[-200:]


def _bounds(cells: Cells) -> str:
    """For each package that pyproject.toml names, the versions at both ends under each Python."""
    versions: dict[str, dict[tuple[str, str], str]] = {}
    chosen = {"lowest": min, "newest": max}
    for cell in cells:
        place = cell["python"], cell["end"]
        for name, version in cell["versions"].items() if not cell["failed"] else ():
            own = versions.setdefault(name, {})
            # Where it isn't asked for by name, but by another package, the lowest is the newest.
            own[place] = chosen[cell["end"]](own.get(place, version), version, key=Version)
    rows = [
        (name, *(" to ".join(own[python, end] for end in ENDS if (python, end) in own) for python in _pythons(cells)))
        for name, own in sorted(versions.items())
    ]
    return table(("package", *_pythons(cells)), rows)


def text() -> str:
    """What the page should hold: as it is, but for what stands between the markers."""
    parts = tables(json.loads(FOUND.read_text("utf-8")))
    return with_generated(PAGE.read_text("utf-8"), parts, Path(__file__).name)


if __name__ == "__main__":
    write_text(text(), PAGE)
