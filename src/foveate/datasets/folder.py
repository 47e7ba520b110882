"""Your own images and masks, in one of three forms.

`folder:PATH`: `PATH/images/` and `PATH/masks/`, paired by file stem; optional `PATH/fov/`. Sub-folders `train/`,
`validation/` and `test/` that each hold `images/` and `masks/` make splits; without them every case is 'train' and, as
an image must not be both learnt from and tested on, 'test' does not exist.

`folder:IMAGES|MASKS`: two patterns with the same number of stars, e.g. `scans/*.jpg|scans/*_mask.png`; an image and a
mask belong together if each star stands for the same text. Every case is 'train'.

`folder:PATH/data.csv`: a table (see `table.py`).

In the first two, what stands before the first double underscore of a case's name is its group (`patient7__left`,
`patient7__right`); the texts of several stars are joined by one, so `*/images/*.png|*/masks/*.png` groups by folder.
"""

from __future__ import annotations

from pathlib import Path

from foveate.datasets.files import CaseFiles, entry, group_of
from foveate.datasets.pairing import paired
from foveate.datasets.table import SPLITS, table_entries
from foveate.errors import DataError, UsageError
from foveate.imaging import ENDINGS, stem_of
from foveate.records import CaseEntry

TITLE = "Your own folder"
TERMS = "Yours."
CITATION = "Yours."
SOURCE = "Yours."
EXPECTED = "images/ and masks/ with files of the same names; or PATH/data.csv; or IMAGES|MASKS, two patterns with stars"
SPLIT = "Yours: sub-folders train/, validation/ and test/, or the table's column; otherwise all of it is train."


def entries(root: str) -> list[CaseEntry]:
    """The cases, sorted by split and name. Raises DataError for what doesn't fit the form."""
    folder = Path(root)
    if not folder.is_dir() and "|" in root:
        images, _, masks = root.partition("|")
        return _pattern_entries(images.strip(), masks.strip())
    if not folder.is_dir() and root.lower().endswith(".csv"):
        return table_entries(folder)
    parts = [(split, folder / split) for split in SPLITS if (folder / split).is_dir()]
    return [case for split, part in parts or [("train", folder)] for case in _folder_entries(part, split)]


def _folder_entries(part: Path, split: str) -> list[CaseEntry]:
    images, masks = _by_stem(part / "images"), _by_stem(part / "masks")
    fovs = _by_stem(part / "fov") if (part / "fov").is_dir() else {}
    cases = []
    for stem in sorted(images.keys() | masks.keys() | fovs.keys()):
        image = images.get(stem, part / "images" / f"{stem}.png")
        mask = masks.get(stem, part / "masks" / f"{stem}.png")
        files = CaseFiles(image, mask, fovs.get(stem))
        cases.append(entry(f"{split}_{stem}", files, group=group_of(stem), split=split))
    return cases


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. Expected images/ and masks/ with files of the same names.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.name.lower().endswith(tuple(ENDINGS)):
            continue
        stem = stem_of(path)
        if stem in found:
            raise DataError(f"{folder}: '{found[stem].name}' and '{path.name}' share a name. Rename one.")
        found[stem] = path
    if not found:
        raise DataError(f"{folder}: holds no image; looked for {', '.join(sorted(ENDINGS))}.")
    return found


def _pattern_entries(images: str, masks: str) -> list[CaseEntry]:
    stars = images.count("*")
    if stars == 0 or stars != masks.count("*") or images == masks:
        raise UsageError(
            f"'folder:{images}|{masks}' is no pair of patterns: write two that differ, each with the same number of"
            " stars, e.g. folder:scans/*.jpg|scans/*_mask.png."
        )
    patterns = [Path(images), Path(masks)]
    if any(pattern.is_absolute() for pattern in patterns):
        patterns = [pattern.absolute() for pattern in patterns]
    root = Path(patterns[0].anchor)
    below = [pattern.relative_to(root).as_posix() for pattern in patterns]
    cases = []
    for key, files in paired(root, *below).items():
        name = "__".join(key)
        cases.append(entry(name, files, group=group_of(name), split="train"))
    if not cases:
        raise DataError(f"folder:{images}|{masks}: nothing matches. A star stands for any text within one name.")
    return cases
