"""`foveate serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foveate.cli.console import say
from foveate.cli.options import THREADS
from foveate.errors import UsageError

BOUNDS = "ServiceLimits (by default as --limits says)"
"""Heading of these options in the help."""


def _show_limits(asked: bool) -> None:
    from foveate.service.limits import ServiceLimits, rows

    if asked:
        say("\n".join(str(row) for row in rows(ServiceLimits())))
        raise typer.Exit


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; only this machine can reach 127.0.0.1.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any that is free.")] = 8000,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A shipped model's name, an .onnx file, or a run's folder; may be repeated; vessels, if left out."
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="FOVEATE_API_KEY", help="What clients must send; best by the variable, which `ps` doesn't show."
        ),
    ] = None,
    api_key_file: Annotated[Path | None, typer.Option(help="A file that holds the key.")] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(help="A page from there may call, such as https://clinic.example; may be repeated."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen without a key where others can reach the service.")
    ] = False,
    log_names: Annotated[bool, typer.Option("--log-names", help="Images' names in the lines on requests.")] = False,
    max_bytes: Annotated[int | None, typer.Option(rich_help_panel=BOUNDS, help="Bytes in a request's body.")] = None,
    max_pixels: Annotated[int | None, typer.Option(rich_help_panel=BOUNDS, help="Pixels of an image.")] = None,
    max_seconds: Annotated[int | None, typer.Option(rich_help_panel=BOUNDS, help="Seconds until an answer.")] = None,
    max_images: Annotated[int | None, typer.Option(rich_help_panel=BOUNDS, help="Images in a request.")] = None,
    queue: Annotated[
        int | None, typer.Option(rich_help_panel=BOUNDS, help="Requests that are taken on at a time.")
    ] = None,
    threads: THREADS = 0,
    limits: Annotated[
        bool, typer.Option("--limits", callback=_show_limits, is_eager=True, help="Show all limits and exit.")
    ] = False,
) -> None:
    """Segment over HTTP: a page to drop photographs on, and an API, which docs/serving.md shows.

    foveate serve --port 8000 --model vessels
    """
    import foveate

    foveate.serve(
        host=host,
        port=port,
        model=model or ["vessels"],
        api_key=_key_in(api_key_file) if api_key_file is not None else api_key,
        allow_origin=allow_origin or (),
        insecure=insecure,
        log_names=log_names,
        max_bytes=max_bytes,
        max_pixels=max_pixels,
        max_seconds=max_seconds,
        max_images=max_images,
        queue=queue,
        threads=threads,
        on_start=lambda address: say(f"{address}: listening, nothing leaves this machine; Ctrl-C ends it"),
        on_request=say,
    )


def _key_in(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"--api-key-file {file}: can't be read ({reason}).") from error
