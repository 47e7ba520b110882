"""The volumes in NIfTI files: one item for each volume of a file, or for the files that are its channels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from foveate.errors import FoveateError, ImageError, UsageError
from foveate.imaging import stem_of
from foveate.imaging.nifti import is_nifti_file
from foveate.imaging.nifti.header import volume_header
from foveate.imaging.nifti.volume import Slicing, Volume, digest_of, open_volume
from foveate.inference.source import FileItem, SourceItem


@dataclass(frozen=True)
class VolumeFiles:
    """The file of a volume, or of several; or the files of its channels."""

    items: tuple[FileItem, ...]
    name: str
    frames: int
    zipped: bool
    slicing: Slicing
    lacking: tuple[str, ...] = ()
    """Names of channels that aren't there."""

    @cached_property
    def digest(self) -> str:
        """SHA-256, computed once for all volumes."""
        return digest_of(self.paths)

    @property
    def paths(self) -> list[Path]:
        """Of each channel."""
        return [item.path for item in self.items]


@dataclass(frozen=True, slots=True)
class VolumeItem:
    """A volume."""

    files: VolumeFiles
    frame: int
    """From 0."""

    @property
    def name(self) -> str:
        """That of the file, with the volume's number, from 1, where there are several."""
        frames = self.files.frames
        digits = max(3, len(str(frames)))
        return self.files.name + (f"_v{self.frame + 1:0{digits}d}" if frames > 1 else "")

    @property
    def key(self) -> str:
        """The files' paths, and the volume where there are several."""
        paths = " + ".join(dict.fromkeys(item.key for item in self.files.items))
        return paths + (f", volume {self.frame + 1}" if self.files.frames > 1 else "")

    @property
    def place(self) -> Path:
        """The first file."""
        return self.files.items[0].place

    @property
    def ending(self) -> str:
        """Of its results: packed as it is."""
        return ".nii.gz" if self.files.zipped else ".nii"

    @property
    def options(self) -> str:
        """What else its results depend on, in words."""
        slicing = self.files.slicing
        window = "" if slicing.window is None else f", window {slicing.window[0]:g} to {slicing.window[1]:g}"
        return f"{slicing.plane} slices{window}"

    def read(self) -> Volume:
        """The volume, opened. Raises ImageError or UsageError."""
        if self.files.lacking:
            raise ImageError(f"{self.key}: lacks {', '.join(self.files.lacking)} beside it, which --channels names.")
        return open_volume(
            self.files.paths, slicing=self.files.slicing, frame=self.frame, source=self.key, sha256=self.sha256()
        )

    def sha256(self) -> str:
        """Of the file; of several, of their digests one after the other."""
        return self.files.digest

    def size(self) -> int:
        """Of all files."""
        return sum(item.size() for item in dict.fromkeys(self.files.items))


def volumes_in(files: Sequence[SourceItem], found: Collection[Path], slicing: Slicing) -> list[SourceItem]:
    """The files' volumes, in order, each with its channels; other files stay as they are, and so do NIfTI files that
    can't be read, which say so when they are.

    `found` are those that were come across in a folder: where channels are named, others there are passed over. Raises
    UsageError for a file that was named and is none of the channels.
    """
    items: list[SourceItem] = []
    groups: dict[Path, dict[str, FileItem]] = defaultdict(dict)
    for file in files:
        if not isinstance(file, FileItem) or not is_nifti_file(file.path):
            items.append(file)
        elif not slicing.channels:
            items += _volumes_of(file, slicing)
        elif ending := _channel_of(stem_of(file.path), slicing.channels):
            without = stem_of(file.path).removesuffix(ending)
            groups[file.path.parent / without][ending] = FileItem(file.path, _shorter(file, without))
        elif file.path not in found:
            endings = ", ".join(dict.fromkeys(slicing.channels))
            raise UsageError(f"{file.path}: its name ends in none of {endings}, which --channels names.")
    for members in groups.values():
        if len(slicing.channels) == 1:
            items += _volumes_of(next(iter(members.values())), slicing)
        else:
            items.append(_of_channels(members, slicing))
    return items


def _volumes_of(file: FileItem, slicing: Slicing) -> list[SourceItem]:
    try:
        header = volume_header(file.path)
    except FoveateError:
        return [VolumeItem(VolumeFiles((file,), file.name, 1, _is_zipped(file), slicing), 0)]
    files = VolumeFiles((file,), file.name, header.frames, header.zipped, slicing)
    return [VolumeItem(files, frame) for frame in range(header.frames)]


def _channel_of(name: str, endings: Sequence[str]) -> str:
    """The longest of the endings that the name has, with something before it; '' for none."""
    return max((ending for ending in endings if name.endswith(ending) and name != ending), key=len, default="")


def _shorter(file: FileItem, without: str) -> str:
    """The file's NAME without its ending; what tells it from others stays."""
    before, _, after = file.name.rpartition(stem_of(file.path))
    return before + without + after


def _of_channels(members: dict[str, FileItem], slicing: Slicing) -> VolumeItem:
    there = [members[ending] for ending in slicing.channels if ending in members]
    lacking = tuple(dict.fromkeys(ending for ending in slicing.channels if ending not in members))
    name = max((file.name for file in there), key=len)  # one of them may be told apart by its folder alone
    return VolumeItem(VolumeFiles(tuple(there), name, 1, _is_zipped(there[0]), slicing, lacking), 0)


def _is_zipped(file: FileItem) -> bool:
    return file.path.name.lower().endswith(".gz")
