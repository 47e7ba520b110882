"""`foveate.load`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from foveate.inference import Procedure, Segmenter
    from foveate.models import Model
    from foveate.runtime import Backend, Device, Execution, Precision, Session, Wish


def load(
    model: str | Path = "vessels",
    *,
    tta: Literal[1, 2, 4, 8] = 1,
    hysteresis: float | None = None,
    reconnect: int = 0,
    min_size: int | None = None,
    largest: bool = False,
    fill_holes: int = 0,
    surest_size: bool = False,
    backend: Backend | Literal["auto"] = "auto",
    device: Device | Literal["auto"] = "auto",
    precision: Precision | Literal["auto"] = "auto",
    threads: int = 0,
    images: int | None = None,
) -> Segmenter:
    """A model that is ready to segment: a shipped one by name, an `.onnx` file with `card.json` beside it, or a run.

    The options are those of `foveate segment`, and do what docs/segmenting.md says; `threads` of 0 uses every core,
    `images` is how many are to come, which decides what an "auto" becomes. A run's best weights are exported in memory,
    for which the extra `train` is needed, unless the run's folder holds what `foveate export` made of them.

    Raises `foveate.errors.UsageError` for an unknown name, an option out of range, and a backend, device or precision
    that can't be had here; `ModelError` for a file that is not what its card says, or can't be trusted.
    """
    from foveate.inference import PostProcessing, Procedure
    from foveate.runtime import Wish

    procedure = Procedure(tta, PostProcessing(hysteresis, reconnect, min_size, largest, fill_holes), surest_size)
    return opened(model, Wish(backend, device, precision, threads), procedure, images=images)


def opened(
    model: str | Path, wish: Wish, procedure: Procedure | None = None, *, images: int | None = None
) -> Segmenter:
    """The segmenter behind `load`, for so many images where that is known. Raises as `load` does."""
    from pathlib import Path

    from foveate.inference import Procedure, Segmenter
    from foveate.runtime import chosen

    execution, verified = chosen(wish, images=images), opened_model(model)
    if execution.backend == "torch":
        procedure = procedure or Procedure()
        procedure.check_goes_with(verified.card)
        return Segmenter(verified.card, _in_torch(Path(model), execution), procedure)
    return Segmenter.of(verified, execution=execution, procedure=procedure)


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


def _in_torch(run: Path, execution: Execution) -> Session:
    from foveate.errors import UsageError, needs

    if not run.is_dir():
        raise UsageError(f"{run}: is no run's folder; --backend torch runs the weights of one. Leave it to auto.")
    with needs("train", "--backend torch"):
        from foveate.training.after.session import open_in_torch
    return open_in_torch(run, execution)
