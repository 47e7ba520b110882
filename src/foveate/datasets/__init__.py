"""Data sets: one adapter file each, one contract.

An adapter is a module with the texts `TITLE`, `TERMS`, `CITATION`, `SOURCE` (where the owner gives the set away;
nothing is ever downloaded), `EXPECTED` (the layout) and `SPLIT`, with `CLASSES`, what its masks tell apart, and with
`entries(root)`, which lists the set's cases in a fixed order without reading a pixel; a file that a case should have
and lacks is listed by its name. It reads the set's original layout and formats. Where a set's own files decide on its
classes, `CLASSES` says how, and `classes(root)` which they are.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

from foveate.datasets.files import missing_files
from foveate.errors import DataError, UsageError, unknown
from foveate.records import CaseEntry, Classes

SETS = {
    "drive": "foveate.datasets.drive",
    "stare": "foveate.datasets.stare",
    "chase_db1": "foveate.datasets.chase_db1",
    "hrf": "foveate.datasets.hrf",
    "aria": "foveate.datasets.aria",
    "orvs": "foveate.datasets.orvs",
    "drive_av": "foveate.datasets.drive_av",
    "hrf_av": "foveate.datasets.hrf_av",
    "isic2018": "foveate.datasets.isic2018",
    "lgg": "foveate.datasets.lgg",
    "folder": "foveate.datasets.folder",
    "synthetic": "foveate.datasets.synthetic",
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

    def split(self, name: str) -> tuple[CaseEntry, ...]:
        """The cases of one split, or of 'all', in order. Raises UsageError for a split that the set does not have."""
        if name == "all":
            return self.entries
        chosen = tuple(entry for entry in self.entries if entry.split == name)
        if not chosen:
            raise UsageError(unknown(f"split of {self.name}", name, {"all", *(entry.split for entry in self.entries)}))
        return chosen


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


def _in_words(classes: Classes) -> str:
    return ", ".join(classes.names) + ("; no pixel is of two of them" if classes.softmax else "")


def open_set(spec: str) -> DataSet:
    """List the data set that `NAME:FOLDER` names, e.g. `drive:data/DRIVE` (`synthetic:12` takes a number).

    Raises UsageError for an unknown name and DataError where the folder is not what the adapter expects, a file is
    missing, or a group stands in two splits.
    """
    data = list_set(spec)
    if missing := missing_files(data.entries):
        others = f" {len(missing) - 1} more: `foveate data check` lists them." if len(missing) > 1 else ""
        raise DataError(missing[0][1] + others)
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
    """As `open_set`, with cases that may lack files, and groups that may stand in two splits."""
    name, _, root = spec.partition(":")
    if name not in SETS:
        raise UsageError(unknown("data set", name, SETS) + " Write NAME:FOLDER, e.g. drive:data/DRIVE.")
    adapter = importlib.import_module(SETS[name])
    entries: list[CaseEntry] = adapter.entries(root)
    classes: Classes = adapter.classes(root) if isinstance(adapter.CLASSES, str) else adapter.CLASSES
    return DataSet(name, root, adapter.TITLE, adapter.TERMS, adapter.CITATION, adapter.SOURCE, tuple(entries), classes)


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
