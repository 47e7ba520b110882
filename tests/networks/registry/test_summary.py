"""The drawing of a network's levels."""

from __future__ import annotations

import re

import pytest

from foveate.networks import NETWORKS
from foveate.networks.registry.catalogue import Block, catalogue
from foveate.networks.registry.summary import COLUMNS, levels


def test_a_drawing_has_a_row_for_each_size_down_on_the_left_and_up_on_the_right() -> None:
    blocks = [
        Block("encoder.0", "Convolutions", 4, 64, 32, (-1,)),
        Block("encoder.1", "Convolutions", 8, 32, 16, (0,)),
        Block("weights.1", "ChannelAttention", 8, 1, 1, (1,)),
        Block("up.0", "ConvTranspose2d", 4, 64, 32, (1, 2)),
        Block("decoder.0", "Convolutions", 4, 64, 32, (0, 3)),
    ]
    assert levels(blocks) == [
        "    64×32  encoder.0 4 ──────────────── up.0 4, decoder.0 4",
        "    32×16  encoder.1 8, weights.1 8",
    ]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_block_is_drawn_once_at_its_size_and_no_line_is_too_long(name: str) -> None:
    blocks = catalogue()[name].blocks
    lines = levels(blocks)
    assert max(map(len, lines)) <= COLUMNS
    drawn: list[tuple[str, str, str]] = []
    size = ""
    for line in lines:
        size = (re.findall(r"\d+×\d+", line) or [size])[0]
        drawn += [(block, channels, size) for block, channels in re.findall(r"([a-z][\w.]*) (\d+)", line)]
    expected = [
        (block.name, str(block.channels), f"{block.height}×{block.width}") for block in blocks if block.width > 1
    ]
    weights = [block.name for block in blocks if block.width == 1]
    assert sorted(each for each in drawn if each[0] not in weights) == sorted(expected)
    assert sorted(block for block, *_ in drawn if block in weights) == sorted(weights)


def test_a_network_of_two_unets_has_two_drawings() -> None:
    lines = levels(catalogue()["wnet"].blocks)
    first, second = lines[: lines.index("")], lines[lines.index("") + 1 :]
    assert [line.replace("first.", "second.") for line in first[-1:]] == second[-1:]
    assert not any("second." in line for line in first)
    assert not any("first." in line for line in second)
