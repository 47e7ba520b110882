"""From a photograph to what the network sees, and from its probabilities back to the photograph's own grid.

Vessels of one eye are ten times as many pixels wide in one camera as in another. So the image is cropped to its field
of view and scaled until the FOV's diameter has a working size the network was trained at. Inference, validation and
training all prepare images here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil, log
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.arrays.enhance import HIGHEST_CLAHE, Channels, enhance
from foveate.arrays.fov import FieldOfView, FovRule, field_of_view
from foveate.arrays.resize import reduced
from foveate.arrays.threads import for_each
from foveate.records import Image, Mask, Probabilities, Probability

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""N×C×H×W, RGB or green alone, 0 to 255, H and W multiples of `STRIDE`, to probabilities N×K×H×W."""

STRIDE = 8
"""Prepared images are padded to multiples of this, so that no network resizes inside."""

ALIGNED = 64
"""Parts of a prepared image begin at multiples of this, so that what a network pools together is the same as in the
whole image."""

BAND = 128
"""Rows of a photograph that are brought to the working size together, or back from it."""

THREADS_PAY = 1_500_000
"""Pixels from which on threads are used: of smaller photographs they take as long to begin as they save."""

SAME_SIZE = 0.02
"""A change of scale smaller than this is left out: resampling would blur more than it would match."""


HIGHEST_WORKING_MINIMUM = 4096
"""Pixels that an image may be enlarged to before a network sees it: larger ones would fill the memory."""

HIGHEST_WORKING_MAXIMUM = 100_000
"""Pixels: so many that photographs are never reduced."""

STEP = 1.25
"""From one working size to the next smaller one that is tried."""

LARGEST_WHOLE = 2048
"""Pixels of the working size up to which a network sees all of an image at once, or in a few bands."""

HIGHEST_CONTEXT = 1024
"""Pixels around a tile: with more of it, most of the work would be done several times."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a model's images are brought to it: a section of a recipe, and of the card of what it trains.

    Raises ValueError, "KEY: what is wrong with it", for a number out of its bounds.
    """

    fov: FovRule = "find"
    """Fundus photographs, whose FOV is found, or any images, taken whole."""
    working_minimum: float = 512.0
    """Pixels: a smaller FOV diameter is enlarged to this; up to the maximum a photograph keeps its own scale."""
    working_maximum: float = 1024.0
    """Pixels: a larger FOV diameter is reduced to this."""
    channels: Channels = "rgb"
    """What of the image the network sees."""
    clahe: float = 0.0
    """Clip limit of a contrast limited adaptive histogram equalisation of that, from 1 on, e.g. 2; 0: none."""
    context: int = 0
    """Pixels: how far what the network says of a pixel depends on others, so that it may see a large image in parts; 0:
    it is shown every image in one piece."""

    # Pydantic, which reads recipes, takes no key that isn't here.
    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        for name, highest in (
            ("working_minimum", HIGHEST_WORKING_MINIMUM),
            ("working_maximum", HIGHEST_WORKING_MAXIMUM),
        ):
            value = getattr(self, name)
            if not 0 < value <= highest:  # NaN is neither
                raise ValueError(f"{name}: {value:g} is not above 0 and at most {highest}")
        if self.working_minimum > self.working_maximum:
            raise ValueError(
                f"working_minimum: {self.working_minimum:g} is larger than working_maximum, {self.working_maximum:g}"
            )
        if self.clahe != 0 and not 1 <= self.clahe <= HIGHEST_CLAHE:
            raise ValueError(f"clahe: {self.clahe:g} is no clip limit; 0, or from 1 to {HIGHEST_CLAHE}")
        if not 0 <= self.context <= HIGHEST_CONTEXT:
            raise ValueError(f"context: {self.context} is no width of a margin; 0, or up to {HIGHEST_CONTEXT} pixels")

    def scale(self, diameter: float) -> float:
        """The factor from a photograph whose FOV has that diameter to the working size."""
        factor = min(max(diameter, self.working_minimum), self.working_maximum) / diameter
        return 1.0 if abs(factor - 1) < SAME_SIZE else factor

    def smaller(self, diameter: float) -> tuple[Preparation, ...]:
        """This one, and such as show a photograph whose FOV has that diameter smaller: in even steps of about `STEP`,
        down to the working minimum."""
        shown = diameter * self.scale(diameter) if diameter else self.working_minimum
        times = max(1.0, shown / self.working_minimum)
        steps = round(log(times) / log(STEP))
        sizes = (shown / times ** (step / steps) for step in range(1, steps + 1))
        return self, *(replace(self, working_maximum=max(size, self.working_minimum)) for size in sizes)

    def photograph_pixels(self, working: int, diameter: float) -> int:
        """The least number of pixels, of a photograph whose FOV has that diameter, with the area of `working` pixels of
        the working size."""
        if not diameter:
            return working
        scale = self.scale(diameter)
        return ceil(working / (scale * scale))

    @property
    def tiled(self) -> bool:
        """Whether images may be so large that the network, whose context is known, sees them in tiles."""
        return bool(self.context) and self.working_maximum > LARGEST_WHOLE

    @property
    def working_sizes(self) -> str:
        """In words: a number of pixels, or from which to which."""
        lowest, highest = f"{self.working_minimum:g}", f"{self.working_maximum:g}"
        return lowest if lowest == highest else f"{lowest} to {highest}"

    @property
    def channel_count(self) -> int:
        """C of the network's input."""
        return 1 if self.channels == "green" else 3

    def view(self, image: Image) -> FieldOfView:
        """The FOV of an image (H×W×3), by the rule."""
        return field_of_view(image, self.fov)

    def frame(self, fov: FieldOfView) -> Frame:
        """Where the prepared image of a photograph with this FOV, not empty, comes from."""
        return Frame.of(fov, self.scale(fov.diameter))

    def pixels(self, image: Image, fov: FieldOfView, frame: Frame, *, threads: int = 1) -> NDArray[np.uint8]:
        """What the network sees, without padding: H×W×3 to H×W×C at the frame's working size."""
        prepared = prepare(image, fov, frame, threads=threads)
        if self.channels == "rgb" and not self.clahe:
            return prepared
        inside = prepare_mask(fov.mask, frame) >= 0.5
        return enhance(prepared, inside, channels=self.channels, clahe=self.clahe)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a prepared image came from: the box in the photograph, and the size that box was brought to."""

    height: int
    width: int
    box: tuple[int, int, int, int]
    """Top, left, bottom, right."""
    working: tuple[int, int]
    """Height and width of the prepared image."""

    @classmethod
    def of(cls, fov: FieldOfView, scale: float) -> Frame:
        """The frame of a photograph whose FOV is known and not empty, at `scale` times its own size."""
        top, left, bottom, right = fov.box
        size = max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))
        height, width = fov.mask.shape
        return cls(height, width, fov.box, size)


def prepare(image: Image, fov: FieldOfView, frame: Frame, *, threads: int = 1) -> Image:
    """Crop to the FOV, black out what lies outside it, and scale: H×W×3 to the frame's working size."""
    top, left, bottom, right = frame.box
    inside, own = fov.mask[top:bottom, left:right], image[top:bottom, left:right]
    height, width = frame.working
    prepared = np.empty((own.shape[2], height, width), np.uint8)

    def fill(channel: int) -> None:
        if inside.shape == (height, width):
            np.multiply(own[..., channel], inside, out=prepared[channel])
        else:

            def read(first: int, last: int) -> Image:
                return np.multiply(own[first:last, :, channel], inside[first:last])

            part = 0, 0, *inside.shape
            prepared[channel] = reduced(read, len(inside), part, (height, width), "bicubic", BAND)

    for_each(range(own.shape[2]), fill, threads)
    return prepared.transpose(1, 2, 0)


def prepare_mask(mask: Mask, frame: Frame) -> Probability:
    """The share of foreground under every pixel of the prepared image: H×W bool to the working size, 0 to 1."""
    top, left, bottom, right = frame.box
    share = mask[top:bottom, left:right].astype(np.float64)
    for axis, length in enumerate(frame.working):
        share = averaged(share, length, axis)
    return share.astype(np.float32)


def restore(probability: Probability, fov: FieldOfView, frame: Frame) -> Probability:
    """Bring probabilities of the prepared image (working size) back to the photograph's grid; 0 outside the FOV."""
    full = np.zeros((frame.height, frame.width), np.float32)
    _restore_into(full, probability, fov, frame)
    return full


def _restore_into(
    full: Probability, probability: Probability, fov: FieldOfView, frame: Frame, threads: int = 1
) -> None:
    """`restore` into an array of zeros. Bilinear, and where it is enlarged by bands of rows: all of it at once would be
    held four times."""
    top, left, bottom, right = frame.box
    target, inside = full[top:bottom, left:right], fov.mask[top:bottom, left:right]
    height, width = target.shape
    length = len(probability)
    if probability.shape == (height, width) or height <= max(BAND, length):
        np.copyto(target, _wide(probability, height, width), where=inside)
        return
    centres = (np.arange(height) + 0.5) * (length / height) - 0.5
    above = np.floor(centres)
    share = (centres - above).astype(np.float32)[:, None]
    upper, lower = (np.clip(above + step, 0, length - 1).astype(int) for step in (0, 1))

    def fill(first: int) -> None:
        rows = slice(first, first + BAND)
        start, stop = upper[rows][0], lower[rows][-1] + 1
        wide = _wide(probability[start:stop], stop - start, width)
        band = wide[upper[rows] - start]
        band += share[rows] * (wide[lower[rows] - start] - band)
        np.copyto(target[rows], band, where=inside[rows])

    for_each(range(0, height, BAND), fill, threads)


def _wide(probability: Probability, height: int, width: int) -> Probability:
    if probability.shape == (height, width):
        return probability
    return np.asarray(PillowImage.fromarray(probability).resize((width, height), PillowImage.Resampling.BILINEAR))


def predict(
    image: Image, fov: FieldOfView, network: Network, preparation: Preparation, planes: int = 1, *, threads: int = 1
) -> Probabilities:
    """Prepare, run the network once, restore: H×W×3 to the `planes` (K) maps of the network, 0 outside the FOV.

    `threads` are for what comes before and after the network, where the photograph is large.
    """
    if not fov.diameter:
        return np.zeros((planes, *image.shape[:2]), np.float32)
    frame = preparation.frame(fov)
    threads = threads if fov.mask.size >= THREADS_PAY else 1
    height, width = frame.working
    below, beside = -height % STRIDE, -width % STRIDE
    pixels = preparation.pixels(image, fov, frame, threads=threads)
    batch = np.zeros((1, pixels.shape[2], height + below, width + beside), np.float32)
    batch[0, :, :height, :width] = pixels.transpose(2, 0, 1)
    # Of a large image what comes next needs the memory.
    del pixels
    maps = network(batch)[0, :, :height, :width]
    del batch
    restored = np.zeros((len(maps), *image.shape[:2]), np.float32)
    for full, plane in zip(restored, maps, strict=True):
        _restore_into(full, plane, fov, frame, threads)
    return restored


def averaged(values: NDArray[np.float64], length: int, axis: int) -> NDArray[np.float64]:
    """Exact means over `length` equal cells along one axis; Pillow's BOX would give every pixel to one cell whole."""
    own = values.shape[axis]
    if own == length:
        return values
    sums = np.concatenate((np.zeros_like(values.take([0], axis)), values.cumsum(axis)), axis)
    edges = np.linspace(0, own, length + 1)
    below = np.minimum(edges.astype(int), own - 1)
    part = np.expand_dims(edges - below, 1 - axis)
    at_edges = sums.take(below, axis) + part * values.take(below, axis)
    means: NDArray[np.float64] = np.diff(at_edges, axis=axis) * (length / own)
    return means
