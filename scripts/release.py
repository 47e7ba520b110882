"""Make what is released into dist/, and check it: python scripts/release.py [--extra base] [--out dist]

sdist and wheel are built from two clones of the last commit, in folders of other names and with another umask, and must
be the same bytes; the sdist must build the same wheel. Then `twine check --strict`, what lies in both, an SBOM
(CycloneDX) of the base install and of each extra, an audit of the same packages where its data can be had, and
SHA256SUMS. Nothing is uploaded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

from matrix import StageError, call

ROOT = Path(__file__).parents[1]

UMASKS = (0o022, 0o077)
"""Of the two builds."""

BELONGS_IN_THE_SDIST = {"src", "CHANGELOG.md", "CITATION.cff", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
"""And the .gitignore that hatchling adds."""


def python(module: str, *words: object, folder: Path | None = None) -> str:
    """What a module of this environment prints. Raises StageError."""
    return call(module, sys.executable, "-m", module, *words, folder=folder)


def built(folder: Path, umask: int) -> list[Path]:
    """The sdist of a clone of the last commit, and the wheel that this sdist builds."""
    clone, out = folder / "clone", folder / "dist"
    before = os.umask(umask)
    try:
        call("git", "git", "clone", "--quiet", ROOT, clone)
        python("build", "--no-isolation", "--outdir", out, clone)
        # Besides, the wheel of the folder itself, which must be the one that the sdist builds.
        python("build", "--wheel", "--no-isolation", "--outdir", folder / "direct", clone)
    finally:
        os.umask(before)
    (direct,) = (folder / "direct").iterdir()
    files = sorted(out.iterdir())
    if digest(direct) != digest(out / direct.name):
        raise StageError("build", f"{direct.name}: the sdist builds another than the folder does")
    return files


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def check_contents(files: Sequence[Path]) -> None:
    """Raise StageError for anything in wheel or sdist that doesn't belong there."""
    (wheel,) = (file for file in files if file.suffix == ".whl")
    (sdist,) = (file for file in files if file.name.endswith(".tar.gz"))
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    strange = {top for top in tops if top != "foveate" and not top.endswith(".dist-info")}
    with tarfile.open(sdist) as archive_of_source:
        names = [name.split("/", 2) for name in archive_of_source.getnames()]
    strange |= {parts[1] for parts in names} - BELONGS_IN_THE_SDIST - {".gitignore"}
    if strange:
        raise StageError("contents", f"{', '.join(sorted(strange))}: is in wheel or sdist")


def extras() -> list[str]:
    """The base install, and all extras for users."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    return ["base", *sorted(set(declared) - {"dev"})]


def bill_of_materials(wheel: Path, extra: str, out: Path, folder: Path) -> str:
    """Install the wheel with an extra as constraints.txt has it, write its SBOM, and audit it; a line on both."""
    venv, target = folder / extra, out / f"{wheel.name.split('-py3')[0]}-{extra}.cdx.json"
    python("uv", "venv", "--quiet", "--python", sys.executable, venv)
    (inside,) = (*venv.glob("bin/python"), *venv.glob("Scripts/python.exe"))
    what = wheel if extra == "base" else f"{wheel}[{extra}]"
    python("uv", "pip", "install", "--quiet", "--python", inside, "--constraint", ROOT / "constraints.txt", what)
    options = ("--output-reproducible", "--output-format", "JSON", "--validate", "--output-file", target)
    python("cyclonedx_py", "environment", "--pyproject", ROOT / "pyproject.toml", *options, inside)
    pins = folder / f"{extra}.txt"
    frozen = python("uv", "pip", "freeze", "--quiet", "--python", inside)
    # A local version, such as that of a build for processors alone, is on no list of advisories.
    lines = [line.partition("+")[0] for line in frozen.splitlines() if not line.startswith("foveate")]
    pins.write_text("\n".join(lines) + "\n", encoding="utf-8")
    shutil.rmtree(venv)
    return f"{target.name}: {len(lines)} packages; {audited(pins)}"


def audited(pins: Path) -> str:
    """What pip-audit says of these versions; that it could not be asked, where it could not."""
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    ended = subprocess.run(
        [*command, "--format", "json", "--requirement", str(pins)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )
    last = (ended.stderr.strip().splitlines() or [f"pip-audit ended with {ended.returncode}"])[-1]
    return judged(ended.stdout, last)


def judged(answer: str, last: str) -> str:
    """What pip-audit's JSON means; without any, its last line says why. Raises StageError for a known vulnerability.

    It ends well, and says that it found nothing, where it could look nothing up: only what it did look up counts.
    """
    try:
        asked = json.loads(answer)["dependencies"]
    except ValueError:
        return f"NOT audited, as the advisories can't be had here ({last[:160]})"
    known = [f"{each['name']} {each['version']}: {one['id']}" for each in asked for one in each.get("vulns", ())]
    if known:
        raise StageError("audit", ", ".join(known))
    skipped = [each["name"] for each in asked if "skip_reason" in each]
    if skipped:
        return f"NOT audited, as the advisories on {len(skipped)} of {len(asked)} can't be had here"
    return f"no known vulnerability of {len(asked)}"


def main() -> int:
    """Build, check, and say each; 1 where something is wrong, and then dist/ has nothing new."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--extra", action="append", choices=extras(), help="of which an SBOM is made; all of them")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    asked = parser.parse_args()
    try:
        released(asked.out, asked.extra or extras())
    except StageError as error:
        print(f"not released; {error.args[0]}: {error.args[1]}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def released(out: Path, wanted: Sequence[str]) -> None:
    """All of it, first into a folder of its own. Raises StageError."""
    if call("git", "git", "-C", ROOT, "status", "--porcelain").strip():
        raise StageError("git", "there are changes that are not committed; a release is of a commit")
    with tempfile.TemporaryDirectory() as temporary:
        one, other = (built(Path(temporary) / f"build{umask}", umask) for umask in UMASKS)
        for first, second in zip(one, other, strict=True):
            if digest(first) != digest(second):
                raise StageError("build", f"{first.name}: two builds differ")
        python("twine", "check", "--strict", *one)
        check_contents(one)
        say("built twice, the same bytes; twine check and contents are right")
        made = Path(temporary) / "dist"
        made.mkdir()
        for file in one:
            shutil.copyfile(file, made / file.name)
        (wheel,) = made.glob("*.whl")
        for extra in wanted:
            say(bill_of_materials(wheel, extra, made, Path(temporary)))
        sums = "".join(f"{digest(file)}  {file.name}\n" for file in sorted(made.iterdir()))
        (made / "SHA256SUMS").write_text(sums, encoding="utf-8")
        out.mkdir(exist_ok=True)
        for file in made.iterdir():
            shutil.copyfile(file, out / file.name)
        say(sums.rstrip())


def say(text: str) -> None:
    """On stdout, at once."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
