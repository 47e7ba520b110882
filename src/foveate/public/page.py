"""`foveate.page`: the page that segments without a server."""

from __future__ import annotations

from pathlib import Path

from foveate.errors import OutputError, UsageError
from foveate.public.load import opened_model


def page(
    out: str | Path, *, model: str | Path = "vessels", runtime: str | Path | None = None, overwrite: bool = False
) -> Path:
    """Write one HTML file that segments photographs in the browser that opens it, from disk or from any static host.

    `model` is what `foveate.load` takes. `runtime` is the archive of ONNX Runtime Web that `npm pack` makes; without it
    npm is asked for that. Raises UsageError where `out` doesn't end in .html or the runtime can't be had,
    ModelError for a model that the page can't run, OutputError where the file is there and `overwrite` is off.
    """
    from foveate.browser.runtime import browser_runtime
    from foveate.browser.single import single_page
    from foveate.imaging import write_text

    file = Path(out)
    if file.suffix != ".html":
        raise UsageError(f"--out {out}: name a file that ends in .html.")
    if file.exists() and not overwrite:
        raise OutputError(f"{file}: is there already. Choose another file, or --overwrite.")
    opened = opened_model(model)
    write_text(single_page(opened, browser_runtime(None if runtime is None else Path(runtime))), file)
    return file
