"""`foveate networks`, as a user types it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_fresh_process import NOT_INSTALLED_WITH_FOVEATE, RUN_COMMAND, last_line

from foveate.networks.registry import NETWORKS
from foveate.networks.registry.catalogue import catalogue
from foveate_command import run, run_apart

every_network = pytest.mark.parametrize("name", NETWORKS)


def printed_json(*arguments: str) -> Any:
    ran = run("networks", *arguments, "--json")
    assert (ran.status, ran.err) == (0, "")
    return json.loads(ran.out)


def cells(line: str) -> tuple[str, str, str]:
    """Parameters, billions of multiply-accumulates and mebibytes behind a row's name."""
    _, parameters, gmacs, mebibytes, *_rest = line.split()
    return parameters, gmacs, mebibytes


def as_printed(numbers: dict[str, Any]) -> tuple[str, str, str]:
    mebibytes = numbers["peak_activation_bytes"] / 1024 / 1024
    return f"{numbers['parameters']:,}", f"{numbers['gmacs']:.2f}", f"{mebibytes:.1f}"


def row(text: str, name: str) -> str:
    """The line that begins with the name."""
    (line,) = [line for line in text.splitlines() if line.split()[:1] == [name]]
    return line


@pytest.mark.parametrize("arguments", [(), ("unet",), ("--json",), ("atten_res_unet", "--json")])
def test_neither_the_list_nor_a_network_needs_torch(arguments: tuple[str, ...]) -> None:
    status, modules = last_line(RUN_COMMAND, "networks", *arguments)
    assert status == 0
    assert "foveate" in modules
    assert not modules & NOT_INSTALLED_WITH_FOVEATE


def test_the_list_as_json_has_every_network_with_its_paper_counts_and_variants() -> None:
    listed = printed_json()
    assert [(each["name"], each["paper"]) for each in listed] == [
        (name, entry.paper) for name, entry in NETWORKS.items()
    ]
    for each in listed:
        entry, counts = NETWORKS[each["name"]], catalogue()[each["name"]].counts[""]
        assert each["variants"] == list(entry.variants)
        assert each["parameters"] == counts.parameters
        assert each["gmacs"] == pytest.approx(counts.macs / 1e9)  # rounding of the quotient
        assert each["peak_activation_bytes"] == counts.peak_activation_bytes
        assert each["counted_at"] == {"images": 1, "channels": 3, "height": 512, "width": 512}


def test_the_list_says_the_same_in_text_and_at_which_size_it_was_counted() -> None:
    ran = run("networks")
    assert (ran.status, ran.err) == (0, "")
    assert "one image of 3×512×512" in ran.out
    for each in printed_json():
        line = row(ran.out, each["name"])
        assert cells(line) == as_printed(each)
        assert f"{len(each['variants'])} variants" in line or not each["variants"]
        origin = line.split(maxsplit=4)[4].partition(", ")[0].strip()
        assert each["paper"].endswith(f"({origin})")


def test_the_list_has_one_line_for_each_network_that_fits_80_columns() -> None:
    ran = run_apart("networks")
    assert ran.status == 0
    lines = [line.rstrip() for line in ran.out.splitlines()]
    assert max(map(len, lines)) <= 80
    table = lines[1 : lines.index("")]
    assert [line.split()[0] for line in table] == list(NETWORKS)


@every_network
def test_a_network_as_json_has_its_options_variants_and_blocks(name: str) -> None:
    shown, facts = printed_json(name), catalogue()[name]
    (listed,) = [each for each in printed_json() if each["name"] == name]
    assert shown | listed == shown
    assert [(each["name"], each["allowed"]) for each in shown["options"]] == [
        (option.name, option.allowed) for option in facts.options
    ]
    defaults = {each["name"]: each["default"] for each in shown["options"]}
    assert defaults == {o.name: list(o.default) if isinstance(o.default, tuple) else o.default for o in facts.options}
    assert list(shown["counts"]) == shown["variants"]
    for variant, counts in shown["counts"].items():
        assert counts["parameters"] == facts.counts[variant].parameters
        assert set(counts["options"]) == set(NETWORKS[name].variants[variant])
    assert [(each["name"], tuple(each["inputs"])) for each in shown["blocks"]] == [
        (block.name, block.inputs) for block in facts.blocks
    ]


@every_network
def test_a_network_is_shown_with_paper_options_variants_size_and_levels(name: str) -> None:
    ran, shown = run("networks", name), printed_json(name)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(f"{name}: {shown['paper']}\n")
    assert "one image of 3×512×512" in ran.out
    tables, _, drawing = ran.out.partition("Blocks by the size")
    for option in shown["options"]:
        assert json.dumps(option["default"]) in row(tables.partition("\nvariant")[0], option["name"])
    variants = tables.partition("\nvariant")[2]
    assert cells(row(variants, "(default)")) == as_printed(shown)
    for variant, counts in shown["counts"].items():
        assert cells(row(variants, variant)) == as_printed(counts)
        assert all(f"{key} = {json.dumps(value)}" in row(variants, variant) for key, value in counts["options"].items())
    assert all(f"{block['name']} {block['channels']}" in drawing for block in shown["blocks"])
    assert all(f"{block['height']}×{block['width']} " in drawing for block in shown["blocks"] if block["width"] > 1)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_unknown_network_is_a_wrong_call_that_names_the_nearest(form: tuple[str, ...]) -> None:
    ran = run("networks", "unett", *form)
    assert (ran.status, ran.out) == (2, "")
    assert len(ran.errors) == 1
    assert "'unett'" in ran.err
    assert "Did you mean 'unet'?" in ran.err
