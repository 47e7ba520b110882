"""Where a drawing of a network has its boxes and arrows: a row for each size of map, execution from left to right.

A row has lanes: 0 for what is on the network's way, -1 below it for what comes up to meet a skip, others above it.
Lengths are in pixels, x to the right, y down.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from foveate.networks.registry.catalogue import IMAGE, Block, level_sizes

LABELS, MARGIN = 52, 16
"""Left of the first column, where the sizes are written; everywhere else."""

BOX, SMALL = (42, 28), (32, 22)
"""Width and height of a box, and of one that only brings a map to another size."""

LANE, ROW, TRACK, ASIDE = 14, 14, 8, 7
"""Between lanes; above and below the lanes of a row; between arrows side by side; from an arrow up to a right edge."""

GAP, NARROW_GAP, MANY = 24, 14, 20
"""Between columns; where there are many; from how many on."""

BESIDE = ("SelfAttention", "SpatialAttention", "ChannelAttention")
"""Kinds that stand above what they weigh."""

LATTICE = {"aggregation": (2, 0), "block": (3, 0), "down": (4, 1), "heads": (4, 1), "up": (5, -1)}
"""Of node (r, c) in a lattice, by what is before `.rowR_C` in the name: the column, four for each c, and the lane."""

Way = Literal["straight", "rise", "over", "before", "across"]
Point = tuple[float, float]
Edge = tuple[int, int]
"""The places of the block that is read and of the one that reads it."""
Tracks = dict[tuple[int, int], dict[int, int]]
"""By row and lane, then source."""
Tops = dict[tuple[int, int], float]
"""By row and lane."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a box is, counted: the row from the largest map down, the column from the left."""

    row: int
    column: int
    lane: int


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box is."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Of its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Of its lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """Half-way down."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Row:
    """All that has one size."""

    height: int
    width: int
    """Of its maps."""
    top: float
    middle: float
    """Of lane 0."""
    bottom: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole drawing."""

    boxes: Mapping[int, Box]
    """By the block's place; that of `IMAGE` is the image's."""
    arrows: Mapping[Edge, tuple[Point, ...]]
    """The corners of their lines."""
    rows: tuple[Row, ...]
    width: float
    height: float


def lay_out(blocks: Sequence[Block], *, height: int, width: int) -> Layout:
    """Place a network that was counted at height × width."""
    sizes = {IMAGE: (height, width)} | dict(enumerate(level_sizes(blocks)))
    steps = sorted(set(sizes.values()), reverse=True)
    cells = _cells(blocks, {place: steps.index(size) for place, size in sizes.items()})
    edges = {
        (source, target): _way(cells[source], cells[target], set(cells.values()))
        for target, block in enumerate(blocks)
        for source in block.inputs
    }
    tracks = _tracks(edges, cells)
    rows, tops = _rows(cells, tracks, steps)
    boxes = _boxes(blocks, cells, tops)
    right = max(box.right for box in boxes.values())
    return Layout(boxes, _arrows(edges, cells, boxes, tracks), tuple(rows), right + MARGIN, rows[-1].bottom)


def _cells(blocks: Sequence[Block], rows: Mapping[int, int]) -> dict[int, Cell]:
    """The column is the longest way from the image; of those in one place the last is the lowest."""
    columns = {IMAGE: -1}
    for place, block in enumerate(blocks):
        columns[place] = 1 + max(columns[source] for source in block.inputs)
    cells = {IMAGE: Cell(rows[IMAGE], -1, 0)}
    for place, block in reversed(list(enumerate(blocks))):
        column, lane = columns[place], _lane(blocks, place)
        node = re.fullmatch(r"(\w+)\.row\d+_(\d+)", block.name)
        if node and node[1] in LATTICE:
            step, lane = LATTICE[node[1]]
            column = 4 * int(node[2]) + step
        while (cell := Cell(rows[place], column, lane)) in cells.values():
            lane += 1
        cells[place] = cell
    return cells


def _lane(blocks: Sequence[Block], place: int) -> int:
    meets = any(place in block.inputs and len(block.inputs) > 1 for block in blocks)
    if blocks[place].kind == "ConvTranspose2d" and meets:
        return -1
    return 1 if blocks[place].kind in BESIDE else 0


def _way(source: Cell, target: Cell, taken: set[Cell]) -> Way:
    """Straight on; up, then on; over what is between; up or down before the target's column; on, then up or down."""
    if source.row == target.row and 0 <= source.lane <= target.lane:
        between = range(source.column + 1, target.column)
        if any(Cell(target.row, column, target.lane) in taken for column in between):
            return "over"
        return "straight" if source.lane == target.lane else "rise"
    under_others = source.row == target.row and source.lane < 0 < target.lane
    return "before" if under_others or Cell(source.row, target.column, source.lane) in taken else "across"


def _tracks(edges: Mapping[Edge, Way], cells: Mapping[int, Cell]) -> Tracks:
    """How far above the boxes an "over" runs: what begins further left is further up."""
    ends: dict[tuple[int, int], dict[int, int]] = {}
    for (source, target), way in edges.items():
        if way == "over":
            cell = cells[target]
            known = ends.setdefault((cell.row, cell.lane), {})
            known[source] = max(cell.column, known.get(source, cell.column))
    tracks: Tracks = {lane: {} for lane in ends}
    for lane, last in ends.items():
        for source in sorted(last, key=lambda place: cells[place].column, reverse=True):
            met = [track for other, track in tracks[lane].items() if cells[other].column <= last[source]]
            tracks[lane][source] = 1 + max(met, default=-1)
    return tracks


def _rows(cells: Mapping[int, Cell], tracks: Tracks, sizes: Sequence[tuple[int, int]]) -> tuple[list[Row], Tops]:
    """The rows, and the top of each of their lanes."""
    rows: list[Row] = []
    tops: Tops = {}
    y = MARGIN
    for row, (height, width) in enumerate(sizes):
        top, lanes = y, {cell.lane for cell in cells.values() if cell.row == row}
        y += ROW
        for lane in range(max(lanes), min(lanes) - 1, -1):
            beside = tracks.get((row, lane), {})
            y += TRACK * (1 + max(beside.values())) if beside else 0
            tops[row, lane] = y
            y += BOX[1] + LANE
        y += ROW - LANE
        rows.append(Row(height, width, top, tops[row, 0] + BOX[1] / 2, y))
    return rows, tops


def _boxes(blocks: Sequence[Block], cells: Mapping[int, Cell], tops: Tops) -> dict[int, Box]:
    """Columns as wide as their widest box, each box in the middle of its column and lane."""
    small = {place for place, cell in cells.items() if place != IMAGE and _only_resizes(blocks[place], cell)}
    columns = sorted({cell.column for cell in cells.values()})
    gap = GAP if len(columns) < MANY else NARROW_GAP
    middles: dict[int, float] = {}
    x: float = LABELS
    for column in columns:
        width = max((SMALL if place in small else BOX)[0] for place, cell in cells.items() if cell.column == column)
        middles[column] = x + width / 2
        x += width + gap
    boxes = {}
    for place, cell in cells.items():
        width, height = SMALL if place in small else BOX
        top = tops[cell.row, cell.lane] + (BOX[1] - height) / 2
        boxes[place] = Box(middles[cell.column] - width / 2, top, width, height)
    return boxes


def _only_resizes(block: Block, cell: Cell) -> bool:
    return block.kind == "ConvTranspose2d" or (cell.lane > 0 and block.name.startswith("down."))


def _arrows(
    edges: Mapping[Edge, Way], cells: Mapping[int, Cell], boxes: Mapping[int, Box], tracks: Tracks
) -> dict[Edge, tuple[Point, ...]]:
    heights = {}
    for (source, target), way in edges.items():
        heights[source, target] = boxes[source].middle
        if way == "over":
            lane = (cells[target].row, cells[target].lane)
            heights[source, target] = boxes[target].y - LANE + 4 - TRACK * tracks[lane][source]
    ports = _ports(edges, heights, boxes)
    arrows = {}
    for edge, way in edges.items():
        start, end = (boxes[place] for place in edge)
        meets = cells[edge[0]].row == cells[edge[1]].row and way == "before"  # a skip has the middle
        entry = end.middle + (8 if meets else 0)
        arrows[edge] = _corners(way, start, end, heights[edge], ports.get(edge, 0), entry)
    return arrows


def _corners(way: Way, start: Box, end: Box, y: float, port: float, entry: float) -> tuple[Point, ...]:
    """From a right edge or up from beside it; to `entry` on a left edge, or to `port` on an upper or lower one."""
    leave, up, beside = (start.right, y), start.right - ASIDE, end.x + end.width / 2 - BOX[0] / 2 - 9
    if way == "straight":
        return leave, (end.x, y)
    if way == "rise":
        return (up, start.y), (up, entry), (end.x, entry)
    if way == "over":
        return (up, start.y), (up, y), (port, y), (port, end.y)
    if way == "before":
        return leave, (beside, y), (beside, entry), (end.x, entry)
    return leave, (port, y), (port, end.y if y < end.y else end.bottom)


def _ports(edges: Mapping[Edge, Way], heights: Mapping[Edge, float], boxes: Mapping[int, Box]) -> dict[Edge, float]:
    """Where arrows meet an upper or lower edge, evenly: what comes from further away is further right."""
    leaving = {source for (source, _), way in edges.items() if way in ("rise", "over")}
    sides: dict[tuple[int, bool], list[Edge]] = {}
    for edge, way in edges.items():
        if way in ("over", "across"):
            sides.setdefault((edge[1], heights[edge] < boxes[edge[1]].middle), []).append(edge)
    ports = {}
    for (target, _), side in sides.items():
        box = boxes[target]
        room = box.width - (2 * ASIDE if target in leaving else 0)
        side.sort(key=lambda edge: abs(heights[edge] - boxes[edge[1]].middle))
        for number, edge in enumerate(side, start=1):
            ports[edge] = box.x + room * number / (len(side) + 1)
    return ports
