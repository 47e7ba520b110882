"""The rules of a data set's check: what spoils a training or its scores, and what is only worth knowing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from foveate.datasets.files import FOV, files_of, has_truth, missing_files, without_truth
from foveate.datasets.look import Look
from foveate.records import CaseEntry, Classes

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
    for one in looks:
        yield from (Finding("unreadable", True, text, (one.name,)) for text in one.unreadable)
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
        found = missing_files(part)
        yield from (Finding("missing", True, text, (str(path),)) for path, text in found if path not in masks)


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
    by_content: dict[bytes, list[Look]] = defaultdict(list)
    for one in looks:
        if one.digest:
            by_content[one.digest].append(one)
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
    plain = [one.name for one in looks if one.shape is not None and not one.digest]
    if plain:
        yield Finding("image", False, f"{len(plain)} images are of a single colour: {_named(plain)}", tuple(plain))
    for note in dict.fromkeys(note for one in looks for note in one.notes):
        noted = [one.name for one in looks if note in one.notes]
        yield Finding("image", False, f"{len(noted)} images, {note}: {_named(noted)}", tuple(noted))
    if looks and not any(one.entry.split == "train" for one in looks):
        yield Finding("split", False, "nothing is 'train': the set can be evaluated on, not trained on.")


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
