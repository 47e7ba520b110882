"""Options that several commands have, each with its one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from foveate.cli.declared import CommandArgument, CommandOption

WEIGHTS = Annotated[
    list[str] | None, CommandArgument(help="A shipped model's name, a run's folder, or an .onnx file; or several.")
]
DATA = Annotated[list[str] | None, CommandOption(help="NAME:FOLDER of a data set; may be repeated.")]
SPLIT = Annotated[
    str, CommandOption(help="Which part of each set; validation: what chose the model's threshold; all: every case.")
]
PREDICTIONS = Annotated[
    list[Path] | None,
    CommandOption(help="A folder of masks or probability maps that any tool made, named as the images."),
]
THRESHOLD = Annotated[float | None, CommandOption(min=0, max=1, help="Of --predictions that are probability maps.")]
SUFFIX = Annotated[
    str, CommandOption(help="What names of --predictions end in after the image's, such as _pred of photo_pred.png.")
]
SIZE = Annotated[str, CommandOption(help="HEIGHTxWIDTH to which images and masks are brought first.")]
VESSELS = Annotated[
    bool | None, CommandOption("--vessels/--no-vessels", help="Measure as vessels; by itself where a set's are.")
]
BOUNDARY = Annotated[bool, CommandOption("--boundary/--no-boundary", help="Measure distances of borders.")]
EMPTY = Annotated[
    Literal["out", "one"], CommandOption(help="What agreement on an empty truth counts: left out of means, or 1.")
]
LEAVE_OUT = Annotated[
    list[str] | None,
    CommandOption(
        help="A class whose true pixels count for no other class, such as crossing of arteries and veins. Repeat it."
    ),
]
SCOPE = Annotated[Literal["fov", "image"], CommandOption(help="Count inside the field of view, or the whole image.")]
BACKEND = Annotated[
    Literal["auto", "onnxruntime", "openvino", "torch"],
    CommandOption(help="What runs the network; auto: by what was measured, see docs/benchmark.md."),
]
DEVICE = Annotated[
    Literal["auto", "cpu", "cuda", "mps", "directml", "coreml"],
    CommandOption(help="Where it runs; auto: on the processor. What the backend hasn't is an error."),
]
PRECISION = Annotated[
    Literal["auto", "f32", "bf16"],
    CommandOption(help="How exactly it computes; auto: f32. bf16 for processors and GPUs that have it."),
]
THREADS = Annotated[int, CommandOption(min=0, help="CPU threads; 0: one per core.")]
FOV = Annotated[
    Literal["set", "estimated", "whole"] | None,
    CommandOption(
        help="Count in the set's own field of view, one estimated from the image, or the whole image; by itself the"
        " set's own, else estimated in fundus photographs."
    ),
]
