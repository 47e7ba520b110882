"""The small print of a picture: what was counted, where, at which size and threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from foveate.evaluation import Report

Scope = Literal["fov", "image"]


def counted(reports: Sequence[Report], scope: Scope | None, what: str) -> str:
    """The sentences under a picture of these reports, which shows `what`, such as 'pixels of all images together'.

    What all of them share is said once. Without a `scope` the picture itself says which pixels it counts.
    """
    first = reports[0]
    data = _together(f"{r.data.set}, {r.data.split} ({r.data.count} image{'s' * (r.data.count > 1)})" for r in reports)
    fovs = _together(r.protocol.fov_for_counting for r in reports)
    where = {
        "fov": f"inside the field of view ({fovs})",
        "image": "over the whole image",
        None: f"field of view: {fovs}",
    }
    if all(report.protocol.counts_everything for report in reports):
        where = dict.fromkeys(where, "over the whole image")
    sizes = _together(f"{r.protocol.size} size" for r in reports)
    passes = _together(r.protocol.passes for r in reports)
    after = _together(r.protocol.post_processing for r in reports)
    parts = [data, what, where[scope], sizes, passes, _thresholds(reports), f"post-processing: {after}"]
    return f"{'; '.join(part for part in parts if part)}. {first.notice}"


def left_out(reports: Sequence[Report], drawn: Sequence[int]) -> str:
    """How many of each report's images have no dot, after what a dot is; '' where all have one."""
    missing = [
        f"{label}: {report.data.count - count} of {report.data.count} images undefined"
        for label, report, count in zip(labels(reports), reports, drawn, strict=True)
        if count < report.data.count
    ]
    return f" ({', '.join(missing)})" if missing else ""


def labels(reports: Sequence[Report]) -> list[str]:
    """A name for each report that tells it from the others: the model's, with the set's where these differ."""
    sets = {(report.data.set, report.data.split) for report in reports}
    names = [
        report.model.name if len(sets) == 1 else f"{report.model.name} on {report.data.set}, {report.data.split}"
        for report in reports
    ]
    return [name if names.count(name) == 1 else f"{name} ({_nth(names, number)})" for number, name in enumerate(names)]


def _nth(names: Sequence[str], number: int) -> int:
    return names[: number + 1].count(names[number])


def _thresholds(reports: Sequence[Report]) -> str:
    found = [report.protocol.threshold for report in reports]
    words = [
        "masks as they were given"
        if each is None
        else f"threshold {', '.join(f'{value:.4f}' for value in each.values)} ({each.origin})"
        for each in found
    ]
    if len(set(words)) == 1:
        return words[0]
    return ", ".join(f"{name}: {word}" for name, word in zip(labels(reports), words, strict=True))


def _together(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))
