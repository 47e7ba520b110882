"""Label images: one picture that says of every pixel of which class it is.

| form | rule |
| --- | --- |
| grey, 8 or 16 bits | the values are the classes' numbers |
| 1 bit | 0 and 1 |
| palette that holds a colour | its indices are the classes' numbers, whatever its colours are |
| palette of greys alone | looked up, then as grey |
| RGB with three equal channels | as grey, unless only colours of the table occur and not only its numbers |
| RGB | each colour is the nearest one of the table, so that soft edges are cut in their middle |
| PNG that says itself what its numbers are (text chunk `Classes`, as `write_labels` does) | by that, not the table |

0 and black are the background, unless the table says otherwise. Refused: a number that isn't in the table; a colour
that is further from all of the table's than half the way between the two of these that lie furthest apart, which no
mixture of two is; a coloured picture where the table has no colours; and whatever is refused for a mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import ImageError, named_as_data
from foveate.imaging.decoding import Decoded, Samples, as_rgb, decode
from foveate.imaging.files import file_bytes
from foveate.imaging.mask import check_exact
from foveate.imaging.palette import BACKGROUND, Colour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Masks

HIGHEST_NUMBER = 65535
"""Of a class in a label image."""

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Label:
    """How label images show a class. Several with one name in a table are one class."""

    value: int
    """Its number, from 0 to 65535."""
    name: str
    """'' for the background, where a number or colour other than 0 and black shows it."""
    colour: Colour | None = None
    """In RGB images; None where it has none."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelFile:
    """A label image, and what its file holds."""

    classes: NDArray[np.uint8]
    """H×W: 0 is background, k the k-th name of the table."""
    found: str
    """The numbers, e.g. '0, 1, 3', or 'colours'."""
    soft: bool = False
    """Whether there are colours between those of the table."""
    turned: bool = False
    """Whether its orientation tag turned it."""


def names_of(table: Sequence[Label]) -> tuple[str, ...]:
    """The names of the classes of a table, each once, in its order."""
    return tuple(dict.fromkeys(label.name for label in table if label.name))


def as_masks(classes: NDArray[np.uint8], count: int) -> Masks:
    """The masks (count×H×W) of a label image's classes 1 to `count`."""
    masks: Masks = classes == np.arange(1, count + 1, dtype=np.uint8)[:, None, None]
    return masks


def read_labels(path: str | Path, table: Sequence[Label]) -> NDArray[np.uint8]:
    """The classes (H×W; 0 is background, k the k-th name of the table) in a lossless image file, by the table above.

    Raises DataError, in one line, for a file that can't be read, is compressed with loss or has several pages, and with
    the values or the colour found for one that holds what isn't in the class table.
    """
    return read_label_file(path, table).classes


def read_label_file(path: str | Path, table: Sequence[Label]) -> LabelFile:
    """As `read_labels`, with what the file holds."""
    with named_as_data(path):
        decoded = decode(file_bytes(Path(path)))
        return replace(_understood(decoded, table), turned=decoded.turned)


def _understood(decoded: Decoded, table: Sequence[Label]) -> LabelFile:
    check_exact(decoded)
    names = names_of(table)
    if decoded.numbers is not None:
        return _by_number(decoded.numbers, _said(decoded.classes, names) or table, names)
    if decoded.samples.ndim == 2:
        return _by_number(decoded.samples, table, names)
    colours = as_rgb(decoded.samples)[0]
    first = colours[..., 0]
    if (first == colours[..., 1]).all() and (first == colours[..., 2]).all():
        values = set(np.unique(first).tolist())
        exact = {0, *(label.colour[0] for label in table if label.colour and len(set(label.colour)) == 1)}
        if not values <= exact or values <= {0, *(label.value for label in table)}:
            return _by_number(first, table, names)
    return _by_colour(colours, table)


def _said(text: str, names: Sequence[str]) -> Sequence[Label]:
    """The table that a file itself has, e.g. '0 background, 1 artery, 2 vein'; empty where it says nothing like that.

    Raises ImageError for a class that none of the names is.
    """
    rows = [pair.strip().partition(" ") for pair in text.split(",")]
    if not all(value.isascii() and value.isdecimal() and name for value, _, name in rows):
        return ()
    said = [Label(int(value), "" if name == "background" else name) for value, _, name in rows]
    for label in said:
        if label.name and label.name not in names:
            raise ImageError(f"says that its classes are {text}, but those here are {', '.join(names)}")
    return said


def _place(label: Label, names: Sequence[str]) -> int:
    """0 for the background, else k for the k-th name."""
    return names.index(label.name) + 1 if label.name else 0


def _by_number(numbers: Samples, table: Sequence[Label], names: Sequence[str]) -> LabelFile:
    meaning = {0: 0} | {label.value: _place(label, names) for label in table}
    occurs = np.zeros(HIGHEST_NUMBER + 1, bool)
    occurs[numbers] = True
    values = np.flatnonzero(occurs).tolist()
    unknown = [value for value in values if value not in meaning]
    if unknown:
        shown = {0: "background"} | {label.value: label.name or "background" for label in table}
        known = ", ".join(f"{value} {name}" for value, name in shown.items())
        raise ImageError(
            f"holds the values {_listed(values)}; the classes are {known}, and none is {_listed(unknown)}:"
            " correct the file, or the table of classes"
        )
    lookup = np.zeros(HIGHEST_NUMBER + 1, np.uint8)
    lookup[list(meaning)] = list(meaning.values())
    return LabelFile(lookup[numbers], _listed(values))


def _listed(values: Sequence[int]) -> str:
    return ", ".join(map(str, values[:_SHOWN])) + (", …" if len(values) > _SHOWN else "")


def _by_colour(colours: NDArray[np.uint8], table: Sequence[Label]) -> LabelFile:
    known = {BACKGROUND: 0} | {label.colour: _place(label, names_of(table)) for label in table if label.colour}
    packed = _packed(colours)
    classes, rest = np.zeros(packed.shape, np.uint8), np.ones(packed.shape, bool)
    for colour, number in known.items():
        here = packed == _packed(np.array(colour, np.uint8))
        classes[here] = number
        rest &= ~here
    if not rest.any():
        return LabelFile(classes, "colours")
    others, place = np.unique(packed[rest], return_inverse=True)
    nearest, distance = _nearest(others, list(known))
    _refuse_far(distance, others, packed, list(known), has_colours=len(known) > 1)
    classes[rest] = np.array(list(known.values()), np.uint8)[nearest][place]
    return LabelFile(classes, "colours", soft=True)


def _packed(colours: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Red, green, blue (… ×3) as one number each."""
    red, green, blue = (colours[..., channel].astype(np.uint32) for channel in range(3))
    return (red << 16 | green << 8 | blue).astype(np.uint32, copy=False)


def _nearest(packed: NDArray[np.uint32], known: Sequence[Colour]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For each colour (N) the place of the nearest known one, the first of equally near ones, and its distance."""
    place, least = np.zeros(len(packed), np.intp), np.full(len(packed), np.inf)
    channels = [(packed >> shift & 255).astype(np.float64) for shift in (16, 8, 0)]
    for number, colour in enumerate(known):
        distance = np.sqrt(sum((channel - level) ** 2 for channel, level in zip(channels, colour, strict=True)))
        nearer = distance < least
        place[nearer], least[nearer] = number, distance[nearer]
    return place, least


def _refuse_far(
    distance: NDArray[np.float64],
    others: NDArray[np.uint32],
    packed: NDArray[np.uint32],
    known: Sequence[Colour],
    *,
    has_colours: bool,
) -> None:
    """ImageError for a colour that no mixture of two known ones is."""
    apart = max(np.hypot.reduce(np.subtract(one, other)) for one in known for other in known)
    worst = others[distance.argmax()]
    if has_colours and distance.max() <= apart / 2 + 1:  # what rounding adds
        return
    row, column = np.unravel_index((packed == worst).argmax(), packed.shape)
    colour = [int(worst >> shift & 255) for shift in (16, 8, 0)]
    where = f"is coloured (RGB {colour} at row {row}, column {column}); "
    if not has_colours:
        raise ImageError(where + "its classes have numbers: save them as a grey image, or give a table of colours")
    shown = ", ".join(str(list(known_colour)) for known_colour in known)
    raise ImageError(where + f"the classes' colours and the background's are {shown}, and none is near it")
