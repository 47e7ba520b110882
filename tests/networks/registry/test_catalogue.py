"""The checked-in table of counts: counted again, it must be the same."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
import torch

import foveate.networks.registry.counting
from foveate.networks import NETWORKS, build
from foveate.networks.registry import constructor_of
from foveate.networks.registry.catalogue import HEIGHT, IMAGE, WIDTH, NetworkDescription, catalogue, from_json, to_json
from foveate.networks.registry.options import options_of

CHECKED_IN = files("foveate.networks.registry").joinpath("catalogue.json").read_text(encoding="utf-8")
SCRIPT = Path(__file__).parents[3] / "scripts" / "write_catalogue.py"

every_network = pytest.mark.parametrize("name", NETWORKS)


@pytest.fixture(scope="module")
def counted() -> dict[str, NetworkDescription]:
    """Everything, counted now."""
    return foveate.networks.registry.counting.measure_all()


def test_the_table_is_what_is_counted_now(counted: dict[str, NetworkDescription]) -> None:
    stale = [name for name, facts in counted.items() if catalogue().get(name) != facts]
    if stale or to_json(counted) != CHECKED_IN:
        pytest.fail(
            f"catalogue.json is out of date ({', '.join(stale)}): python scripts/write_catalogue.py rewrites it"
        )


def test_the_script_writes_the_table(
    counted: dict[str, NetworkDescription], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foveate.networks.registry.counting, "measure_all", lambda: counted)
    monkeypatch.setattr(foveate.networks.registry, "__file__", str(tmp_path / "__init__.py"))
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert from_json((tmp_path / "catalogue.json").read_text(encoding="utf-8")) == counted


def test_the_table_has_every_network_and_every_variant_in_the_order_of_the_registry() -> None:
    assert {name: list(facts.counts) for name, facts in catalogue().items()} == {
        name: ["", *entry.variants] for name, entry in NETWORKS.items()
    }


def test_the_table_says_at_which_size_it_was_counted() -> None:
    table = json.loads(CHECKED_IN)
    assert (table["height"], table["width"]) == (HEIGHT, WIDTH)


def test_what_is_written_is_read_as_it_was() -> None:
    facts = catalogue()
    changed = {"unet": replace(facts["unet"], blocks=facts["wnet"].blocks)}
    assert from_json(to_json(changed)) == changed
    assert from_json(to_json(facts)) == facts


@every_network
def test_options_are_those_of_the_constructor(name: str) -> None:
    assert catalogue()[name].options == options_of(constructor_of(name))


@every_network
def test_parameters_are_those_of_the_network_as_it_is_built(name: str) -> None:
    for variant, counts in catalogue()[name].counts.items():
        with torch.device("meta"):
            network = build(name, variant=variant or None)
        assert counts.parameters == sum(parameter.numel() for parameter in network.parameters()), variant


@every_network
def test_every_block_leads_from_the_image_to_the_logits(name: str) -> None:
    blocks = catalogue()[name].blocks
    assert blocks[0].inputs == (IMAGE,)
    for place, block in enumerate(blocks):
        assert block.inputs
        assert all(IMAGE <= source < place for source in block.inputs)
    used = {source for block in blocks for source in block.inputs}
    unused = [block for place, block in enumerate(blocks) if place not in used]
    assert {(block.channels, block.height, block.width) for block in unused} == {(1, HEIGHT, WIDTH)}
    assert all("head" in block.name for block in unused)


def test_self_attention_never_holds_the_scores_of_all_pairs_of_positions() -> None:
    positions = (HEIGHT // 4) * (WIDTH // 4)  # at layer1, the finest that has attention
    scores = 4 * positions**2
    peaks = {variant: counts.peak_activation_bytes for variant, counts in catalogue()["atten_res_unet"].counts.items()}
    assert {variant: peak for variant, peak in peaks.items() if peak >= scores} == {}
