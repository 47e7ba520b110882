"""Which mask belongs to which image: by what the stars of two name patterns stand for, never by position."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from foveate.datasets.files import MASK, CaseFiles
from foveate.errors import DataError

Key = tuple[str, ...]
"""What each star of a pattern stands for, from left to right."""


def matches(root: Path, pattern: str) -> dict[Key, Path]:
    """The files under `root` that match, by what the stars stand for.

    A pattern is a path with `*` in it; a star stands for any text within one name, other characters for themselves,
    and the case of letters doesn't count in a name with a star. Hidden files are left out. Raises DataError where two
    files have the same key.
    """
    found: dict[Key, Path] = {}
    for key, path in _walk(root, pattern.split("/")):
        if key in found:
            raise DataError(f"{path.parent}: '{found[key].name}' and '{path.name}' share a name. Rename one.")
        found[key] = path
    return dict(sorted(found.items()))


def paired(root: Path, images: str, masks: str, mask_root: Path | None = None) -> dict[Key, CaseFiles]:
    """Image and mask of every key that one of the two patterns finds, sorted; a partner that is missing is named
    as its pattern would have it. Masks are looked for under a root of their own, if there is one.
    """
    beside = root if mask_root is None else mask_root
    image_of, mask_of = matches(root, images), matches(beside, masks)
    return {
        key: CaseFiles(
            image_of.get(key) or root / _filled(images, key),
            {MASK: mask_of.get(key) or beside / _filled(masks, key)},
        )
        for key in sorted(image_of.keys() | mask_of.keys())
    }


def _walk(folder: Path, names: list[str], key: Key = ()) -> Iterator[tuple[Key, Path]]:
    name, *rest = names
    if "*" not in name:
        here = [(key, folder / name)]
    else:
        form = re.compile("(.*)".join(map(re.escape, name.split("*"))), re.IGNORECASE)
        listed = sorted(folder.iterdir()) if folder.is_dir() else []
        fitting = [(path, form.fullmatch(path.name)) for path in listed if not path.name.startswith(".")]
        here = [((*key, *match.groups()), path) for path, match in fitting if match]
    for longer, path in here:
        if rest:
            yield from _walk(path, rest, longer)
        elif path.is_file():
            yield longer, path


def _filled(pattern: str, key: Key) -> str:
    """The pattern with its stars replaced."""
    parts = pattern.split("*")
    return parts[0] + "".join(text + part for text, part in zip(key, parts[1:], strict=True))
