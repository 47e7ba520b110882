"""Arteries and veins: how the label images of `drive_av` and `hrf_av` show them."""

from __future__ import annotations

from pathlib import Path

from foveate.imaging import Label, names_of
from foveate.records import Classes

LABELS = (
    Label(1, "artery", (255, 0, 0)),
    Label(2, "vein", (0, 0, 255)),
    Label(3, "crossing", (0, 255, 0)),
    Label(3, "crossing", (255, 255, 255)),
)
"""White is where the people who drew them were uncertain; the numbers don't tell that from a crossing."""

CLASSES = Classes(names_of(LABELS))


def label_folder(part: Path, beside: Path) -> Path:
    """Where the label images lie: in `av` within a part of a set, or else in a folder beside the set."""
    return part / "av" if (part / "av").is_dir() else beside
