"""`foveate doctor`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from foveate.cli.console import new_table, say, say_error, say_table


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what is installed and what would run: versions, extras, backends, shipped models. Nothing personal in it.

    foveate doctor --json
    """
    from dataclasses import asdict

    import foveate

    findings = foveate.doctor()
    if as_json:
        say(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        drawing = new_table()
        for title in ("about", "what", "found"):
            drawing.add_column(title, overflow="fold")
        for finding in findings:
            drawing.add_row(finding.about, finding.name, finding.text)
        say_table(drawing)
    if wrong := [finding for finding in findings if finding.wrong]:
        for finding in wrong:
            say_error(f"{finding.name}: {finding.text}")
        raise SystemExit(1)
