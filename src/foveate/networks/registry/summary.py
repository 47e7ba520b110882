"""A network's levels as lines of text: one row for each size of map, the way down on its left, up on its right."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise, zip_longest

from foveate.networks.registry.catalogue import IMAGE, Block, level_sizes

COLUMNS = 100
"""No line is longer."""

SIZE, DOWN, BETWEEN = 9, 40, 7
"""Columns for H×W, at most for the way down, and for what parts the three: two spaces, and a rule."""

Size = tuple[int, int]
"""H, W."""


def levels(blocks: Sequence[Block]) -> list[str]:
    """One row for each size: H×W, then the blocks whose maps have it with their channels, in order of execution.

    Blocks on the left run before the coarsest level is done, those on the right after it. Where a network reads the
    image again, a drawing of its own begins, after an empty line.
    """
    placed = list(zip(blocks, level_sizes(blocks), strict=True))
    starts = [place for place, block in enumerate(blocks) if IMAGE in block.inputs]
    drawings = [_drawing(placed[start:end]) for start, end in pairwise((*starts, len(blocks)))]
    return "\n\n".join("\n".join(drawing) for drawing in drawings).splitlines()


def _drawing(placed: Sequence[tuple[Block, Size]]) -> list[str]:
    sizes = [size for _, size in placed]
    turn = len(sizes) - sizes[::-1].index(min(sizes))  # behind the last block of the coarsest level
    down, up = _texts(placed[:turn]), _texts(placed[turn:])
    middle = min(DOWN, max(map(len, down.values())))
    rows = (_row(size, down.get(size, ""), up.get(size, ""), middle) for size in sorted(set(sizes), reverse=True))
    return [line for row in rows for line in row]


def _texts(placed: Sequence[tuple[Block, Size]]) -> dict[Size, str]:
    texts: dict[Size, str] = {}
    for block, size in placed:
        # textwrap breaks no line at the no-break space.
        text = f"{block.name}\N{NO-BREAK SPACE}{block.channels}"
        texts[size] = f"{texts[size]}, {text}" if size in texts else text
    return texts


def _row(size: Size, down: str, up: str, middle: int) -> list[str]:
    """`middle` is the columns that the way down takes."""
    sides = textwrap.wrap(down, middle), textwrap.wrap(up, COLUMNS - SIZE - BETWEEN - middle)
    lines = []
    for number, (left, right) in enumerate(zip_longest(*sides, fillvalue="")):
        label = "" if number else f"{size[0]}×{size[1]}"
        rule = "─" if left and right and not number else " "
        left = f"{left} " if left else ""
        lines.append(f"{label:>{SIZE}}  {left:{rule}<{middle + BETWEEN - 3}} {right}".rstrip())
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]
