"""What is wrong, or worth knowing, about a data set before anything is trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from foveate.datasets import DataSet, list_set
from foveate.datasets.findings import Finding, findings
from foveate.datasets.look import Look, look
from foveate.errors import DataError

OnCase = Callable[[str, int, int], None]
"""Called with a case's id, how many are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Part:
    """How much one split holds."""

    images: int
    groups: int


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a set is of one class."""

    pixels: float
    """Of all pixels of the images whose masks could be read, 0 to 1."""
    images: int
    """In which it occurs."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All that a check has to say."""

    name: str
    root: str
    splits: dict[str, Part]
    sizes: dict[str, int]
    """'height×width' to number of images, the most frequent first."""
    values: dict[str, dict[str, int]]
    """Kind of mask, to the values in its files, to the number of such files."""
    classes: dict[str, Share]
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> int:
        """How many findings would spoil a training."""
        return sum(finding.fault for finding in self.findings)


def check_set(spec: str, on_case: OnCase | None = None) -> CheckReport:
    """Read every case of `NAME:FOLDER`, one after the other, and say what was found.

    Memory holds one case's pixels at a time. Raises UsageError for an unknown name.
    """
    name, _, root = spec.partition(":")
    try:
        data = list_set(spec)
    except DataError as error:
        return CheckReport(name, root, {}, {}, {}, {}, (Finding("layout", True, str(error), (root,)),))
    looks = []
    for number, entry in enumerate(data.entries, start=1):
        looks.append(look(entry, data.classes))
        if on_case is not None:
            on_case(entry.id, number, len(data.entries))
    found = [*findings(data.entries, looks, data.classes), *(Finding("unused", False, note) for note in data.notes)]
    return CheckReport(
        name,
        root,
        {split: _part(data, split) for split in dict.fromkeys(entry.split for entry in data.entries)},
        _counted(f"{one.shape[0]}×{one.shape[1]}" for one in looks if one.shape is not None),
        _values(looks),
        {name: _share(name, looks) for name in data.classes.names},
        tuple(sorted(found, key=lambda finding: not finding.fault)),
    )


def _part(data: DataSet, split: str) -> Part:
    entries = [entry for entry in data.entries if entry.split == split]
    return Part(len(entries), len({entry.group for entry in entries}))


def _share(name: str, looks: Sequence[Look]) -> Share:
    told = [(one.pixels[name], one.shape) for one in looks if name in one.pixels and one.shape is not None]
    every = sum(height * width for _, (height, width) in told)
    return Share(sum(pixels for pixels, _ in told) / max(every, 1), sum(pixels > 0 for pixels, _ in told))


def _values(looks: Sequence[Look]) -> dict[str, dict[str, int]]:
    parts = dict.fromkeys(part for one in looks for part in one.masks)
    counted = {part: _counted(one.masks[part].values for one in looks if part in one.masks) for part in parts}
    return {part: found for part, found in counted.items() if "" not in found}


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())
