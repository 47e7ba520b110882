"""What is wrong, or worth knowing, about a data set before anything is trained on it: the rules of its check."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from foveate.datasets import DataSet, list_set
from foveate.datasets.files import FOV, files_of, has_image, has_truth, missing_files, without_truth
from foveate.datasets.look import Look, look
from foveate.datasets.splits import too_few
from foveate.errors import DataError
from foveate.records import CaseEntry, Classes

OnCase = Callable[[str, int, int], None]
"""Called with a case's id, how many are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class SplitSize:
    """How much one split holds."""

    images: int
    groups: int


@dataclass(frozen=True, slots=True)
class ClassShare:
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
    splits: dict[str, SplitSize]
    sizes: dict[str, int]
    """'height×width' to number of images, the most frequent first."""
    values: dict[str, dict[str, int]]
    """Kind of mask, to the values in its files, to the number of such files."""
    classes: dict[str, ClassShare]
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
    all_findings = [
        *findings(data.entries, looks, data.classes),
        *(Finding("unused", False, note) for note in data.notes),
    ]
    return CheckReport(
        name,
        root,
        {split: _split_size(data, split) for split in dict.fromkeys(entry.split for entry in data.entries)},
        _counted(f"{one.shape[0]}×{one.shape[1]}" for one in looks if one.shape is not None),
        _values(looks),
        {name: _share(name, looks) for name in data.classes.names},
        tuple(sorted(all_findings, key=lambda finding: not finding.fault)),
    )


def _split_size(data: DataSet, split: str) -> SplitSize:
    entries = [entry for entry in data.entries if entry.split == split and has_image(entry)]
    return SplitSize(len(entries), len({entry.group for entry in entries}))


def _share(name: str, looks: Sequence[Look]) -> ClassShare:
    told = [(one.pixels[name], one.shape) for one in looks if name in one.pixels and one.shape is not None]
    every = sum(height * width for _, (height, width) in told)
    return ClassShare(sum(pixels for pixels, _ in told) / max(every, 1), sum(pixels > 0 for pixels, _ in told))


def _values(looks: Sequence[Look]) -> dict[str, dict[str, int]]:
    parts = dict.fromkeys(part for one in looks for part in one.masks)
    counted = {part: _counted(one.masks[part].values for one in looks if part in one.masks) for part in parts}
    return {part: counts for part, counts in counted.items() if "" not in counts}


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


NAMED = 3
"""How many files the sentence of a remark names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    kind: str
    fault: bool
    """Whether it would spoil a training or its scores; a remark doesn't."""
    text: str
    files: tuple[str, ...] = ()
    """All that it is about; ids of cases that are drawn."""


def findings(entries: Sequence[CaseEntry], looks: Sequence[Look], classes: Classes) -> Iterator[Finding]:
    """All findings about the listed cases, by kind."""
    yield from _missing(entries)
    unreadable: dict[str, str] = {}
    for one in looks:
        for text in one.unreadable:
            unreadable.setdefault(text, one.name)  # of a volume each slice says the same
    yield from (Finding("unreadable", True, text, (name,)) for text, name in unreadable.items())
    for one in looks:
        yield from (Finding("size", True, text, (one.name,)) for text in one.misfits)
    yield from _same_ids(entries)
    yield from _leaks(looks)
    yield from _duplicates(looks)
    yield from _mixed_values(looks)
    yield from _mixed_channels(looks)
    yield from _nothing_to_learn(looks, classes)
    yield from _remarks(looks)


def _missing(entries: Sequence[CaseEntry]) -> Iterator[Finding]:
    """Single files as faults; a part that is whole but for its masks, as challenges give it away, in one sentence."""
    for split in dict.fromkeys(entry.split for entry in entries):
        part = [entry for entry in entries if entry.split == split]
        masks: set[Path] = set()
        if text := without_truth(split, part):
            masks = {path for entry in part if (files := files_of(entry)) for path in files.masks.values()}
            lost = "there is nothing to learn from" if split == "train" else "it can't be scored on"
            yield Finding("missing", split == "train", f"{text} Without, {lost}.", tuple(sorted(map(str, masks))))
        missing = missing_files(part)
        yield from (Finding("missing", True, text, (str(path),)) for path, text in missing if path not in masks)


def _too_few(entries: Sequence[CaseEntry]) -> Iterator[Finding]:
    """A training part of which nothing would be left to learn from once a group validates."""
    parts = {split: [entry for entry in entries if entry.split == split] for split in ("train", "validation")}
    groups = {entry.group for entry in parts["train"]}
    if len(groups) == 1 and not any(map(has_truth, parts["validation"])):
        yield Finding("split", False, f"'train': {too_few(groups)}", tuple(groups))


def _without_fov(entries: Sequence[CaseEntry]) -> Iterator[Finding]:
    """Of a set that has fields of view, the images that have none."""
    images = [files for entry in entries if has_image(entry) and (files := files_of(entry))]
    lacking = tuple(str(files.image) for files in images if files.fov is None)
    if 0 < len(lacking) < len(images):
        text = (
            f"{len(lacking)} images of {len(images)} have no field of view: {_named(lacking)}. In these an estimated"
            " one counts, or every pixel where no lit disc is seen."
        )
        yield Finding("fov", False, text, lacking)


def _same_ids(entries: Sequence[CaseEntry]) -> Iterator[Finding]:
    for name, count in Counter(entry.id for entry in entries).items():
        if count > 1:
            yield Finding("id", True, f"{count} cases have the id '{name}'. Rename the files.", (name,))


def _leaks(looks: Sequence[Look]) -> Iterator[Finding]:
    by_group: dict[str, list[Look]] = defaultdict(list)
    for one in looks:
        by_group[one.entry.group].append(one)
    for group, members in by_group.items():
        first = {one.entry.split: one.name for one in reversed(members)}
        if len(first) > 1:
            places = " and ".join(f"'{split}' ({name})" for split, name in sorted(first.items(), reverse=True))
            text = f"group '{group}' stands in both {places}; scores would be too good. Put it into one split."
            yield Finding("leak", True, text, tuple(one.name for one in members))


def _duplicates(looks: Sequence[Look]) -> Iterator[Finding]:
    by_content: dict[str, list[Look]] = defaultdict(list)
    for one in looks:
        if one.content:
            by_content[one.content].append(one)
    for members in by_content.values():
        if len(members) > 1:
            names = tuple(one.name for one in members)
            # Only what has truth can be learnt from or scored on.
            apart = len({(one.entry.split, one.entry.group) for one in members if has_truth(one.entry)}) > 1
            splits = " and ".join(dict.fromkeys(f"'{one.entry.split}'" for one in members))
            advice = "Keep one of them, or give them one group in one split." if apart else "Keep one of them."
            yield Finding("duplicate", apart, f"the same image in {splits}: {', '.join(names)}. {advice}", names)


def _mixed_values(looks: Sequence[Look]) -> Iterator[Finding]:
    for part in dict.fromkeys(part for one in looks for part in one.masks):
        by_meaning: dict[str, list[str]] = defaultdict(list)
        for one in looks:
            if part in one.masks and one.masks[part].meaning:
                by_meaning[one.masks[part].meaning].append(one.masks[part].path)
        if len(by_meaning) > 1:
            rare, usual = sorted(by_meaning, key=lambda meaning: len(by_meaning[meaning]))
            names = tuple(by_meaning[rare])
            text = f"{part}: values of {rare} among files of {usual}: {_named(names)}; save all alike."
            yield Finding("values", True, text, names)


def _mixed_channels(looks: Sequence[Look]) -> Iterator[Finding]:
    by_channels = {kind: [one.name for one in looks if one.channels == kind] for kind in ("grey", "colour")}
    rare, usual = sorted(by_channels, key=lambda kind: len(by_channels[kind]))
    if names := by_channels[rare]:
        text = f"images with the channels of {rare} among images of {usual}: {_named(names)}; save all alike."
        yield Finding("channels", True, text, tuple(names))


def _nothing_to_learn(looks: Sequence[Look], classes: Classes) -> Iterator[Finding]:
    told = [one.pixels for one in looks if one.entry.split == "train" and one.pixels]
    absent = [name for name in classes.names if told and not any(pixels.get(name) for pixels in told)]
    if absent == list(classes.names):
        yield Finding("nothing", True, f"all {len(told)} masks of 'train' are empty: there is nothing to learn.")
    else:
        for name in absent:
            yield Finding("class", False, f"class '{name}' occurs in none of the {len(told)} masks of 'train'.")
    for one in looks:
        if FOV in one.masks and one.masks[FOV].empty:
            path = one.masks[FOV].path
            yield Finding("fov", True, f"{path}: the field of view is empty, so no pixel would count.", (path,))


def _remarks(looks: Sequence[Look]) -> Iterator[Finding]:
    masks = [(part, mask) for one in looks for part, mask in one.masks.items() if part != FOV]
    sentences = {
        "are empty": [mask.path for _, mask in masks if mask.empty],
        "are foreground all over": [mask.path for _, mask in masks if mask.full],
    }
    for cut in dict.fromkeys(mask.soft for _, mask in masks if mask.soft):
        sentences[f"have soft edges, which are {cut}"] = [mask.path for _, mask in masks if mask.soft == cut]
    for sentence, paths in sentences.items():
        if paths:
            yield Finding("mask", False, f"{len(paths)} masks {sentence}: {_named(paths)}", tuple(paths))
    yield from _turned(looks)
    yield from _without_fov([one.entry for one in looks])
    plain = [one.name for one in looks if one.shape is not None and not one.content]
    if plain:
        yield Finding("image", False, f"{len(plain)} images are of a single colour: {_named(plain)}", tuple(plain))
    for note in dict.fromkeys(note for one in looks for note in one.notes):
        noted = [one.name for one in looks if note in one.notes]
        yield Finding("image", False, f"{len(noted)} images, {note}: {_named(noted)}", tuple(noted))
    if looks and not any(one.entry.split == "train" for one in looks):
        yield Finding("split", False, "nothing is 'train': the set can be evaluated on, not trained on.")
    yield from _too_few([one.entry for one in looks])


def _turned(looks: Sequence[Look]) -> Iterator[Finding]:
    lying = [one.name for one in looks if any(mask.turned != one.turned for mask in one.masks.values())]
    if lying:
        text = (
            f"{len(lying)} images and their masks differ in what an orientation tag turned: {_named(lying)}."
            " See by `foveate data show` whether they fit; if not, save the images without the tag."
        )
        yield Finding("turned", False, text, tuple(lying))


def _named(paths: Sequence[str]) -> str:
    return ", ".join(Path(path).name for path in paths[:NAMED]) + (", …" if len(paths) > NAMED else "")
