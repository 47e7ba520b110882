"""What `foveate attention` does, from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from foveate.errors import OutputError, UsageError, needs
from foveate.imaging import read_photograph, write_bytes

if TYPE_CHECKING:
    from foveate.pictures.figure import PictureForm
    from foveate.training.after.attention import Attention

FORMS = ("png", "svg", "pdf")


def attention(
    weights: str | Path, photograph: str | Path, out: str | Path | None = None, *, overwrite: bool = False
) -> Attention:
    """A network's attention maps over a photograph, drawn into `out` if it is given; needs `train`, to draw `evaluate`.

    `weights` is a run's folder, whose best weights are taken, or a shipped model's name; `out` ends in .png, .svg or
    .pdf. `result.maps` has each map by its place in the network: H×W on the photograph's grid, NaN outside the field
    of view, or C for weights of channels; 0 to 1.

    Raises UsageError where `weights` is neither or its network has no attention, for another ending of `out`, and
    where an extra is missing; ImageError for a photograph that can't be read or has no field of view; ModelError for
    weights that can't be read; OutputError where `out` is there and `overwrite` is off, or can't be written.
    """
    if out is not None:
        _check_out(Path(out), overwrite=overwrite)
    with needs("train"):
        from foveate.training.after.attention import attention_of
    read = read_photograph(Path(photograph))
    if out is None:
        return attention_of(str(weights), read.pixels)
    with needs("evaluate"):
        from foveate.pictures import attention_sheet, encoded
    seen = attention_of(str(weights), read.pixels)
    title = f"Attention of {Path(weights).name} ({seen.network}) in {Path(photograph).name}"
    note = (
        f"One forward pass; inside the field of view that the model works in; {len(seen.maps)} maps of weights,"
        " 0 to 1, enlarged to the photograph; each in the colours of its own range, 1st to 99th percentile."
        " A map shows what is weighed, not why. For research, not a medical device."
    )
    sheet = attention_sheet(read.pixels, seen.maps, title, note)
    write_bytes(encoded(sheet, cast("PictureForm", _form(Path(out)))), Path(out))
    return seen


def _check_out(out: Path, *, overwrite: bool) -> None:
    if _form(out) not in FORMS:
        raise UsageError(f"--out {out}: name a file that ends in .png, .svg or .pdf.")
    if out.exists() and not overwrite:
        raise OutputError(f"{out}: is there already. Choose another file, or --overwrite.")


def _form(out: Path) -> str:
    return out.suffix.lower().removeprefix(".")
