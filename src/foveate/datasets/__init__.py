"""Data sets: one adapter file each in `sets/`, one contract.

An adapter is a module with the texts `TITLE`, `TERMS`, `CITATION`, `SOURCE` (where the owner gives the set away;
nothing is ever downloaded), `EXPECTED` (the layout) and `SPLIT`, with `CLASSES`, what its masks tell apart, and with
`entries(root)`, which lists the set's cases in a fixed order without reading a pixel; a file that a case should have
and lacks is listed by its name. It reads the set's original layout and formats. Where a set's own files decide on its
classes, `CLASSES` says how, and `classes(root)` which they are. `notes(root, entries)`, where it has one, says what
lies there, looks like data and is passed over; `CHANNELS`, where it has them, are what red, green and blue of its
images are, where these are no colours.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from foveate.datasets.files import check_complete, files_of, has_truth
from foveate.errors import DataError, UsageError, unknown
from foveate.imaging import Label
from foveate.records import CaseEntry, Classes

OWN = "folder"
"""The set whose images and names are a user's own."""

SETS = {
    "drive": "foveate.datasets.sets.drive",
    "stare": "foveate.datasets.sets.stare",
    "chase_db1": "foveate.datasets.sets.chase_db1",
    "hrf": "foveate.datasets.sets.hrf",
    "aria": "foveate.datasets.sets.aria",
    "orvs": "foveate.datasets.sets.orvs",
    "drive_av": "foveate.datasets.sets.drive_av",
    "hrf_av": "foveate.datasets.sets.hrf_av",
    "isic2018": "foveate.datasets.sets.isic2018",
    "lgg": "foveate.datasets.sets.lgg",
    OWN: "foveate.datasets.sets.folder",
    "synthetic": "foveate.datasets.sets.synthetic",
}
"""Name to adapter."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set that was found and listed."""

    name: str
    root: str
    title: str
    terms: str
    citation: str
    source: str
    """Where its owner gives it away, in words and as an address."""
    entries: tuple[CaseEntry, ...]
    classes: Classes
    notes: tuple[str, ...] = ()
    """What lies there, looks like data and is passed over, a sentence each."""

    def split(self, name: str) -> tuple[CaseEntry, ...]:
        """The cases of one split, or of 'all', in order.

        Raises UsageError for a split that the set does not have, and DataError where a case of it lacks a file: a set
        need be complete only in the part that is used.
        """
        chosen = tuple(entry for entry in self.entries if name in ("all", entry.split))
        if not chosen:
            known = {"all", *(entry.split for entry in self.entries)}
            raise UsageError(
                unknown(f"split of {self.name}", name, known) + " 'all' (--split all) takes the cases of every split."
            )
        check_complete(self.name, name, chosen)
        return chosen

    @property
    def labels(self) -> tuple[Label, ...]:
        """The class table of the set's label images; empty where it has masks."""
        return next((files.labels for entry in self.entries if (files := files_of(entry)) and files.labels), ())

    def has_truth(self, name: str) -> bool:
        """Whether any case of that split has masks; False for a split that the set does not have."""
        return any(has_truth(entry) for entry in self.entries if entry.split == name)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a data set without having it."""

    name: str
    title: str
    terms: str
    citation: str
    source: str
    layout: str
    split: str
    classes: str


def facts(name: str) -> Facts:
    """What the adapter of that name says of its set. Raises UsageError for an unknown name."""
    if name not in SETS:
        raise UsageError(unknown("data set", name, SETS))
    adapter = importlib.import_module(SETS[name])
    classes = adapter.CLASSES if isinstance(adapter.CLASSES, str) else _in_words(adapter.CLASSES)
    return Facts(
        name,
        adapter.TITLE,
        adapter.TERMS,
        adapter.CITATION,
        adapter.SOURCE,
        adapter.EXPECTED,
        adapter.SPLIT,
        classes,
    )


def channels_of(names: Iterable[str]) -> tuple[str, ...]:
    """What the channels of images of these sets are, where these are no colours and all the same; empty elsewhere."""
    adapters = [importlib.import_module(SETS[name]) for name in names if name in SETS]
    channels: set[tuple[str, ...]] = {getattr(adapter, "CHANNELS", ()) for adapter in adapters}
    return channels.pop() if len(channels) == 1 else ()


def _in_words(classes: Classes) -> str:
    return ", ".join(classes.names) + ("; no pixel is of two of them" if classes.softmax else "")


def open_set(spec: str) -> DataSet:
    """List the data set that `NAME:FOLDER` names, e.g. `drive:data/DRIVE` (`synthetic:12` takes a number).

    Raises UsageError for an unknown name and DataError where the folder is not what the adapter expects, or a group
    stands in two splits. What a split lacks is said when it is used.
    """
    data = list_set(spec)
    check_groups(data.name, list(data.entries))
    return data


def open_sets(specs: Sequence[str]) -> list[DataSet]:
    """List several data sets, as `open_set` does, that are told apart by their names.

    Raises UsageError where two have one name.
    """
    names = [spec.partition(":")[0] for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"--data {name} is given {names.count(name)} times, and sets are told apart by their names."
                " List the images of all of them in one table, folder:data.csv."
            )
    return [open_set(spec) for spec in specs]


def list_set(spec: str) -> DataSet:
    """As `open_set`, with groups that may stand in two splits."""
    name, _, root = spec.partition(":")
    if name not in SETS:
        if name == spec and Path(spec).exists():
            raise UsageError(
                f"'{spec}' is a place without the name of a data set. For images of your own write {OWN}:{spec}."
            )
        raise UsageError(unknown("data set", name, SETS) + " Write NAME:FOLDER, e.g. drive:data/DRIVE.")
    adapter = importlib.import_module(SETS[name])
    entries: list[CaseEntry] = adapter.entries(root)
    classes: Classes = adapter.classes(root) if isinstance(adapter.CLASSES, str) else adapter.CLASSES
    notes: tuple[str, ...] = adapter.notes(root, entries) if hasattr(adapter, "notes") else ()
    texts = adapter.TITLE, adapter.TERMS, adapter.CITATION, adapter.SOURCE
    return DataSet(name, root, *texts, tuple(entries), classes, notes)


def check_groups(name: str, entries: list[CaseEntry]) -> None:
    """Raise DataError where one group (patient or eye) stands in two splits, or one id occurs twice."""
    split_of: dict[str, str] = {}
    ids: set[str] = set()
    for entry in entries:
        if entry.id in ids:
            raise DataError(f"{name}: two cases have the id '{entry.id}'. Rename one of the files.")
        ids.add(entry.id)
        if split_of.setdefault(entry.group, entry.split) != entry.split:
            raise DataError(
                f"{name}: group '{entry.group}' stands in both '{split_of[entry.group]}' and '{entry.split}';"
                " scores would be too good. Put all of a group's images into one split."
            )
