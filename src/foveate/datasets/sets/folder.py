"""Your own images and masks, in one of three forms.

`folder:PATH`: `PATH/images/` and `PATH/masks/`, paired by file stem; optional `PATH/fov/`. Sub-folders `train/`,
`validation/` (or `val/`, `valid/`) and `test/` that each hold `images/` and `masks/` make splits; without them every
case is 'train' and, as an image must not be both learnt from and tested on, 'test' does not exist. Images that lie
elsewhere below PATH, and links that lead nowhere, are passed over, which `notes` says.

`folder:IMAGES|MASKS`: two patterns with the same number of stars, e.g. `scans/*.jpg|scans/*_mask.png`; an image and a
mask belong together if each star stands for the same text. Every case is 'train'.

`folder:PATH/data.csv`: a table (see `tables.py`).

Masks show one class, 'foreground', unless there are more. Classes of which no pixel has two: label images in place of
masks, and `PATH/classes.csv` (beside the table, if there is one; see `tables.py`). Classes that may lie over each
other: `masks/NAME/` with a mask of each image for each class; or columns of the table.

Images and masks may be NIfTI volumes in all three, whose slices are cases (`volumes.py`); in a folder `NAME_0000`,
`NAME_0001` and `NAME_0002` are the channels of `masks/NAME`.

In the first two, what stands before the first double underscore of a case's name is its group (`patient7__left`,
`patient7__right`); the texts of several stars are joined by one, so `*/images/*.png|*/masks/*.png` groups by folder.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from foveate.datasets.files import MASK, CaseFiles, class_part, composed, files_of, group_of, paired
from foveate.datasets.splits import SPLIT_NAMED, SPLITS
from foveate.datasets.tables import (
    CASE_COLUMNS,
    CLASS_TABLE,
    check_class_name,
    read_class_table,
    table_classes,
    table_entries,
)
from foveate.datasets.volumes import VOLUME_ENDINGS, Shelf, is_volume, listed
from foveate.errors import DataError, UsageError
from foveate.imaging import ENDINGS, Label, find_images, names_of, stem_of
from foveate.records import CaseEntry, Classes

TITLE = "Your own folder"
TERMS = "Yours."
CITATION = "Yours."
SOURCE = "Yours."
EXPECTED = "images/ and masks/ with files of the same names; or PATH/data.csv; or IMAGES|MASKS, two patterns with stars"
SPLIT = "Yours: sub-folders train/, validation/ and test/, or the table's column; otherwise all of it is train."
CLASSES = "Yours: classes.csv for label images, masks/NAME/ or columns mask_NAME for each; otherwise foreground."


def entries(root: str) -> list[CaseEntry]:
    """The cases, sorted by split and name. Raises DataError for what doesn't fit the form."""
    folder = Path(root)
    if not folder.is_dir() and "|" in root:
        images, _, masks = root.partition("|")
        return _pattern_entries(images.strip(), masks.strip())
    if _is_table(root):
        return table_entries(folder, _labels(folder.parent))
    labels, names = _labels(folder), _class_folders(folder)
    shelf = Shelf()
    return [case for split, part in _parts(folder) for case in _folder_entries(part, split, labels, names, shelf)]


def classes(root: str) -> Classes:
    """What the masks of a set that can be listed tell apart. Raises DataError for two ways of saying it at once."""
    folder = Path(root)
    if not folder.is_dir() and not _is_table(root):
        return Classes()
    labels = _labels(folder if folder.is_dir() else folder.parent)
    names = _class_folders(folder) if folder.is_dir() else table_classes(folder)
    if labels and names:
        raise DataError(f"{folder}: has {CLASS_TABLE} and masks of each class apart. Keep label images or masks.")
    return Classes(names or names_of(labels), exclusive=not names) if names or labels else Classes()


def notes(root: str, cases: Sequence[CaseEntry]) -> tuple[str, ...]:
    """What lies in the folder, looks like data and is in none of the cases; a sentence for each place."""
    folder = Path(root)
    if not folder.is_dir():
        return ()
    used = {path.resolve() for case in cases if (files := files_of(case)) for path in files.parts.values()}
    unused: dict[Path, list[str]] = defaultdict(list)
    nowhere = []
    for path in find_images(folder, recursive=True):
        if not path.exists():
            nowhere.append(str(path))
        elif path.resolve() not in used:
            unused[path.parent].append(path.name)
    sentences = [
        f"images in {place} that are not used: {len(names)}, such as {names[0]}. Images lie in images/, their masks in"
        " masks/, either of FOLDER itself or of its train/, validation/ and test/."
        for place, names in unused.items()
    ]
    if nowhere:
        sentences.append(f"links that lead nowhere are passed over: {len(nowhere)}, such as {nowhere[0]}.")
    return tuple(sentences)


def _is_table(root: str) -> bool:
    return "|" not in root and root.lower().endswith(".csv") and not Path(root).is_dir()


def _parts(folder: Path) -> list[tuple[str, Path]]:
    """Each split and its folder. Raises DataError where two folders are the same split."""
    parts: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        split = SPLIT_NAMED.get(path.name.lower())
        if split is None or not any((path / kind).is_dir() for kind in ("images", "masks")):
            continue
        if split in parts:
            raise DataError(f"{folder}: '{parts[split].name}' and '{path.name}' are both '{split}'. Keep one of them.")
        parts[split] = path
    return [(split, parts[split]) for split in SPLITS if split in parts] or [("train", folder)]


def _labels(folder: Path) -> tuple[Label, ...]:
    table = folder / CLASS_TABLE
    return read_class_table(table) if table.is_file() else ()


def _class_folders(folder: Path) -> tuple[str, ...]:
    """The names of the folders with images in the splits' `masks/`, sorted."""
    below = [path for _, part in _parts(folder) for path in _in(part / "masks")]
    shown = [path for path in below if not path.name.startswith(".")]
    folders = {path.name: path for path in shown if any(map(_is_image, _in(path)))}
    return tuple(check_class_name(str(folders[name]), name) for name in sorted(folders))


def _folder_entries(
    part: Path, split: str, labels: tuple[Label, ...], names: tuple[str, ...], shelf: Shelf
) -> list[CaseEntry]:
    kinds = {class_part(name): part / "masks" / name for name in names} or {MASK: part / "masks"}
    images = _by_stem(part / "images")
    masks = {kind: _by_stem(folder, may_lack=True) for kind, folder in kinds.items()}
    if names and any(_is_image(path) for path in _in(part / "masks")):
        raise DataError(
            f"{part / 'masks'}: holds masks and folders of masks. Move the masks into a"
            " class's folder, or what is no class out of there."
        )
    fovs = _by_stem(part / "fov", may_lack=True)
    channels = _channels(images)
    cases = []
    for stem in sorted(images.keys() | fovs.keys() | {stem for paths in masks.values() for stem in paths}):
        image = images.get(stem, part / "images" / f"{stem}.png")
        ending = ".nii.gz" if is_volume(image) else ".png"
        case_files = CaseFiles(
            image,
            {kind: paths.get(stem, kinds[kind] / f"{stem}{ending}") for kind, paths in masks.items()},
            labels,
            fovs.get(stem),
            further_channels=channels.get(stem, ()),
        )
        cases += listed(f"{split}_{stem}", case_files, group=group_of(stem), split=split, shelf=shelf)
    return cases


def _channels(images: dict[str, Path]) -> dict[str, tuple[Path, ...]]:
    """Further channels of volumes, taken out of the images: `NAME_0000`, `NAME_0001` and `NAME_0002` are `NAME`."""
    channels: dict[str, tuple[Path, ...]] = {}
    for first in [stem for stem, path in images.items() if stem.endswith("_0000") and is_volume(path)]:
        name = first.removesuffix("_0000")
        further = [f"{name}_{number:04d}" for number in (1, 2)]
        if name not in images and all(stem in images and is_volume(images[stem]) for stem in further):
            channels[name] = tuple(images.pop(stem) for stem in further)
            images[name] = images.pop(first)
    return channels


def _is_image(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.name.lower().endswith((*ENDINGS, *VOLUME_ENDINGS))


def _in(folder: Path) -> list[Path]:
    """What lies in a folder, sorted; nothing where there is none."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _by_stem(folder: Path, *, may_lack: bool = False) -> dict[str, Path]:
    """The images of a folder by their names; unless it `may_lack` them, DataError where there are none."""
    if not folder.is_dir() and not may_lack:
        raise DataError(f"{folder}: no such folder. Expected images/ and masks/ with files of the same names.")
    by_stem: dict[str, Path] = {}
    for path in _in(folder):
        if not _is_image(path):
            continue
        stem = composed(stem_of(path))
        if stem in by_stem:
            raise DataError(f"{folder}: '{by_stem[stem].name}' and '{path.name}' share a name. Rename one.")
        by_stem[stem] = path
    if not by_stem and not may_lack:
        expected = _deeper(folder) or f"looked for {', '.join(sorted((*ENDINGS, *VOLUME_ENDINGS)))}."
        raise DataError(f"{folder}: holds no image; {expected}")
    return by_stem


def _deeper(images: Path) -> str:
    """The sentence for images in folders of `images/`: the two patterns that take them all with their masks, each
    folder a group, else the form of a table; '' where there are none."""
    deeper = [path for path in sorted(images.rglob("*")) if _is_image(path)]
    if not deeper:
        return ""
    patterns = _two_patterns(images, deeper[0], len(deeper))
    form = (
        f"write 'folder:{patterns}', in which each of these folders is a group."
        if patterns
        else f"list them in a table, folder:{images.parent / 'data.csv'}, with the columns {', '.join(CASE_COLUMNS)}."
    )
    return f"{len(deeper)} lie deeper, such as {deeper[0]}: {form}"


def _two_patterns(images: Path, image: Path, count: int) -> str:
    """Two patterns for images that lie as this one does, in folders of `images/`; '' where they don't pair so many."""
    place, masks, stem = image.parent.relative_to(images), images.parent / "masks", stem_of(image)
    beside = [path for path in _in(masks / place) if _is_image(path) and stem_of(path).startswith(stem)]
    if images.parent.name.lower() in SPLIT_NAMED or len(place.parts) != 1 or not beside:
        return ""
    mask = min(beside, key=lambda path: (len(path.name), path.name))
    image_form, mask_form = (f"*/*{path.name.removeprefix(stem)}" for path in (image, mask))
    pairs = paired(images, image_form, mask_form, masks).values()
    whole = [pair for pair in pairs if all(path.is_file() for path in pair.parts.values())]
    return f"{images / image_form}|{masks / mask_form}" if len(whole) == len(pairs) == count else ""


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
    below_images, below_masks = (pattern.relative_to(root).as_posix() for pattern in patterns)
    cases, shelf = [], Shelf()
    for key, files in paired(root, below_images, below_masks).items():
        name = "__".join(key)
        cases += listed(name, files, group=group_of(name), split="train", shelf=shelf)
    if not cases:
        raise DataError(f"folder:{images}|{masks}: nothing matches. A star stands for any text within one name.")
    return cases
