"""The drawings say what the catalogue says, can be read, and are those in docs/networks."""

from __future__ import annotations

import re
import runpy
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from network_drawing.layout import Box, Point, lay_out
from network_drawing.svg import KINDS, LETTER, OTHER, to_svg

from foveate.networks.registry import NETWORKS
from foveate.networks.registry.catalogue import HEIGHT, IMAGE, WIDTH, catalogue, from_json, to_json

ROOT = Path(__file__).parents[2]
SCRIPT = "scripts/write_drawings.py"
SVG = "{http://www.w3.org/2000/svg}"

every_network = pytest.mark.parametrize("name", NETWORKS)


def drawing(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(to_svg(name, catalogue()[name]))


def groups(svg: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return svg.findall(f"{SVG}g[@class='{kind}']")


def child(element: ElementTree.Element, tag: str) -> ElementTree.Element:
    found = element.find(SVG + tag)
    assert found is not None
    return found


def box_of(group: ElementTree.Element) -> Box:
    rectangle = child(group, "rect")
    return Box(*(float(rectangle.attrib[key]) for key in ("x", "y", "width", "height")))


def boxes(svg: ElementTree.Element) -> dict[int, Box]:
    """By the block's place."""
    (image,) = groups(svg, "image")
    return {IMAGE: box_of(image), **{place: box_of(group) for place, group in enumerate(groups(svg, "block"))}}


def arrows(svg: ElementTree.Element) -> dict[tuple[int, int], list[Point]]:
    """Every point of a line, by the places of the two blocks."""
    found = {}
    for path in svg.findall(f"{SVG}path[@class='arrow']"):
        edge = int(path.attrib["data-from"]), int(path.attrib["data-to"])
        assert edge not in found
        points = re.findall(r"([\d.]+),([\d.]+)", path.attrib["d"])
        found[edge] = [(float(x), float(y)) for x, y in points]
    return found


def on_edge(point: Point, box: Box) -> bool:
    x, y = point
    near = 0.06  # coordinates of lines have one decimal
    beside = abs(x - box.x) < near or abs(x - box.right) < near
    above = abs(y - box.y) < near or abs(y - box.bottom) < near
    within = box.x - near < x < box.right + near and box.y - near < y < box.bottom + near
    return within and (beside or above)


def crosses(start: Point, end: Point, box: Box) -> bool:
    """A level or upright line, bent ends included, against the inside of a box."""
    (left, right), (top, bottom) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return left < box.right and right > box.x and top < box.bottom and bottom > box.y


def along(a: Point, b: Point, c: Point, d: Point, axis: int) -> float:
    """How far two lines run upon each other along x (0) or y (1)."""
    across = 1 - axis
    if max(abs(point[across] - a[across]) for point in (b, c, d)) > 1:
        return 0
    return min(max(a[axis], b[axis]), max(c[axis], d[axis])) - max(min(a[axis], b[axis]), min(c[axis], d[axis]))


@every_network
def test_every_block_is_one_box_with_its_name_kind_and_size(name: str) -> None:
    blocks = catalogue()[name].blocks
    titles = [child(group, "title").text for group in groups(drawing(name), "block")]
    assert titles == [f"{b.name}: {b.kind}, {b.channels}×{b.height}×{b.width}" for b in blocks]
    assert [child(group, "text").text for group in groups(drawing(name), "block")] == [str(b.channels) for b in blocks]


@every_network
def test_every_input_is_one_arrow_from_box_to_box(name: str) -> None:
    svg = drawing(name)
    place, found = boxes(svg), arrows(svg)
    assert set(found) == {(source, to) for to, block in enumerate(catalogue()[name].blocks) for source in block.inputs}
    for (source, target), points in found.items():
        assert on_edge(points[0], place[source]), (source, target)
        assert on_edge(points[-1], place[target]), (source, target)


@every_network
def test_no_arrow_runs_through_a_box(name: str) -> None:
    svg = drawing(name)
    for edge, points in arrows(svg).items():
        through = [place for place, box in boxes(svg).items() for a, b in pairwise(points) if crosses(a, b, box)]
        assert through == [], edge


@every_network
def test_no_two_arrows_share_a_line_unless_they_leave_the_same_box(name: str) -> None:
    lines = arrows(drawing(name))
    for (one, points), (other, others) in combinations(lines.items(), 2):
        if one[0] != other[0]:
            shared = [
                (a, b)
                for a in pairwise(points)
                for b in pairwise(others)
                if along(*a, *b, 0) > 1 or along(*a, *b, 1) > 1
            ]
            assert shared == [], (one, other)


@every_network
def test_no_two_boxes_overlap(name: str) -> None:
    for (a, one), (b, other) in combinations(boxes(drawing(name)).items(), 2):
        apart = one.right < other.x or other.right < one.x or one.bottom < other.y or other.bottom < one.y
        assert apart, (a, b)


@every_network
def test_everything_is_inside_the_drawing_on_a_white_ground(name: str) -> None:
    svg = drawing(name)
    left, top, width, height = (float(number) for number in svg.attrib["viewBox"].split())
    ground = child(svg, "rect")
    assert (ground.attrib["fill"], float(ground.attrib["width"]), float(ground.attrib["height"])) == (
        "#ffffff",
        width,
        height,
    )
    assert (left, top) == (0, 0)
    corners = [(box.x, box.y) for box in boxes(svg).values()] + [(b.right, b.bottom) for b in boxes(svg).values()]
    points = [point for line in arrows(svg).values() for point in line]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in corners + points)
    for text in svg.iter(f"{SVG}text"):
        length = LETTER * len(text.text or "")
        start = float(text.attrib["x"]) - length * {"end": 1, "middle": 0.5}.get(text.get("text-anchor", ""), 0)
        assert start >= 0, text.text
        assert start + length <= width, text.text
        assert 11 <= float(text.attrib["y"]) <= height - 3, text.text


@every_network
def test_no_text_is_wider_than_its_box_and_no_legend_runs_into_the_next(name: str) -> None:
    svg = drawing(name)
    for group in groups(svg, "block"):
        assert LETTER * len(child(group, "text").text or "") < box_of(group).width
    for one, other in pairwise(groups(svg, "legend")):
        end = float(child(one, "text").attrib["x"]) + LETTER * len(child(one, "text").text or "")
        assert end < box_of(other).x or box_of(one).bottom < box_of(other).y


@every_network
def test_the_legend_has_just_the_kinds_of_the_network_in_colours_that_differ(name: str) -> None:
    svg, kinds = drawing(name), list(dict.fromkeys(block.kind for block in catalogue()[name].blocks))
    legend = [(child(each, "rect").attrib["fill"], child(each, "text").text) for each in groups(svg, "legend")]
    assert legend == [KINDS[kind] for kind in kinds]
    assert len({colour for colour, _ in legend}) == len(legend)
    drawn = [child(group, "rect").attrib["fill"] for group in groups(svg, "block")]
    assert drawn == [KINDS[block.kind][0] for block in catalogue()[name].blocks]


@every_network
def test_a_larger_map_is_further_up_and_what_is_read_is_further_left(name: str) -> None:
    blocks, place = catalogue()[name].blocks, boxes(drawing(name))
    maps = [(number, block) for number, block in enumerate(blocks) if (block.height, block.width) != (1, 1)]
    for (a, one), (b, other) in combinations(maps, 2):
        if one.height > other.height:
            assert place[a].bottom < place[b].y
    for to, block in enumerate(blocks):
        assert all(place[source].x + place[source].width / 2 < place[to].x for source in block.inputs)


@every_network
def test_the_caption_says_name_and_counts(name: str) -> None:
    facts, svg = catalogue()[name], drawing(name)
    caption = svg.findtext(f"{SVG}text[@class='caption']") or ""
    assert caption == svg.findtext(f"{SVG}title")
    assert caption.startswith(f"{name}: ")
    assert int("".join(re.findall(r"\d", caption.partition(":")[2].partition("parameters")[0]))) == (
        facts.counts[""].parameters
    )
    assert f"{facts.counts[''].macs / 1e9:.2f} GMACs" in caption


@pytest.mark.parametrize(
    ("name", "node"),
    [("unetpp", r"encoder\.(?P<row>\d)|decoder\.block\.x(?P<level>\d)\d"), ("fr_unet", r"block\.row(?P<row>\d)_\d")],
)
def test_a_row_of_a_lattice_is_a_straight_line(name: str, node: str) -> None:
    heights: dict[str, set[float]] = {}
    for place, block in enumerate(catalogue()[name].blocks):
        if found := re.fullmatch(node, block.name):
            (row,) = (text for text in found.groups() if text)
            heights.setdefault(row, set()).add(boxes(drawing(name))[place].y)
    assert len(heights) > 3
    assert all(len(each) == 1 for each in heights.values())


def test_columns_of_a_full_resolution_lattice_are_those_of_its_nodes() -> None:
    columns: dict[str, set[float]] = {}
    for place, block in enumerate(catalogue()["fr_unet"].blocks):
        if found := re.fullmatch(r"block\.row\d_(\d)", block.name):
            columns.setdefault(found[1], set()).add(boxes(drawing("fr_unet"))[place].x)
    assert list(columns) == sorted(columns)
    assert all(len(each) == 1 for each in columns.values())


def test_the_same_facts_give_the_same_text() -> None:
    again = from_json(to_json(catalogue()))
    assert [to_svg(name, facts) for name, facts in again.items()] == [
        to_svg(name, f) for name, f in catalogue().items()
    ]


def test_a_kind_without_a_colour_is_named_and_its_name_escaped() -> None:
    facts = catalogue()["unet"]
    blocks = (replace(facts.blocks[0], kind="A<B> & co"), *facts.blocks[1:])
    svg = ElementTree.fromstring(to_svg("unet", replace(facts, blocks=blocks)))
    first = groups(svg, "legend")[0]
    assert (child(first, "rect").attrib["fill"], child(first, "text").text) == (OTHER, "A<B> & co")


def test_the_image_stands_in_the_row_of_its_own_size() -> None:
    layout = lay_out(catalogue()["dual_attention_unet"].blocks, height=HEIGHT, width=WIDTH)
    assert layout.rows[0].middle == layout.boxes[IMAGE].middle
    assert [row.height for row in layout.rows] == [512, 256, 128, 64, 32, 16]


def test_drawings_and_counted_parts_of_the_pages_are_what_the_script_writes() -> None:
    texts = runpy.run_path(str(ROOT / SCRIPT))["texts"]()
    stale = [path.name for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    if stale or len(texts) != 2 * len(NETWORKS) + 1:
        pytest.fail(f"docs/networks is out of date ({', '.join(stale)}): python {SCRIPT} rewrites it")


def test_no_drawing_is_left_of_a_network_that_is_gone() -> None:
    assert {path.stem for path in (ROOT / "docs" / "networks").glob("*.svg")} == set(NETWORKS)
