"""The table of names: readable without torch, and helpful with a name that is not in it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any, cast

import pytest

from foveate.errors import UsageError
from foveate.networks import NETWORKS, build

WITHOUT_TORCH = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError("torch is not installed")

sys.meta_path.insert(0, Refuse())
from foveate.networks import NETWORKS
import foveate.networks.registry
print(*NETWORKS)
"""


def test_the_table_is_read_where_torch_is_not_installed() -> None:
    command = [sys.executable, "-c", WITHOUT_TORCH]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.stderr == ""
    assert finished.stdout.split() == list(NETWORKS)


@pytest.mark.parametrize(
    ("name", "nearest"), [("region_guide", "region_guided"), ("RegionGuided", None), ("unet-9000", None)]
)
def test_an_unknown_network_is_an_error_that_names_the_nearest(name: str, nearest: str | None) -> None:
    with pytest.raises(UsageError, match=f"unknown network '{name}'") as caught:
        build(name)
    message = str(caught.value)
    assert all(known in message for known in NETWORKS)
    assert "\n" not in message
    if nearest is not None:
        assert f"Did you mean '{nearest}'?" in message


@pytest.mark.parametrize(
    ("option", "nearest"), [("width", "widths"), ("in_channel", "in_channels"), ("dept", "depth"), ("zzz", None)]
)
def test_an_unknown_option_is_an_error_that_names_the_nearest(option: str, nearest: str | None) -> None:
    with pytest.raises(UsageError, match=f"unknown option of region_guided '{option}'") as caught:
        build("region_guided", **cast("dict[str, Any]", {option: 3}))
    message = str(caught.value)
    assert all(valid in message for valid in ("in_channels", "classes", "widths", "depth"))
    assert "self" not in message.split("Valid:")[1]
    assert (f"Did you mean '{nearest}'?" in message) == (nearest is not None)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_option_has_a_default_and_is_given_by_name(name: str) -> None:
    options = inspect.signature(type(build(name))).parameters.values()
    assert {option.kind for option in options} == {inspect.Parameter.KEYWORD_ONLY}
    assert all(option.default is not inspect.Parameter.empty for option in options)
    assert {"in_channels", "classes"} <= {option.name for option in options}
    assert NETWORKS[name].paper
