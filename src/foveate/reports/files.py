"""A page's pictures as files of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from foveate.imaging import write_bytes, write_rgb
from foveate.pictures import (
    Panel,
    analytic_mask,
    counted,
    encoded,
    labels,
    missed,
    missed_words,
    panels,
    strip,
    words,
)

if TYPE_CHECKING:
    from foveate.evaluation import EvaluationResult
    from foveate.pictures import Palette
    from foveate.pictures.figure import PictureForm
    from foveate.reports.figures import DrawnFigure
    from foveate.reports.images import ShownImage


def write_images(
    folder: Path,
    name: str,
    shown: ShownImage,
    results: Sequence[EvaluationResult],
    classes: Sequence[str],
    palette: Palette,
) -> None:
    """Analytic masks, missed foreground and strips of one image as PNG files. Raises OutputError."""
    for label, result, masks in zip(labels(results), results, shown.predictions, strict=True):
        note = counted([result], "fov", f"shown: {shown.id}")
        start = f"{name}_{shown.id}_{label}"
        write_rgb(strip(shown.image, shown.truth, masks, classes, note), folder / file_name(f"{start}_strip.png"))
        for class_name, mask, truth in zip(classes, masks, shown.truth, strict=True):
            outcome = Panel(
                f"{shown.id}, {label}: {class_name}", analytic_mask(mask, truth, shown.within, palette=palette)
            )
            gone = Panel(
                f"{shown.id}, {label}: missed {class_name}",
                missed(shown.image, mask, truth, shown.within, palette=palette),
            )
            write_rgb(
                panels([outcome], words(palette, with_grey=not shown.within.all()), note),
                folder / file_name(f"{start}_{class_name}_analytic.png"),
            )
            write_rgb(
                panels([gone], missed_words(palette), note),
                folder / file_name(f"{start}_{class_name}_missed.png"),
            )


def write_figures(folder: Path, name: str, drawn: Sequence[DrawnFigure], form: PictureForm) -> None:
    """Every figure as a file. Raises OutputError."""
    for picture in drawn:
        write_bytes(encoded(picture.figure, form), folder / file_name(f"{name}_{picture.name}.{form}"))


def file_name(text: str) -> str:
    """The text without what separates folders, or splits words in a shell."""
    return "".join("-" if letter in '/\\ :"<>|?*' else letter for letter in text)
