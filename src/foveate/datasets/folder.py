"""Your own folder: `images/` and `masks/`, paired by file stem; optional `fov/`. No split of its own.

Sub-folders `train/` and `test/` that each hold `images/` and `masks/` make two splits; without them every case is
'train' and, as an image must not be both learnt from and tested on, 'test' does not exist. Files that share a stem's
part before the first double underscore (`patient7__left`, `patient7__right`) are one group.
"""

from __future__ import annotations

from pathlib import Path

from foveate.datasets.files import CaseFiles, entry
from foveate.errors import DataError
from foveate.imaging import ENDINGS, stem_of
from foveate.records import CaseEntry

TITLE = "Your own folder"
TERMS = "Yours."
CITATION = "Yours."


def entries(root: str) -> list[CaseEntry]:
    """Cases sorted by split and stem. Raises DataError for an image without a mask or a mask without an image."""
    folder = Path(root)
    parts = [(split, folder / split) for split in ("train", "test") if (folder / split).is_dir()]
    cases = []
    for split, part in parts or [("train", folder)]:
        images, masks = _by_stem(part / "images"), _by_stem(part / "masks")
        fovs = _by_stem(part / "fov") if (part / "fov").is_dir() else {}
        for stem in sorted(images.keys() ^ masks.keys()):
            lone, missing = ("image", "mask") if stem in images else ("mask", "image")
            raise DataError(f"{part}: {lone} '{stem}' has no {missing} of the same name. Add it or remove the {lone}.")
        for stem in sorted(fovs.keys() - images.keys()):
            raise DataError(f"{part / 'fov'}: '{fovs[stem].name}' has no image of the same name. Rename or remove it.")
        for stem in sorted(images):
            files = CaseFiles(images[stem], masks[stem], fovs.get(stem))
            cases.append(entry(f"{split}_{stem}", files, group=stem.split("__")[0], split=split))
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
