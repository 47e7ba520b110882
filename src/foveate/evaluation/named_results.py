"""Results of several models on the same images, under names that tell the models apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foveate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.evaluation.result import EvaluationResult

Named = list[tuple[str, "EvaluationResult"]]
"""Models' names, each with a result."""


def told_apart(named: Named, sources: Sequence[str]) -> Named:
    """The same with names that differ: where two have one name, with where each comes from.

    Raises UsageError where that doesn't tell them apart either.
    """
    names = [name for name, _ in named]
    longer = [
        f"{name} ({source})" if names.count(name) > 1 and name != source else name
        for name, source in zip(names, sources, strict=True)
    ]
    if len(set(longer)) < len(longer):
        twice = next(name for name in longer if longer.count(name) > 1)
        raise UsageError(f"{twice}: is given twice.")
    return [(name, result) for name, (_, result) in zip(longer, named, strict=True)]


def result_on(results: Sequence[EvaluationResult], source: str, data_set: str, split: str) -> EvaluationResult:
    """The result on that set and split. Raises UsageError for a source without one."""
    for result in results:
        if (result.data.set, result.data.split) == (data_set, split):
            return result
    there = ", ".join(f"{result.data.set} {result.data.split}" for result in results)
    raise UsageError(f"{source}: has no result on {data_set} {split}; it has {there}.")


def by_set(sources: Sequence[tuple[str, Sequence[EvaluationResult]]]) -> list[Named]:
    """For each set and split, what every source, such as a file, has on it; several models of one source come singly.

    Raises UsageError for a source that has nothing on a set that another has.
    """
    places = dict.fromkeys((result.data.set, result.data.split) for _, results in sources for result in results)
    parts = []
    for place in places:
        named: Named = []
        origins = []
        for source, results in sources:
            on_it = [result for result in results if (result.data.set, result.data.split) == place]
            for result in on_it or [result_on(results, source, *place)]:
                named.append((result.model.name, result))
                origins.append(source)
        parts.append(told_apart(named, origins))
    return parts
