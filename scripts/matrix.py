"""Install the wheel and use it under every Python at hand, with the lowest and the newest dependencies that go:
python scripts/matrix.py [--python 3.12] [--extra nifti] [--end lowest] [--out scripts/matrix.json]

Each cell is an environment of its own, made by uv and removed again, in which `matrix_uses.py` runs in an empty folder,
without the repository. Packages are installed from wheels alone, as for people who have no compiler. uv takes its index
from its own settings, as UV_INDEX and UV_FIND_LINKS.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FOUND = ROOT / "scripts" / "matrix.json"
USES = ROOT / "scripts" / "matrix_uses.py"

UV = (sys.executable, "-m", "uv")

FIRST, LAST = 11, 20
"""Minor versions of Python 3 that are looked for."""

ENDS = {"lowest": "lowest-direct", "newest": "highest"}
"""Which versions are taken, and what uv calls that."""

LIGHT = ("base", "dicom", "evaluate", "nifti", "openvino", "ray", "remote", "serve", "sweep", "track")
TRAINING = ("train", "train,sweep", "train,track")
"""With PyTorch, which is large: under the first of the Pythons alone."""

LONGEST = 1200
"""Seconds for one call."""


@dataclass(frozen=True)
class Cell:
    """One environment, and what was found in it."""

    python: str
    extra: str
    end: str
    versions: dict[str, str] = field(default_factory=dict)
    """Of what pyproject.toml names."""
    found: dict[str, Any] = field(default_factory=dict)
    failed: str = ""
    """At what: resolve, install, or a use; empty where all went well."""
    error: str = ""
    megabytes: int = 0
    seconds: int = 0

    @property
    def place(self) -> tuple[str, str, str]:
        """Which cell it is."""
        return self.python.rpartition(".")[0], self.extra, self.end


class StageError(Exception):
    """A stage of a cell that failed, and uv's or pip's words."""


def pythons() -> dict[str, tuple[Path, str]]:
    """Minor version to a Python that really runs, and its whole version: on the path, else of pyenv."""
    found: dict[str, tuple[Path, str]] = {}
    own = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in range(FIRST, LAST + 1):
        on_path = shutil.which(f"python3.{minor}")
        candidates = [*own.glob(f"3.{minor}.*/bin/python"), *([Path(on_path)] if on_path else [])]
        for candidate in candidates:
            code = "import platform; print(platform.python_version())"
            asked = subprocess.run([candidate, "-c", code], capture_output=True, encoding="utf-8", check=False)
            version = asked.stdout.strip()
            if asked.returncode == 0 and version.startswith(f"3.{minor}."):
                found[f"3.{minor}"] = candidate, version
                break
    return found


def named(pyproject: str) -> set[str]:
    """The packages that pyproject.toml names for users, by their canonical names."""
    import tomllib

    project = tomllib.loads(pyproject)["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for extra in extras if extra != "dev" for line in extras[extra])]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def call(stage: str, *command: object, folder: Path | None = None) -> str:
    """What a command prints. Raises StageError with its last words."""
    # Without PYTHONPATH and the like nothing of the repository is seen.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        ended = subprocess.run(
            [*map(str, command)],
            capture_output=True,
            encoding="utf-8",
            cwd=folder,
            env=environment | {"NO_COLOR": "1", "COLUMNS": "200"},
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StageError(stage, f"took more than {LONGEST} s") from error
    if ended.returncode:
        raise StageError(stage, " ".join((ended.stderr or ended.stdout).split())[-600:])
    return ended.stdout


def pinned(extra: str, end: str, python: Path) -> str:
    """The versions of one end, as lines for pip. Raises StageError where no versions go together."""
    extras = [word for name in extra.split(",") if name != "base" for word in ("--extra", name)]
    options = ("--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:", "--python", python)
    return call("resolve", *UV, "pip", "compile", ROOT / "pyproject.toml", *extras, *options, "--resolution", ENDS[end])


def tried(wheel: Path, python: Path, version: str, extra: str, end: str, folder: Path) -> Cell:
    """Make an environment in `folder`, use it, and remove it."""
    began, own = time.monotonic(), named((ROOT / "pyproject.toml").read_text("utf-8"))
    found: dict[str, Any] = {}
    venv, pins, empty = folder / "venv", folder / "pins.txt", folder / "empty"
    try:
        pins.write_text(pinned(extra, end, python), encoding="utf-8")
        found["versions"] = {
            name: version
            for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", pins.read_text("utf-8"), re.MULTILINE)
            if canonicalize_name(name) in own
        }
        call("install", *UV, "venv", "--quiet", "--python", python, venv)
        (inside,) = (*venv.glob("bin/python"), *venv.glob("Scripts/python.exe"))
        what = wheel if extra == "base" else f"{wheel}[{extra}]"
        options = ("--quiet", "--only-binary", ":all:", "--python", inside, "--constraint", pins)
        call("install", *UV, "pip", "install", *options, what)
        found["megabytes"] = sum(path.stat().st_size for path in venv.rglob("*") if path.is_file()) // 10**6
        empty.mkdir()
        shutil.copy(USES, empty)
        names = () if extra == "base" else extra.split(",")
        found |= json.loads(call("use", inside, USES.name, *names, folder=empty).splitlines()[-1])
    except StageError as failed:
        found["failed"], found["error"] = failed.args
    finally:
        for each in (venv, empty):
            shutil.rmtree(each, ignore_errors=True)
    return Cell(version, extra, end, seconds=round(time.monotonic() - began), **found)


def cells(found: dict[str, tuple[Path, str]]) -> list[tuple[str, str, str]]:
    """Python, extra and end of all cells: what is small first."""
    light = [(python, extra, end) for python in found for extra in LIGHT for end in ENDS]
    return light + [(python, extra, end) for python in list(found)[:1] for extra in TRAINING for end in ENDS]


def built(folder: Path) -> Path:
    """The wheel of this checkout."""
    call("build", sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def read(file: Path) -> dict[tuple[str, str, str], Cell]:
    """What was found before, so that a part can be tried again."""
    if not file.is_file():
        return {}
    stored = [Cell(**cell) for cell in json.loads(file.read_text("utf-8"))["cells"]]
    return {cell.place: cell for cell in stored}


def write(results: dict[tuple[str, str, str], Cell], order: list[tuple[str, str, str]], file: Path) -> None:
    """The cells in order, with the machine that they ran on."""
    here = f"{platform.system()} {platform.machine()}, uv {call('uv', *UV, '--version').split()[1]}"
    content = {"machine": here, "cells": [asdict(results[place]) for place in order if place in results]}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> int:
    """Try the cells that are asked for, and say each; 1 where one failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", action="append", help="such as 3.12; may be repeated; all that are at hand")
    parser.add_argument("--extra", action="append", choices=(*LIGHT, *TRAINING), help="may be repeated; all")
    parser.add_argument("--end", action="append", choices=tuple(ENDS), help="may be repeated; both")
    parser.add_argument("--out", type=Path, default=FOUND)
    asked = parser.parse_args()
    here = pythons()
    order = cells(here)
    results = read(asked.out)
    with tempfile.TemporaryDirectory() as temporary:
        wheel = built(Path(temporary) / "dist")
        for python, extra, end in order:
            if not all(
                wished is None or one in wished
                for wished, one in ((asked.python, python), (asked.extra, extra), (asked.end, end))
            ):
                continue
            interpreter, version = here[python]
            cell = tried(wheel, interpreter, version, extra, end, Path(temporary))
            results[cell.place] = cell
            write(results, order, asked.out)
            outcome = f"FAILED at {cell.failed}: {cell.error}" if cell.failed else "good"
            print(f"{version} {extra} {end}: {outcome} ({cell.seconds} s)", flush=True)  # noqa: T201
    return int(any(cell.failed for cell in results.values()))


if __name__ == "__main__":
    sys.exit(main())
