"""`foveate train` as a user types it, with every network of the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from every_network import NARROW
from foveate.cli import app
from foveate.networks import NETWORKS
from foveate.training.run.tensors import load_weights

OVERRIDES = [
    "preparation.working_minimum=96",
    "preparation.working_maximum=96",
    "training.crop=64",
    "training.batch=2",
    "training.epochs=1",
    "training.samples_per_epoch=4",
    "training.side_weight=0.5",
]


@pytest.mark.parametrize("name", NETWORKS)
def test_one_epoch_on_drawn_photographs(name: str, tmp_path: Path) -> None:
    widths = [f"network.widths={list(NARROW[name])}"] if name in NARROW else []
    call = ["train", "region-guided-drive", f"network.name={name}", *widths, *OVERRIDES]
    app()([*call, "--data", "synthetic:3", "--out", str(tmp_path / "run")], standalone_mode=False)
    network, facts = load_weights(tmp_path / "run" / "best.safetensors")
    assert facts.network == name
    assert type(network).__module__ == NETWORKS[name].path.partition(":")[0]
