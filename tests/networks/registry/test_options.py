"""What a network can be told: read off its constructor, checked with errors for people, and named in variants."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from torch import nn

from foveate.errors import UsageError
from foveate.networks import NETWORKS, build
from foveate.networks.registry import constructor_of
from foveate.networks.registry.options import Option, check_options, options_of

Options = dict[str, Any]


class Told:
    """One option of every kind."""

    def __init__(
        self,
        *,
        gated: bool = True,
        depth: int = 2,
        encoder: Literal["plain", "residual"] = "plain",
        heads: Literal[1, 2] = 2,
        widths: tuple[int, ...] = (8, 16),
        four: tuple[int, int, int, int] = (1, 2, 3, 4),
        free: tuple[int, ...] = (),
    ) -> None: ...


def test_options_are_read_off_the_constructor_with_kind_default_and_what_is_allowed() -> None:
    assert options_of(Told) == (
        Option("gated", True, "switch"),
        Option("depth", 2, "count"),
        Option("encoder", "plain", "choice", choices=("plain", "residual")),
        Option("heads", 2, "choice", choices=(1, 2)),
        Option("widths", (8, 16), "widths"),
        Option("four", (1, 2, 3, 4), "widths", length=4),
        Option("free", (), "widths"),
    )


def test_a_type_that_no_recipe_could_give_is_a_mistake_of_the_programmer() -> None:
    class Odd:
        def __init__(self, *, rate: float = 0.5) -> None: ...

    with pytest.raises(TypeError, match="rate"):
        options_of(Odd)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_default_of_every_network_is_a_value_that_its_option_takes(name: str) -> None:
    options = options_of(constructor_of(name))
    defaults = {option.name: option.default for option in options}
    assert check_options(name, options, defaults) == defaults
    assert {"in_channels", "classes"} < set(defaults)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"gated": False}, {"gated": False}),
        ({"depth": 1, "heads": 1}, {"depth": 1, "heads": 1}),
        ({"encoder": "residual"}, {"encoder": "residual"}),
        ({"widths": [4, 5, 6]}, {"widths": (4, 5, 6)}),  # as TOML gives them
        ({"four": [4, 3, 2, 1]}, {"four": (4, 3, 2, 1)}),
        ({"free": []}, {"free": ()}),
        ({"free": (3, 4)}, {"free": (3, 4)}),
        ({}, {}),
    ],
    ids=str,
)
def test_a_value_that_is_allowed_comes_back_and_a_list_as_a_tuple(given: Options, taken: Options) -> None:
    found = check_options("told", options_of(Told), given)
    assert found == taken
    assert all(isinstance(found[key], type(value)) for key, value in taken.items())


COUNTS = "a whole number > 0"
WIDTHS = "whole numbers > 0"


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        *(("gated", value, "true or false") for value in (0, 1, "true", None, [True])),
        *(("depth", value, COUNTS) for value in (0, -1, True, False, "2", 2.0, None, [2], float("nan"))),
        *(("encoder", value, "plain, residual") for value in ("dense", "PLAIN", "", 0, None, ["plain"])),
        *(("heads", value, "1, 2") for value in (0, 3, True, "2", 2.0, None)),
        *(("widths", value, WIDTHS) for value in (8, "8, 16", "88", None, (8, 0), (8, -1), (8, True), (8, 1.5))),
        *(("four", value, f"4 {WIDTHS}") for value in ((1, 2, 3), (1, 2, 3, 4, 5), (), (1, 2, 3, 0), "1234")),
    ],
)
def test_a_value_that_is_not_allowed_is_one_line_that_says_what_is(option: str, value: object, allowed: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_options("told", options_of(Told), {option: value})
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{option} = {value!r}")
    assert allowed in message


@pytest.mark.parametrize("widths", [(), (8,), [8]], ids=str)
def test_too_few_widths_are_an_error_that_says_how_few_are_allowed(widths: object) -> None:
    with pytest.raises(UsageError, match=r"expected .*\b(2|two)\b.*whole numbers > 0\.$"):
        check_options("told", options_of(Told), {"widths": widths})


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("region_guided", {"widths": (8, 16, 24)}, "widths = (8, 16, 24): expected 4 whole numbers > 0."),
        ("attention_unetpp", {"widths": [8] * 6}, "expected 5 whole numbers > 0."),
        ("atten_res_unet", {"depth": 42}, "depth = 42: expected 18, 34, 50, 101."),
        ("atten_res_unet", {"encoder_attention": True}, "encoder_attention = True: expected none, limit, all."),
        ("convlstm_unet", {"heads": 3}, "heads = 3: expected 1, 2."),
        ("wnet", {"classes": 0}, "classes = 0: expected a whole number > 0."),
        ("fr_unet", {"in_channels": "three"}, "in_channels = 'three': expected a whole number > 0."),
        ("dual_attention_unet", {"freeze": "layer5"}, "expected none, stem, layer1, layer2, layer3, layer4."),
    ],
    ids=str,
)
def test_build_refuses_what_a_network_does_not_take_before_it_is_built(name: str, options: Options, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        build(name, **options)
    assert said in str(caught.value)


@pytest.mark.parametrize(("option", "nearest"), [("gate", "gated"), ("width", "widths"), ("zzz", None)])
def test_an_unknown_option_names_the_nearest_and_all(option: str, nearest: str | None) -> None:
    with pytest.raises(UsageError, match=f"unknown option of told '{option}'") as caught:
        check_options("told", options_of(Told), {"depth": 0, option: 1})
    message = str(caught.value)
    assert all(one.name in message for one in options_of(Told))
    assert ("Did you mean" in message) == (nearest is not None)
    assert nearest is None or f"Did you mean '{nearest}'?" in message


def described(network: nn.Module) -> list[object]:
    """All that is set in it but the values of its weights: parts, layers' settings, what learns, switches."""
    description: list[object] = [(k, tuple(v.shape), v.requires_grad) for k, v in network.named_parameters()]
    for path, module in network.named_modules():
        own = {key: value for key, value in vars(module).items() if isinstance(value, bool | int | str | tuple)}
        description.append((path, type(module), module.extra_repr(), own))
    return description


def on_paper(name: str, **options: Any) -> list[object]:
    with torch.device("meta"):
        return described(build(name, **options))


EVERY_VARIANT = [(name, variant) for name, entry in NETWORKS.items() for variant in entry.variants]


@pytest.mark.parametrize(("name", "variant"), EVERY_VARIANT)
def test_a_variant_is_the_network_with_its_options_and_no_other_variant_is(name: str, variant: str) -> None:
    variants = NETWORKS[name].variants
    found = on_paper(name, variant=variant)
    assert found == on_paper(name, **variants[variant])
    others = [other for other in variants if other != variant]
    assert all(variants[other] != variants[variant] for other in others)
    assert found != on_paper(name, variant=others[0])
    assert (found == on_paper(name)) == (variants[variant] == {})


@pytest.mark.parametrize(
    ("name", "variant", "option"),
    [
        ("atten_res_unet", "gated", {"encoder_attention": "all"}),
        ("region_guided", "unet", {"widths": (4, 5, 6, 7)}),
        ("dual_attention_unet", "algorithm1", {"fusion": "sum", "freeze": "none"}),
        ("convlstm_unet", "two_heads", {"heads": 1}),
    ],
)
def test_an_explicit_option_goes_before_the_variants(name: str, variant: str, option: Options) -> None:
    found = on_paper(name, variant=variant, **option)
    assert found == on_paper(name, **{**NETWORKS[name].variants[variant], **option})
    assert found != on_paper(name, variant=variant)


@pytest.mark.parametrize("name", [name for name, entry in NETWORKS.items() if entry.variants])
def test_an_unknown_variant_is_one_line_that_names_the_nearest_and_all(name: str) -> None:
    variants = list(NETWORKS[name].variants)
    with pytest.raises(UsageError, match=f"unknown variant of {name} '{variants[-1]}x'") as caught:
        build(name, variant=f"{variants[-1]}x")
    message = str(caught.value)
    assert f"Did you mean '{variants[-1]}'?" in message
    assert all(variant in message for variant in variants)
    assert "\n" not in message


@pytest.mark.parametrize("name", [name for name, entry in NETWORKS.items() if not entry.variants])
def test_a_network_without_variants_says_so(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} has no named variants"):
        build(name, variant="small")
