"""What may not come in with a dependency: the GPL and the AGPL."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest

PINNED = Path(__file__).parents[2] / "constraints.txt"
NAMES = sorted(set(re.findall(r"^([A-Za-z0-9._-]+)==", PINNED.read_text(encoding="utf-8"), re.MULTILINE)))
WITHOUT = {"docutils": "rst.el"}
"""Packages that name the GPL for a file which their wheel leaves out."""


def licence(package: Distribution) -> str:
    """All that its metadata say: an SPDX expression, or in older ones free text and classifiers."""
    told = package.metadata
    texts = [text for field in ("License-Expression", "License") for text in told.get_all(field) or []]
    classifiers = [text for text in told.get_all("Classifier") or [] if text.startswith("License ::")]
    return "\n".join([*(text.partition("\n")[0] for text in texts), *classifiers])


def is_copyleft(text: str) -> bool:
    """Whether a line names the GPL or the AGPL without a choice; the LGPL, whose libraries are imported, is neither."""
    lines = [line for line in text.splitlines() if re.search(r"(?<!L)\bA?GPL|(?<!Lesser )General Public", line)]
    return any(not re.search(r"\bOR\b", line) for line in lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPL-3.0-or-later", True),
        ("AGPL-3.0-only", True),
        ("License :: OSI Approved :: GNU Affero General Public License v3", True),
        ("MIT AND GPL-2.0-only", True),
        ("LGPL-3.0-only", False),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False),
        ("MIT OR GPL-2.0-only", False),
        ("Apache-2.0", False),
    ],
)
def test_copyleft_is_told_from_what_may_be_imported(text: str, expected: bool) -> None:
    assert is_copyleft(text) == expected


def test_no_package_that_is_pinned_is_under_the_gpl_or_the_agpl() -> None:
    here = {package.metadata["Name"].lower().replace("_", "-"): package for package in distributions()}
    pinned = {name.lower().replace("_", "-") for name in NAMES}
    looked_at = {name: licence(package) for name, package in here.items() if name in pinned}
    assert len(looked_at) > 20
    copyleft = {name: text for name, text in looked_at.items() if is_copyleft(text)}
    assert copyleft.keys() <= WITHOUT.keys(), copyleft


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_the_file_under_the_gpl_is_not_in_the_wheel(name: str) -> None:
    files = distribution(name).files
    assert files
    assert not [file for file in files if file.name == WITHOUT[name]]
