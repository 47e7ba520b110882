"""The sentences that must stand beside a result's numbers: what was counted, what had been seen, what to trust."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foveate.evaluation.protocol import SEEN_WHOLE, UNKNOWN

if TYPE_CHECKING:
    from foveate.evaluation.protocol import DataSummary, Protocol
    from foveate.evaluation.result import EvaluationResult


def statement(result: EvaluationResult) -> str:
    """One sentence on what was counted, without which the table's numbers mean little."""
    data, protocol = result.data, result.protocol
    images = "1 image" if data.count == 1 else f"{data.count} images"
    seen = known_images(result.data)
    return (
        f"{result.model.name} on {data.set}, {data.split} ({images}{f', seen by the model: {seen}' if seen else ''}):"
        f" {_words(result)}, "
        f"{_pixels(protocol)}{_left_out(protocol)}; "
        f"agreement on an empty truth: {protocol.empty}; intervals: {protocol.intervals}."
    )


def _left_out(protocol: Protocol) -> str:
    names = ", ".join(protocol.left_out)
    return f", but true pixels of {names} for no other class" if names else ""


def known_images(data: DataSummary) -> str:
    """How many of the images the model has learnt from or was chosen by, in words; '' for none."""
    counts = ((data.seen_in_training, "in training"), (data.seen_in_validation, "in validation"))
    return ", ".join(f"{count} {where}" for count, where in counts if count)


def warning(result: EvaluationResult) -> str:
    """The sentence for scores that are no test scores; '' where no image is known to have been seen."""
    seen = known_images(result.data)
    images = "1 image" if result.data.count == 1 else f"{result.data.count} images"
    return f"These are no test scores: of the {images} the model has seen {seen}." if seen else ""


def confidence(result: EvaluationResult) -> list[str]:
    """For each class a line on how well expected and true F1 agree; none for masks alone."""
    lines = []
    for name, summary in result.confidence.items():
        if summary.expected is None or summary.true is None or summary.mean_absolute_error is None:
            continue
        related = "" if summary.correlation is None else f", correlation {summary.correlation:.2f}"
        lines.append(
            f"Expected F1 of {name} masks, from their probabilities alone: {summary.expected:.4f} in the mean of"
            f" {summary.images} image{'s' * (summary.images != 1)}{_without(result, summary.images)}, true"
            f" {summary.true:.4f}; mean absolute error {summary.mean_absolute_error:.4f}{related}."
        )
    return lines


def _without(result: EvaluationResult, images: int) -> str:
    missing = result.data.count - images
    return f" ({missing} without)" if missing else ""


def _words(result: EvaluationResult) -> str:
    protocol = result.protocol
    parts = [f"{protocol.size} size", protocol.passes]
    if protocol.threshold is not None:
        values = ", ".join(f"{value:.4f}" for value in protocol.threshold.values)
        parts.append(f"threshold {values} ({protocol.threshold.origin})")
    if protocol.post_processing != "none":
        parts.append(f"post-processing {protocol.post_processing}")
    return ", ".join(parts)


def _pixels(protocol: Protocol) -> str:
    """Which pixels the model saw and which were counted; no word of a field of view where there is none in it."""
    if not protocol.counts_everything:
        return f"field of view for preparing: {protocol.fov_for_preparing}, for counting: {protocol.fov_for_counting}"
    if protocol.fov_for_preparing in (SEEN_WHOLE, UNKNOWN):
        return "every pixel counted"
    return f"field of view for preparing: {protocol.fov_for_preparing}; every pixel counted"
