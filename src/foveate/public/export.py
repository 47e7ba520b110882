"""What `foveate export` does, from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from foveate.errors import UsageError, needs, unknown

if TYPE_CHECKING:
    from foveate.models.exported import ExportedFile


def export(
    run: str | Path,
    out: str | Path | None = None,
    *,
    name: str | None = None,
    hub_folder: str | Path | None = None,
    overwrite: bool = False,
) -> ExportedFile:
    """Write the best weights in a run's folder as one ONNX file, with `card.json` beside it; needs the extra `train`.

    `run` may be a shipped model's name, too: its file and card are copied, without the extra, so that the card can be
    fitted to other cameras (`evaluate` with `to_card`). With `hub_folder` in place of `out` it is a new folder for the
    Hugging Face hub, with README, card, ONNX file and weights. Nothing is uploaded.

    `name` is the model's in the card, by itself that of the run's folder or the shipped model's. The result has the
    `file`, its `card`, and of a run the `differences`: size to the largest difference of a probability between ONNX
    Runtime and PyTorch.

    Raises UsageError where `out` doesn't end in .onnx, both or neither of the two are given, a run's folder has the
    name of a shipped model, or the extra is missing;
    ModelError where `run` is no run or the two differ too much; OutputError where a file is there and `overwrite` is
    off, or the folder isn't empty. Nothing is written then.
    """
    if (out is None) == (hub_folder is None):
        raise UsageError("say where to write: either --out FILE.onnx or --hub-folder FOLDER.")
    if hub_folder is not None:
        return _for_the_hub(run, Path(hub_folder), name=name, overwrite=overwrite)
    if Path(str(out)).suffix != ".onnx":
        raise UsageError(f"--out {out}: name a file that ends in .onnx.")
    from foveate.models import open_model, shipped
    from foveate.training.run.folder import BEST

    if str(run) in shipped():
        if (Path(run) / BEST).is_file():
            raise UsageError(f"{run}: a shipped model has that name, and a run here. Write ./{run} for the run.")
        from foveate.models.exported import copy_model

        return copy_model(open_model(run), Path(str(out)), name=name, overwrite=overwrite)
    if not Path(run).is_dir():
        raise UsageError(f"{unknown('model', str(run), shipped())} Or give a run's folder.")
    with needs("train"):
        from foveate.training.after.export import export as export_run
    return export_run(Path(run), Path(str(out)), name=name, overwrite=overwrite)


def _for_the_hub(run: str | Path, folder: Path, *, name: str | None, overwrite: bool) -> ExportedFile:
    from foveate.models import shipped
    from foveate.public.load import opened_model
    from foveate.training.run.folder import BEST

    if overwrite:
        raise UsageError("--overwrite goes with --out; --hub-folder needs a folder that is new or empty.")
    with needs("train"):
        from foveate.training.after.hub import write_hub_folder
        from foveate.training.run.tensors import WEIGHTS
    own = shipped().get(str(run))
    weights = Path(run) / BEST if own is None else own / WEIGHTS
    return write_hub_folder(opened_model(run), weights, folder, name=name)
