"""Cases that lie on disk as an image with its masks: pairing by name, listing, what is missing, reading.

Which mask belongs to which image follows from what the stars of two name patterns stand for, never from positions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foveate.errors import DataError
from foveate.imaging import Label, as_masks, names_of, read_labels, read_mask, read_photograph, stem_of
from foveate.records import Case, CaseEntry, Masks

MASK = "mask"
"""What a case's only file of truth is called, whether a mask or a label image."""
FOV = "field of view"
SECOND = "second observer's mask"


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """Where the parts of one case lie, or should lie."""

    image: Path
    masks: Mapping[str, Path]
    """What each file is, in words, to a mask for each class, in their order; or `MASK` to the one file for them all."""
    labels: tuple[Label, ...] = ()
    """The class table of a label image; none for masks."""
    fov: Path | None = None
    second_mask: Path | None = None
    further_channels: tuple[Path, ...] = ()
    """Of a volume with a file for each channel: the second and the third one."""

    @property
    def parts(self) -> dict[str, Path]:
        """What each file is, in words, for the files that the case has."""
        others = {FOV: self.fov, SECOND: self.second_mask}
        channels = {f"channel {number}": path for number, path in enumerate(self.further_channels, start=2)}
        there = {part: path for part, path in others.items() if path is not None}
        return {"image": self.image, **channels, **self.masks, **there}


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """Reads one case from its files."""

    id: str
    group: str
    files: CaseFiles

    def __call__(self) -> Case:
        """Image and masks. Raises ImageError or DataError for what can't be read or doesn't fit together."""
        files, image = self.files, read_photograph(self.files.image).pixels

        def masks_of(path: Path, labels: tuple[Label, ...] = ()) -> Masks:
            masks = as_masks(read_labels(path, labels), len(names_of(labels))) if labels else read_mask(path)[None]
            if masks.shape[1:] != image.shape[:2]:
                raise DataError(differing_size(path, masks.shape[1:], files.image, image.shape))
            return masks

        return Case(
            id=self.id,
            group=self.group,
            image=image,
            masks=np.concatenate([masks_of(path, files.labels) for path in files.masks.values()]),
            fov=None if files.fov is None else masks_of(files.fov)[0],
            second_masks=None if files.second_mask is None else masks_of(files.second_mask),
            paths=tuple(files.parts.values()),
        )


def entry(case_id: str, files: CaseFiles, *, group: str, split: str) -> CaseEntry:
    """A listed case that reads its files when it is loaded."""
    return CaseEntry(case_id, group, split, ReadFiles(case_id, group, files))


def class_part(name: str) -> str:
    """What the mask of one class is, in words, where each class has masks of its own."""
    return f"{name} {MASK}"


def composed(name: str) -> str:
    """The name as it is compared: some systems write ä as one character, some as a and two dots (Unicode's NFC)."""
    return unicodedata.normalize("NFC", name)


def as_on_disk(path: Path) -> Path:
    """The path, with names as the system has written them; as given where there is no such file."""
    if path.exists() or path == path.parent:
        return path
    folder = as_on_disk(path.parent)
    beside = folder.iterdir() if folder.is_dir() else ()
    return next((other for other in beside if composed(other.name) == composed(path.name)), folder / path.name)


def group_of(name: str) -> str:
    """The group of a case of one's own by its name: what stands before the first double underscore."""
    return name.split("__")[0]


def files_of(listed: CaseEntry) -> CaseFiles | None:
    """Where the parts of a listed case lie; None for one that doesn't come from files."""
    files = getattr(listed.load, "files", None)
    return files if isinstance(files, CaseFiles) else None


def has_image(listed: CaseEntry) -> bool:
    """Whether a case's image is there, or drawn."""
    files = files_of(listed)
    return files is None or files.image.is_file()


def has_truth(listed: CaseEntry) -> bool:
    """Whether any file of a case's truth is there, or the case is drawn."""
    files = files_of(listed)
    return files is None or any(path.is_file() for path in files.masks.values())


def without_truth(split: str, entries: Sequence[CaseEntry]) -> str:
    """The sentence for a split none of whose cases has a mask, as owners of challenges give their test parts away; ''
    for any other.
    """
    if any(map(has_truth, entries)) or (files := files_of(entries[0])) is None:
        return ""
    cases = "its only image has no" if len(entries) == 1 else f"none of its {len(entries)} images has a"
    return f"'{split}': {cases} mask, such as {next(iter(files.masks.values()))}."


def check_complete(name: str, split: str, entries: Sequence[CaseEntry]) -> None:
    """Raise DataError where cases of a split (or of 'all') of the set of that name lack files."""
    if nothing := without_truth(split, entries):
        raise DataError(f"{name}, {nothing} Add the masks, or use another part of the set.")
    if missing := missing_files(entries):
        others = f" {len(missing) - 1} more: `foveate data check` lists them." if len(missing) > 1 else ""
        raise DataError(missing[0][1] + others)


def missing_files(entries: Iterable[CaseEntry]) -> list[tuple[Path, str]]:
    """Every file that a listed case lacks, each with a sentence."""
    missing = []
    for listed in entries:
        files = files_of(listed)
        parts = {} if files is None else files.parts
        lacking = [part for part, path in parts.items() if not path.is_file()]
        for part in lacking:
            have = next((other for other in parts if other not in lacking), "case")
            name = stem_of(parts[have]) if have in parts else listed.id
            sentence = f"missing: {have} '{name}' has no {part} of that name. Add it or remove the {have}."
            missing.append((parts[part], f"{parts[part]}: {sentence}"))
    return missing


def differing_size(path: Path, shape: tuple[int, ...], image: Path, expected: tuple[int, ...]) -> str:
    """The sentence for a mask whose height and width aren't its image's."""
    return f"{path}: {shape[0]}×{shape[1]} pixels, but its image {image.name} has {expected[0]}×{expected[1]}."


def nothing_found(root: str | Path, expected: str) -> DataError:
    """The error for a folder without a single case, which names what is expected."""
    state = "holds no case" if Path(root).is_dir() else "no such folder"
    return DataError(f"{root}: {state}. Expected {expected}.")


Key = tuple[str, ...]
"""What each star of a pattern stands for, from left to right."""


def matches(root: Path, pattern: str) -> dict[Key, Path]:
    """The files under `root` that match, by what the stars stand for.

    A pattern is a path with `*` in it; a star stands for any text within one name, other characters for themselves,
    and the case of letters doesn't count in a name with a star. Hidden files are left out. Raises DataError where two
    files have the same key.
    """
    by_key: dict[Key, Path] = {}
    for key, path in _walk(root, pattern.split("/")):
        if key in by_key:
            raise DataError(f"{path.parent}: '{by_key[key].name}' and '{path.name}' share a name. Rename one.")
        by_key[key] = path
    return dict(sorted(by_key.items()))


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
        here = [((*key, *map(composed, match.groups())), path) for path, match in fitting if match]
    for longer, path in here:
        if rest:
            yield from _walk(path, rest, longer)
        elif path.is_file():
            yield longer, path


def _filled(pattern: str, key: Key) -> str:
    """The pattern with its stars replaced."""
    parts = pattern.split("*")
    return parts[0] + "".join(text + part for text, part in zip(key, parts[1:], strict=True))
