"""What the page of each command shows of it."""

from __future__ import annotations

from collections.abc import Iterable

QUICK = (
    "'network.widths=[4, 8]' training.epochs=2 training.samples_per_epoch=4 training.batch=2 training.crop=64"
    " training.warm_up=0 preparation.fov=find preparation.working_minimum=128"
)
"""A training of seconds, of a network that is next to none."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "segment": ("foveate segment photo.png folder/ -o masks/ --overlay --confidence",),
    "demo": ("foveate demo --out demo",),
    "serve": ("foveate serve --limits",),
    "measure": ("foveate measure photo.png folder/ -o table.csv",),
    "data check": ("foveate data check folder:mine",),
    "data show": ("foveate data show folder:mine -o sheet.png",),
    "data synth": ("foveate data synth 1 --out drawn",),
    "data info": ("foveate data info", "foveate data info drive"),
    "recipes list": ("foveate recipes list",),
    "recipes show": ("foveate recipes show unet-drive",),
    "recipes copy": ("foveate recipes copy region-guided-drive copy.toml",),
    "recipes check": ("foveate recipes check copy.toml",),
    "evaluate": ("foveate evaluate vessels --data folder:mine --split all --json vessels.json",),
    "compare": (
        "foveate evaluate vessels --data folder:mine --split all --min-size 20 --no-boundary --json no-specks.json",
        "foveate compare vessels.json no-specks.json",
    ),
    "cross": ("foveate cross vessels --data drive:drawn --split all",),
    "audit": ("foveate audit --paper 000",),
    "report": ("foveate report vessels --data folder:mine --split all --no-boundary -o report/",),
    "train": (f"foveate train attention-unet-isic2018 --data folder:mine --out runs/mine {QUICK}",),
    "runs": ("foveate runs",),
    "export": ("foveate export runs/mine -o mine.onnx --name mine",),
    "attention": ("foveate attention runs/mine photo.png -o attention.png",),
    "sweep": ("foveate sweep mine.toml --data folder:mine --out sweeps/mine",),
    "networks": ("foveate networks", "foveate networks unet"),
    "doctor": ("foveate doctor",),
}
"""Calls by command, in an order in which each finds what it reads; outputs.py draws what the first ones read."""

NOT_SHOWN = {
    "page": "It writes one HTML file. It needs npm, and so isn't run when this page is made.",
}
"""Commands without output on their page, and why."""


def calls(commands: Iterable[str]) -> list[str]:
    """All of the commands' help, then the examples."""
    helps = ["foveate -h", *(f"foveate {name} -h" for name in commands)]
    return [*helps, *(call for examples in EXAMPLES.values() for call in examples)]
