"""The wheel: what lies in it, and that it segments a photograph in an environment that has no torch."""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import release
from matrix import StageError
from numpy.typing import NDArray
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pages import steps
from PIL import Image as PillowImage
from source_tree import ROOT, SOURCE

import foveate
from foveate.drawn import draw


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the checkout, offline."""
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that sees the wheel and the base dependencies, and nothing else that is installed here."""
    venv = tmp_path_factory.mktemp("base")
    call(sys.executable, "-m", "venv", "--without-pip", venv)
    (site_packages,) = venv.glob("lib/python*/site-packages")
    packages = tmp_path_factory.mktemp("packages")
    for name in with_what_they_require("foveate") - {"foveate"}:
        link_package(name, packages)
    (site_packages / "base.pth").write_text(f"{packages}\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--isolated", "--python", venv / "bin" / "python")
    call(*pip, "install", "--quiet", "--no-deps", "--no-index", "--no-cache-dir", wheel)
    return venv


def call(*command: object, folder: Path | None = None) -> str:
    """Run a command that must succeed; its output."""
    ended = subprocess.run([*map(str, command)], capture_output=True, encoding="utf-8", cwd=folder, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def with_what_they_require(*lines: str) -> set[str]:
    """Names of the required packages and of all that these require in turn, by their own metadata."""
    found: set[str] = set()
    todo = [Requirement(line) for line in lines]
    seen: set[str] = set()
    while todo:
        requirement = todo.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        found.add(canonicalize_name(requirement.name))
        for line in importlib.metadata.requires(requirement.name) or []:
            needed = Requirement(line)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(needed)
    return found


def link_package(name: str, folder: Path) -> None:
    """Make an installed package's modules and metadata visible in `folder`."""
    distribution = importlib.metadata.distribution(name)
    tops = {path.parts[0] for path in distribution.files or []} - {"..", "__pycache__"}
    for top in tops:
        if not (folder / top).exists():
            (folder / top).symlink_to(Path(str(distribution.locate_file(top))))


def test_the_wheel_holds_the_weights_the_recipes_and_the_mark_of_typed_code(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shipped = [path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {str(path.relative_to(SOURCE.parent)) for path in shipped} == {
        name for name in names if name.startswith("foveate/")
    }
    assert {"foveate/models/vessels/model.onnx", "foveate/models/vessels/card.json", "foveate/py.typed"} <= names
    assert {"foveate/recipes/region-guided-vessels.toml", "foveate/recipes/region-guided-drive.toml"} <= names


def test_the_wheel_holds_nothing_but_the_package_and_its_metadata_with_the_licence(wheel: Path) -> None:
    metadata = f"foveate-{foveate.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {"foveate", metadata}
        assert archive.read(f"{metadata}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


@pytest.fixture(scope="module")
def released_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """sdist, and the wheel that it builds, of a copy under another path, of another date, for nobody else to read."""
    copy, dist = tmp_path_factory.mktemp("another place") / "checkout", tmp_path_factory.mktemp("released")
    shutil.copytree(SOURCE, copy / "src" / "foveate", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs", copy / "docs", ignore=shutil.ignore_patterns("*.png"))
    for name in (".gitignore", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, copy)
    for path in copy.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, copy)
    return dist


def test_the_sdist_of_another_checkout_builds_the_same_wheel_to_the_byte(wheel: Path, released_elsewhere: Path) -> None:
    assert (released_elsewhere / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_sdist_holds_the_source_and_what_describes_it_and_nothing_else(released_elsewhere: Path) -> None:
    (sdist,) = released_elsewhere.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    top = f"foveate-{foveate.__version__}"
    inside = {member.name.removeprefix(f"{top}/").partition("/")[0] for member in members}
    assert inside == release.BELONGS_IN_THE_SDIST | {".gitignore"}
    assert {member.name.partition("/")[0] for member in members} == {top}
    # Whoever unpacks it may read it, whatever the umask where it was made.
    assert all(member.mode & 0o444 == 0o444 for member in members)


def test_an_index_would_take_both_without_a_warning(released_elsewhere: Path) -> None:
    call(sys.executable, "-m", "twine", "check", "--strict", *released_elsewhere.iterdir())


def test_what_doesnt_belong_into_a_release_is_named(released_elsewhere: Path, tmp_path: Path) -> None:
    release.check_contents(list(released_elsewhere.iterdir()))
    copies = [Path(shutil.copy(file, tmp_path)) for file in released_elsewhere.iterdir()]
    with zipfile.ZipFile(next(file for file in copies if file.suffix == ".whl"), "a") as archive:
        archive.writestr("tests/test_a.py", "")
    with pytest.raises(StageError, match="tests: is in wheel or sdist"):
        release.check_contents(copies)


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    places = [text.index(part) for part in ("Version 2.0, January 2004", *(f"\n   {n}. " for n in range(1, 10)))]
    assert places == sorted(places)
    assert places[-1] < text.index("END OF TERMS AND CONDITIONS") < text.index("APPENDIX: How to apply")


def test_torch_is_absent_where_only_the_wheel_and_its_dependencies_are_installed(installed: Path) -> None:
    ended = subprocess.run(
        [installed / "bin" / "python", "-c", "import torch"], capture_output=True, encoding="utf-8", check=False
    )
    assert ended.returncode != 0
    assert "No module named 'torch'" in ended.stderr


def test_the_installed_wheel_segments_a_photograph_as_the_checkout_does(installed: Path, tmp_path: Path) -> None:
    photograph, out = tmp_path / "photo.png", tmp_path / "out"
    PillowImage.fromarray(draw(3, height=150, width=160).image).save(photograph)
    call(installed / "bin" / "foveate", "segment", photograph, "-o", out, "--probabilities", folder=tmp_path)
    expected = foveate.load("vessels").segment(photograph)
    assert expected.probability.any()
    np.testing.assert_array_equal(values(out / "photo_mask.png"), np.where(expected.mask, 255, 0))
    steps = np.rint(expected.probability.astype(np.float64) * 65535)
    np.testing.assert_array_equal(values(out / "photo_probability.png"), steps)


def test_the_readmes_quick_start_runs_word_for_word_with_nothing_but_the_wheel(installed: Path, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = tmp_path / "section.md"
    section.write_text(text.partition("\n## Segment your own photographs\n")[2].partition("\n## ")[0], encoding="utf-8")
    folder = tmp_path / "empty"
    (folder / "folder").mkdir(parents=True)
    for seed, name in enumerate(("photo.jpg", "other.tif", "folder/third.png")):
        PillowImage.fromarray(draw(seed, height=150, width=160).image).save(folder / name)
    programs = installed / "bin"
    ran = []
    for step in steps(section):
        if step.kind == "python":
            call(programs / "python", "-I", "-c", step.text, folder=folder)
        elif step.words[0] == "foveate":
            ran.append(call(programs / "foveate", *step.words[1:], folder=folder))
    assert ran
    made = {path.name for path in (folder / "out").iterdir()}
    assert {"photo_mask.png", "other_mask.png", "third_mask.png", "segment.json", "segment.csv"} <= made


def test_training_from_the_installed_wheel_says_what_to_install_and_pip_takes_it(
    installed: Path, wheel: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    ended = subprocess.run(
        [installed / "bin" / "foveate", "train", "region-guided-vessels", "--data", "synthetic:4", "--out", run],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == 2
    pip, install, what = shlex.split(ended.stderr.rpartition(": ")[2])
    assert (pip, install, what) == ("pip", "install", f"{wheel}[train]")
    offline = ("--isolated", "--dry-run", "--no-deps", "--no-index", "--no-cache-dir")
    assert "foveate" in call(sys.executable, "-m", pip, install, *offline, "--force-reinstall", what)
    assert not run.exists()


def values(path: Path) -> NDArray[Any]:
    """The values of an image file as stored."""
    with PillowImage.open(path) as image:
        return np.array(image)
