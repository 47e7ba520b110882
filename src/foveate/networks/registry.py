"""One table of networks, readable without torch; `build` imports a network when it is asked for."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from foveate.errors import UsageError, unknown

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """Where a network is, and which paper it is from."""

    path: str
    """module:class."""
    paper: str


NETWORKS = {
    "region_guided": NetworkEntry(
        "foveate.networks.region_guided:RegionGuided",
        "Region Guided Attention Network for Retinal Vessel Segmentation (paper 003)",
    ),
}


def build(name: str, **options: object) -> nn.Module:
    """The network of that name; options are its constructor's, see its docstring.

    Raises UsageError for an unknown name or option, naming the nearest and all valid ones.
    """
    if name not in NETWORKS:
        raise UsageError(unknown("network", name, NETWORKS))
    module, _, constructor_name = NETWORKS[name].path.partition(":")
    constructor = getattr(importlib.import_module(module), constructor_name)
    valid = inspect.signature(constructor).parameters
    for option in options:
        if option not in valid:
            raise UsageError(unknown(f"option of {name}", option, valid))
    return cast("nn.Module", constructor(**options))
