"""How many pixels the images of the public vessel sets have, in all, inside the field of view, and of vessels.

Counted by `scripts/count_pixels.py` from the sets' own masks, first observer, into `counts.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files

from foveate.records import Scope


@dataclass(frozen=True, slots=True)
class ImageCounts:
    """Numbers of pixels of one image."""

    id: str
    split: str
    pixels: int
    fov: int
    foreground_in_fov: int
    foreground: int

    def counted(self, scope: Scope) -> tuple[int, int]:
        """(foreground, background) of the pixels that count."""
        foreground, pixels = (self.foreground_in_fov, self.fov) if scope == "fov" else (self.foreground, self.pixels)
        return foreground, pixels - foreground


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images that a row may have been scored on."""

    name: str
    """In words: 'the 8 test images of CHASE_DB1'."""
    images: tuple[ImageCounts, ...]

    def counted(self, scope: Scope) -> tuple[int, int]:
        """(foreground, background) of all images together."""
        counts = [image.counted(scope) for image in self.images]
        return sum(foreground for foreground, _ in counts), sum(background for _, background in counts)

    def share(self, scope: Scope) -> Fraction:
        """Foreground among all pixels that count."""
        foreground, background = self.counted(scope)
        return Fraction(foreground, foreground + background)


TITLES = {"drive": "DRIVE", "stare": "STARE", "chase_db1": "CHASE_DB1", "hrf": "HRF"}
"""The sets that were counted, as they call themselves."""

SPLITS: dict[str, tuple[str, ...]] = {
    "drive": ("test",),
    "stare": ("test", "all"),
    "chase_db1": ("test", "all"),
    "hrf": ("test", "all"),
}
"""Which images of a set papers score: only DRIVE has an official split; leave-one-out and folds score all."""


def image_sets(name: str) -> tuple[ImageSet, ...]:
    """What a row of that data set may have been scored on; nothing for a set that wasn't counted."""
    images = _counts().get(name, ())
    chosen: dict[str, Callable[[ImageCounts], bool]] = {
        "test": lambda image: image.split == "test",
        "all": lambda image: True,
    }
    sets = []
    for split in SPLITS.get(name, ()):
        part = tuple(filter(chosen[split], images))
        sets.append(ImageSet(f"{TITLES[name]}'s {len(part)} {'test ' * (split == 'test')}images", part))
    return tuple(sets)


def _counts() -> dict[str, tuple[ImageCounts, ...]]:
    content = tomllib.loads(files("foveate.published").joinpath("counts.toml").read_text(encoding="utf-8"))
    return {name: tuple(ImageCounts(**image) for image in images) for name, images in content.items()}
