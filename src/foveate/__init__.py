"""foveate: masks from medical photographs, by small attention U-Nets. For research, not a medical device.

import foveate
vessels = foveate.load("vessels")
result = vessels.segment("photo.jpg")     # result.mask, result.probability, result.fov, result.overlay()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from foveate.errors import FoveateError
    from foveate.inference import Segmentation, Segmenter
    from foveate.inference.measuring import Measurement
    from foveate.inference.segmenter import Source
    from foveate.models import Model
    from foveate.records import Mask, Photograph

__version__ = "0.1.0"
__all__ = ["FoveateError", "Photograph", "Segmentation", "Segmenter", "__version__", "load", "measure"]


def load(
    model: str | Path = "vessels",
    *,
    tta: Literal[1, 2, 4, 8] = 1,
    hysteresis: float | None = None,
    reconnect: int = 0,
    min_size: int = 0,
    largest: bool = False,
    fill_holes: int = 0,
    threads: int = 0,
) -> Segmenter:
    """A model that is ready to segment: a shipped one by name, an `.onnx` file with `card.json` beside it, or a run.

    The options are those of `foveate segment`, and do what docs/segmenting.md says; `threads` of 0 uses every core. A
    run's best weights are exported in memory, for which the extra `train` is needed, unless the run's folder holds
    what `foveate export` made of them. Raises `foveate.errors.UsageError` for an unknown name and an option out of
    range, `ModelError` for a file that is not what its card says, or can't be trusted.
    """
    from foveate.inference import PostProcessing, Refinement, Segmenter

    refinement = Refinement(tta, PostProcessing(hysteresis, reconnect, min_size, largest, fill_holes))
    return Segmenter.of(opened_model(model), threads=threads, refinement=refinement)


def measure(
    source: Source,
    *,
    mask: bool = False,
    artery_vein: bool = False,
    regions: bool = False,
    model: str | Path | Segmenter = "vessels",
    fov: Mask | None = None,
    disc: tuple[float, float, float] | None = None,
    um_per_pixel: float | None = None,
    fov_degrees: float | None = None,
) -> Measurement:
    """Measure the vessels, or with `regions` the lesions, of one image; needs the extra `evaluate`.

    A photograph is segmented by `model` first; with `mask` (a file, or bool H×W) or `artery_vein` (a label file, or
    bool 2×H×W or 3×H×W) `source` is what any tool made. `fov` is bool H×W; `disc` row, column and diameter in pixels.
    `result.row` is a row of the table, `result.values` all measures in pixels, `result.overlay()` a picture. Raises
    `foveate.errors.UsageError` where what it needs is not installed.
    """
    try:
        from foveate.inference.measuring import measure_one

        return measure_one(
            source,
            "artery-vein" if artery_vein else "mask" if mask else "photograph",
            model,
            fov,
            disc,
            um_per_pixel,
            fov_degrees,
            as_regions=regions,
        )
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("foveate"):
            raise
        from foveate.errors import UsageError, install_line

        raise UsageError(f"measuring needs {error.name}, which is missing: {install_line('evaluate')}.") from error


def opened_model(model: str | Path) -> Model:
    """The model behind `load`, verified; of a run's folder its best weights. Raises as `load` does."""
    from pathlib import Path

    from foveate.errors import UsageError, install_line
    from foveate.models import open_model, shipped

    run = Path(model)
    if str(model) in shipped() or not run.is_dir():
        return open_model(model)
    best, made = run / "best.safetensors", run / "model.onnx"
    if not best.is_file():
        raise UsageError(f"{run}: is not the folder of a run: it holds no {best.name}.")
    if made.is_file() and made.stat().st_mtime >= best.stat().st_mtime:
        return open_model(made)
    try:
        from foveate.training.after.export import exported
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{run}: is the folder of a run, which needs {error.name} to be exported: {install_line('train')}."
            f" Where that is installed, `foveate export {run} -o FOLDER/model.onnx` writes a file that needs nothing."
        ) from error
    return exported(run).model


def __getattr__(name: str) -> object:
    """The other public names, imported when they are first asked for, so that `import foveate` is quick."""
    if name == "FoveateError":
        from foveate.errors import FoveateError

        return FoveateError
    if name in ("Segmentation", "Segmenter"):
        from foveate import inference

        return getattr(inference, name)
    if name == "Photograph":
        from foveate.records import Photograph

        return Photograph
    raise AttributeError(f"module 'foveate' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
