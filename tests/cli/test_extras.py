"""What a command says where it needs more than is installed: the package's name, and a line that works here."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import pytest

from foveate.errors import UsageError, install_line, needs


def noted_by_pip(monkeypatch: pytest.MonkeyPatch, folder: Path, origin: dict[str, Any] | None) -> None:
    """Let foveate be installed in `folder`, from where pip has written down."""
    information = folder / "foveate-9.9.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: foveate\nVersion: 9.9\n", encoding="utf-8")
    if origin is not None:
        (information / "direct_url.json").write_text(json.dumps(origin), encoding="utf-8")
    installed = importlib.metadata.Distribution.at(information)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: installed)


ORIGINS: dict[str, tuple[dict[str, Any] | None, str]] = {
    "an index": (None, "pip install 'foveate[train]'"),
    "a checkout": ({"url": "file:///srv/a%20b/foveate", "dir_info": {}}, "pip install '/srv/a b/foveate[train]'"),
    "a checkout, to be changed": (
        {"url": "file:///srv/foveate", "dir_info": {"editable": True}},
        "pip install -e '/srv/foveate[train]'",
    ),
    "a wheel": (
        {"url": "file:///srv/foveate-9.9-py3-none-any.whl", "archive_info": {}},
        "pip install '/srv/foveate-9.9-py3-none-any.whl[train]'",
    ),
    "a repository": (
        {"url": "https://example.org/foveate.git", "vcs_info": {"vcs": "git", "commit_id": "0" * 40}},
        "pip install 'foveate[train] @ git+https://example.org/foveate.git'",
    ),
    "an address": (
        {"url": "https://example.org/foveate-9.9-py3-none-any.whl", "archive_info": {}},
        "pip install 'foveate[train] @ https://example.org/foveate-9.9-py3-none-any.whl'",
    ),
}
"""Where foveate may have come from, as PEP 610 has it written down, and the line that adds an extra to it."""


@pytest.mark.parametrize("name", ORIGINS)
def test_an_extra_is_installed_from_where_foveate_came_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    origin, line = ORIGINS[name]
    noted_by_pip(monkeypatch, tmp_path, origin)
    assert install_line("train") == line


def test_where_foveate_is_not_installed_at_all_the_checkout_is_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert install_line("train") == "pip install '.[train]' in a checkout of foveate"


@pytest.mark.parametrize(
    ("module", "package"), [("scipy.stats", "scipy"), ("skimage.morphology", "scikit-image"), ("pandas", "pandas")]
)
def test_the_package_that_is_missing_is_named_and_no_other(module: str, package: str) -> None:
    with pytest.raises(UsageError) as told, needs("evaluate"):
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)
    assert str(told.value) == f"this needs {package}, which is not installed: {install_line('evaluate')}"


def test_a_part_of_foveate_that_is_missing_is_not_told_as_a_package_to_install() -> None:
    with pytest.raises(ModuleNotFoundError), needs("train"):
        raise ModuleNotFoundError("No module named 'foveate.misspelt'", name="foveate.misspelt")
