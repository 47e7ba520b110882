"""Every network of the table with every value of every option, one changed at a time, narrow where that is free."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast
from unittest import mock

import torch
from torch import Tensor, nn

from foveate.networks import NETWORKS, atten_res_unet, attention_unetpp, build, dual_attention_unet
from foveate.networks.blocks import resnet
from foveate.networks.blocks.residual import BasicBlock, Bottleneck
from foveate.networks.registry import constructor_of, entry_of
from foveate.networks.registry.options import DATA_OPTIONS, Option, options_of

Options = dict[str, Any]

NARROW: dict[str, tuple[int, ...]] = {
    "unet": (8, 16, 24),
    "segnet": (8, 16, 24),
    "attention_unet": (8, 16, 24),
    "unetpp": (8, 12, 16),
    "convlstm_unet": (8, 12, 16),
    "fr_unet": (8, 12, 16),
}
"""Widths for tests, where the published ones would make them slow."""

SMALL_RESNETS: tuple[tuple[object, str, object], ...] = (
    (resnet, "STEM", 16),
    (resnet, "WIDTHS", (16, 24, 32, 48)),
    (
        resnet,
        "DEPTHS",
        {
            18: (BasicBlock, (1, 2, 1, 1)),
            34: (BasicBlock, (1, 2, 2, 1)),
            50: (Bottleneck, (1, 2, 1, 1)),
            101: (Bottleneck, (1, 2, 3, 1)),
        },
    ),
    (atten_res_unet, "DECODER", (48, 32, 24, 16, 16, 8)),
    (dual_attention_unet, "DECODER", (48, 32, 24, 16)),
    (attention_unetpp, "RESNET34_DEPTHS", (1, 2, 1, 1)),
)
"""What has no option, for tests: every stage and every kind of block (the first of a stage with its stride, one that
follows it, with and without a projection), of the published ones the rest being more and wider ones of the same.
`test_resnet.py` and the networks' own tests look at the published sizes."""


OTHER_WIDTHS: dict[int | None, tuple[int, ...]] = {None: (9, 7, 11, 13), 4: (9, 7, 11, 13), 5: (5, 9, 7, 11, 13)}
"""By how many a network wants: odd ones, and more levels than above."""

PLAIN = (16, 24, 12)
"""Of dual_attention_unet's plain encoder, which has no widths unless it is told."""

OTHER_DATA = ((1, 3), (4, 2))
"""Channels of the image, and classes."""

TOGETHER: dict[str, tuple[Options, ...]] = {
    "attention_unetpp": ({"encoder": "plain", "widths": OTHER_WIDTHS[5], "gates": False, "deep_supervision": True},),
    "dual_attention_unet": (
        {"encoder": "plain", "widths": PLAIN, "fusion": "product", "channel_gate": "softmax"},
        {"encoder": "plain", "widths": PLAIN, "attention": False},
    ),
    "atten_res_unet": (
        {"depth": 18, "encoder_attention": "none", "decoder_gates": False},
        {"depth": 50, "encoder_attention": "all", "attention_residual": True},
    ),
    "region_guided": (
        {"widths": OTHER_WIDTHS[4], "depth": 1, "partial_decoder": False, "dual_attention": "skips"},
        {"depth": 3, "dual_attention": "all", "passes": 3},
        {"attention": False},
    ),
    "convlstm_unet": (
        {"widths": OTHER_WIDTHS[None], "order": "skip_up", "bidirectional": True},
        {"dropout": True, "heads": 2},
    ),
}
"""Values that are looked at in one export, as each takes seconds: they leave each other's operations in the graph."""


@dataclass(frozen=True)
class Case:
    """One network with one set of options."""

    name: str
    options: Options = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.options.items())]).replace(" ", "")

    @property
    def in_channels(self) -> int:
        return int(self.options.get("in_channels", 3))

    @property
    def classes(self) -> int:
        return int(self.options.get("classes", 1))

    def fresh(self, *, seed: int = 0) -> nn.Module:
        """Built anew, the seed deciding the weights."""
        with torch.random.fork_rng(), small_resnets():
            torch.manual_seed(seed)
            return build(self.name, **self.options)

    def images(self, *size: int, count: int = 1) -> Tensor:
        generator = torch.Generator().manual_seed(1)
        return torch.randn(count, self.in_channels, *size, generator=generator)

    @cached_property
    def _experienced(self) -> nn.Module:
        network = self.fresh().train()
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(3)
            for _ in range(8):
                network(self.images(48, 48, count=2))
        return network.eval()

    def experienced(self) -> nn.Module:
        """In evaluation mode, with normalisation statistics of its own rather than the first zeros and ones."""
        return copy.deepcopy(self._experienced)


@contextmanager
def small_resnets() -> Iterator[None]:
    """Networks on a ResNet are built narrow and shallow."""
    with ExitStack() as stack:
        for module, name, value in SMALL_RESNETS:
            stack.enter_context(mock.patch.object(module, name, value))
        yield


def outputs(network: nn.Module, image: Tensor) -> tuple[Tensor, ...]:
    """The logits and, of a network that has them, the side outputs that it is trained on."""
    if hasattr(network, "forward_all"):
        found: tuple[Tensor, ...] = cast("Any", network).forward_all(image)
        return found
    return (network(image),)


def base_options(name: str) -> Options:
    return {"widths": NARROW[name]} if name in NARROW else {}


def other_values(option: Option) -> list[Any]:
    """Every value that is not the default; of numbers and widths, some that are likely to break something."""
    values: dict[str, list[Any]] = {
        "switch": [True, False],
        "count": [1, 3],
        "choice": list(option.choices),
        "widths": [OTHER_WIDTHS[option.length]],
    }
    return [value for value in values[option.kind] if value != option.default]


def cases(name: str) -> list[Case]:
    """The network's default, two for other data, then every other value of every option."""
    base = base_options(name)
    found = [Case(name, base)]
    found += [Case(name, base | {"in_channels": channels, "classes": classes}) for channels, classes in OTHER_DATA]
    for option in options_of(constructor_of(name)):
        if option.name in DATA_OPTIONS:
            continue
        if (name, option.name) == ("dual_attention_unet", "widths"):  # its plain encoder's
            found.append(Case(name, {"encoder": "plain", "widths": PLAIN}))
            continue
        found += [Case(name, base | {option.name: value}) for value in other_values(option)]
    return found


def _tells_apart(case: Case) -> bool:
    """Whether a case has operations that no other has: not what is frozen, what its first weights are, nor more of the
    same in a large network."""
    heavy = case.name in ("dual_attention_unet", "atten_res_unet") and case.options.get("encoder") != "plain"
    more_of_the_same = case.options.get("depth") == 101 or "classes" in case.options
    return not entry_of(case.name).learning & case.options.keys() and not (heavy and more_of_the_same)


def _lightest(case: Case) -> Case:
    """The case with the smallest encoder that has the same operations."""
    parts = {"encoder", "attention", "fusion", "channel_gate"}
    if case.name == "dual_attention_unet" and parts & case.options.keys():
        return Case(case.name, {"encoder": "plain", "widths": PLAIN, **case.options})
    if case.name == "atten_res_unet":
        return Case(case.name, {"depth": 18, **case.options})
    return case


def _changes(name: str) -> tuple[Options, ...]:
    """What is set besides the default's options in each of a network's exports."""
    single = [option for option in options_of(constructor_of(name)) if option.name not in DATA_OPTIONS]
    return TOGETHER.get(name, tuple({option.name: value} for option in single for value in other_values(option)))


def exports(name: str) -> list[Case]:
    """The default, then few cases with the operations of all those in DIFFERENT between them."""
    base = base_options(name)
    return [_lightest(Case(name, base)), *with_other_data(Case(name, base | more) for more in _changes(name))]


def with_other_data(changed: Iterable[Case]) -> list[Case]:
    """The cases, the first of them on the other channels and classes too: these meet no option but at the two ends."""
    found = list(changed)
    data: list[Options] = [{"in_channels": channels, "classes": classes} for channels, classes in OTHER_DATA]
    data += [{}] * len(found)
    return [Case(case.name, case.options | more) for case, more in zip(found, data, strict=False)]


def learning(name: str) -> list[Case]:
    """The default, then each value of DIFFERENT by itself."""
    default, *changed = (case for case in DIFFERENT if case.name == name and "classes" not in case.options)
    return [default, *with_other_data(changed)]


EVERY = [case for name in NETWORKS for case in cases(name)]
DIFFERENT = list({str(case): case for case in map(_lightest, filter(_tells_apart, EVERY))}.values())
"""Those of EVERY that are worth minutes, with the same operations in less time."""
EXPORTS = [case for name in NETWORKS for case in exports(name)]
"""As few as can be, as each is worth seconds."""
LEARNING = [case for name in NETWORKS for case in learning(name)]
"""Each value by itself, as one that does not learn would hide behind others that do."""
