"""Which outputs of an image are still to be made, and whether those that are there are its own: the record says so."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from foveate.errors import ImageError, OutputError
from foveate.inference.record import ImageRecord, ModelUsed, Output, readable
from foveate.inference.shared_record import SharedRecord
from foveate.inference.source import SourceItem

LONGEST_NAME = 255
"""Bytes of a file's name, on nearly every disk."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call may do for one image."""

    missing: dict[str, Path]
    """By kind: outputs to make, in the place of what is there."""
    kept: dict[str, Output]
    """By kind: outputs that the record goes on vouching for, as the same image and model made them."""

    def again(self, kind: str, paths: dict[str, Path]) -> Claim:
        """The same with a kind that is made anew, where it would have been kept."""
        if kind not in self.kept or kind not in paths:
            return self
        kept = {each: output for each, output in self.kept.items() if each != kind}
        return Claim(self.missing | {kind: paths[kind]}, kept)


def claim_on(
    item: SourceItem, paths: dict[str, Path], before: ImageRecord | None, used: ModelUsed, *, overwrite: bool
) -> Claim:
    """What is to be made of the outputs at `paths`, when `before` is the record's last word on the image.

    What was announced only is made again. Raises OutputError where another output is there that the record doesn't
    know, or knows as another image's or model's, or otherwise than it is; with `overwrite` all is made. Raises
    ImageError where the image can't be read.
    """
    vouched, announced = ({}, {}) if before is None else (before.outputs, before.announced)
    there = [] if overwrite else [kind for kind, path in paths.items() if kind not in announced and _exists(path)]
    for kind in there:
        if kind not in vouched:
            raise refused(item, paths[kind], "and segment.json does not say what it was made from")
    further = vouched.keys() - paths.keys()
    reason = _foreign(item, before, used) if before is not None and vouched and (there or further) else ""
    for kind in there:
        if reason or _is_changed(paths[kind], vouched[kind]):
            raise refused(item, paths[kind], reason or "and was changed since it was made")
    missing = {kind: path for kind, path in paths.items() if kind not in there}
    return Claim(missing, {} if reason else {kind: path for kind, path in vouched.items() if kind not in missing})


def refuse_paths(
    item: SourceItem, name: str, paths: Collection[Path], folder: Path, record: SharedRecord, inputs: Collection[Path]
) -> None:
    """Raise OutputError for outputs outside of the folder, in the place of a photograph or of another output, or with
    too long a name."""
    refuse_name(item, str(folder))
    longest = max((path.name for path in paths), key=lambda name: len(os.fsencode(name)))
    excess = len(os.fsencode(longest)) - LONGEST_NAME
    if excess > 0:
        raise OutputError(
            f"{item.key}: the name of its result …{longest[-24:]} would have {LONGEST_NAME + excess} bytes, and disks"
            f" take {LONGEST_NAME}. Make the photograph's name shorter by {excess}."
        )
    for path in paths:
        if path.resolve() in inputs:
            raise OutputError(f"{item.key}: its result {path} would replace a photograph. Choose another --out.")
        owner = record.owner(file_of(path, folder))
        if owner not in (None, name):
            other = record.images[owner].input if owner in record.images else owner
            raise OutputError(
                f"{item.key}: its result {path} is one of {other}, too. Rename one of the two, or choose another --out."
            )


def refuse_name(item: SourceItem, folder: str) -> None:
    """Raise OutputError for a NAME that leads out of the folder, or is none."""
    name_parts = Path(item.name).parts
    if not name_parts or Path(item.name).is_absolute() or ".." in name_parts:
        raise OutputError(f"{item.key}: its results can't be called {item.name!r}, which leads out of {folder}.")


def options_of(item: SourceItem) -> str:
    """What else an item's results depend on, beside bytes and model; empty for images."""
    options: str = getattr(item, "options", "")
    return options


def file_of(path: Path, folder: Path) -> str:
    """An output as the record names it."""
    return readable(path.relative_to(folder).as_posix())


def output_of(path: Path, folder: Path) -> Output:
    """What the record vouches for: the file as it is now. Raises ImageError where it can't be read."""
    return Output(file=file_of(path, folder), sha256=_sha256(path))


def refused(item: SourceItem, path: Path | str, reason: str) -> OutputError:
    """The error where an output stands in the way."""
    return OutputError(f"{item.key}: {path} is there already, {reason}. Use another --out, or --overwrite.")


def _foreign(item: SourceItem, before: ImageRecord, used: ModelUsed) -> str:
    """Why what the record vouches for is not of this image and model; empty where it is."""
    if before.sha256 != item.sha256():
        return f"made from another image ({before.input})"
    if before.options != options_of(item):
        return f"made with other options ({before.options})"
    return other_model(before.model, used)


def other_model(model: ModelUsed | None, used: ModelUsed) -> str:
    """Why what a model made isn't what another one would make; empty where they are the same."""
    if model == used:
        return ""
    if model is not None and model.sha256 == used.sha256 and model.thresholds == used.thresholds:
        return f"made with other options ({model.passes}; post-processing: {model.post_processing})"
    return f"made by another model ({model.name if model else 'unknown'})"


def _is_changed(path: Path, output: Output) -> bool:
    return bool(output.sha256) and _sha256(path) != output.sha256


def _exists(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except OSError:  # such as a name that is too long, which writing then reports
        return False


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"{path}: can't be read ({error.strerror}).") from error
