"""The small print of a picture: what was counted, where, at which size and threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from foveate.evaluation import EvaluationResult
    from foveate.records import Scope


def counted(results: Sequence[EvaluationResult], scope: Scope | None, what: str) -> str:
    """The sentences under a picture of these results, which shows `what`, such as 'pixels of all images together'.

    What all of them share is said once. Without a `scope` the picture itself says which pixels it counts.
    """
    first = results[0]
    data = _together(f"{r.data.set}, {r.data.split} ({r.data.count} image{'s' * (r.data.count > 1)})" for r in results)
    fovs = _together(r.protocol.fov_for_counting for r in results)
    where = {
        "fov": f"inside the field of view ({fovs})",
        "image": "over the whole image",
        None: f"field of view: {fovs}",
    }
    if all(result.protocol.counts_everything for result in results):
        where = dict.fromkeys(where, "over the whole image")
    sizes = _together(f"{r.protocol.size} size" for r in results)
    passes = _together(r.protocol.passes for r in results)
    after = _together(r.protocol.post_processing for r in results)
    parts = [data, what, where[scope], sizes, passes, _thresholds(results), f"post-processing: {after}"]
    return f"{'; '.join(part for part in parts if part)}. {first.notice}"


def left_out(results: Sequence[EvaluationResult], drawn: Sequence[int]) -> str:
    """How many of each result's images have no dot, after what a dot is; '' where all have one."""
    missing = [
        f"{label}: {result.data.count - count} of {result.data.count} images undefined"
        for label, result, count in zip(labels(results), results, drawn, strict=True)
        if count < result.data.count
    ]
    return f" ({', '.join(missing)})" if missing else ""


def labels(results: Sequence[EvaluationResult]) -> list[str]:
    """A name for each result that tells it from the others: the model's, with the set's where these differ."""
    sets = {(result.data.set, result.data.split) for result in results}
    names = [
        result.model.name if len(sets) == 1 else f"{result.model.name} on {result.data.set}, {result.data.split}"
        for result in results
    ]
    return [name if names.count(name) == 1 else f"{name} ({_nth(names, number)})" for number, name in enumerate(names)]


def _nth(names: Sequence[str], number: int) -> int:
    return names[: number + 1].count(names[number])


def _thresholds(results: Sequence[EvaluationResult]) -> str:
    thresholds = [result.protocol.threshold for result in results]
    words = [
        "masks as they were given"
        if threshold is None
        else f"threshold {', '.join(f'{value:.4f}' for value in threshold.values)} ({threshold.origin})"
        for threshold in thresholds
    ]
    if len(set(words)) == 1:
        return words[0]
    return ", ".join(f"{name}: {word}" for name, word in zip(labels(results), words, strict=True))


def _together(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))
