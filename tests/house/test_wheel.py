"""The wheel: what lies in it, and that it segments a photograph in an environment that has no torch."""

from __future__ import annotations

import importlib.metadata
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
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
