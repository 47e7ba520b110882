"""Cases that lie on disk as an image with its masks: listing, what is missing, reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from foveate.errors import DataError
from foveate.imaging import read_mask, read_photograph, stem_of
from foveate.records import Case, CaseEntry, Mask


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """Where the parts of one case lie, or should lie."""

    image: Path
    mask: Path
    fov: Path | None = None
    second_mask: Path | None = None

    @property
    def parts(self) -> dict[str, Path]:
        """What each file is, in words, for the files that the case has."""
        named = {
            "image": self.image,
            "mask": self.mask,
            "field of view": self.fov,
            "second observer's mask": self.second_mask,
        }
        return {part: path for part, path in named.items() if path is not None}


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """Reads one case from its files."""

    id: str
    group: str
    files: CaseFiles

    def __call__(self) -> Case:
        """Image and masks. Raises ImageError or DataError for what can't be read or doesn't fit together."""
        files, image = self.files, read_photograph(self.files.image).pixels

        def mask_of(path: Path) -> Mask:
            mask = read_mask(path)
            if mask.shape != image.shape[:2]:
                raise DataError(differing_size(path, mask.shape, files.image, image.shape))
            return mask

        return Case(
            id=self.id,
            group=self.group,
            image=image,
            mask=mask_of(files.mask),
            fov=None if files.fov is None else mask_of(files.fov),
            second_mask=None if files.second_mask is None else mask_of(files.second_mask),
            paths=tuple(files.parts.values()),
        )


def entry(case_id: str, files: CaseFiles, *, group: str, split: str) -> CaseEntry:
    """A listed case that reads its files when it is loaded."""
    return CaseEntry(case_id, group, split, ReadFiles(case_id, group, files))


def group_of(name: str) -> str:
    """The group of a case of one's own by its name: what stands before the first double underscore."""
    return name.split("__")[0]


def files_of(listed: CaseEntry) -> CaseFiles | None:
    """Where the parts of a listed case lie; None for one that doesn't come from files."""
    return listed.load.files if isinstance(listed.load, ReadFiles) else None


def missing_files(entries: Iterable[CaseEntry]) -> list[tuple[Path, str]]:
    """Every file that a listed case lacks, each with a sentence."""
    found = []
    for listed in entries:
        files = files_of(listed)
        parts = {} if files is None else files.parts
        lacking = [part for part, path in parts.items() if not path.is_file()]
        for part in lacking:
            have = next((other for other in parts if other not in lacking), "case")
            name = stem_of(parts[have]) if have in parts else listed.id
            sentence = f"missing: {have} '{name}' has no {part} of that name. Add it or remove the {have}."
            found.append((parts[part], f"{parts[part]}: {sentence}"))
    return found


def differing_size(path: Path, shape: tuple[int, ...], image: Path, expected: tuple[int, ...]) -> str:
    """The sentence for a mask whose height and width aren't its image's."""
    return f"{path}: {shape[0]}×{shape[1]} pixels, but its image {image.name} has {expected[0]}×{expected[1]}."


def nothing_found(root: str | Path, expected: str) -> DataError:
    """The error for a folder without a single case, which names what is expected."""
    state = "holds no case" if Path(root).is_dir() else "no such folder"
    return DataError(f"{root}: {state}. Expected {expected}.")
