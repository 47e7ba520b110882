"""`foveate.serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from foveate.inference import Segmenter

SHORTEST_KEY = 16
"""Characters."""


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    model: str | Path | Segmenter | Sequence[str | Path | Segmenter] = "vessels",
    api_key: str | None = None,
    allow_origin: Sequence[str] = (),
    insecure: bool = False,
    log_names: bool = False,
    max_bytes: int | None = None,
    max_pixels: int | None = None,
    max_seconds: int | None = None,
    max_images: int | None = None,
    queue: int | None = None,
    threads: int = 0,
    on_start: Callable[[str], None] | None = None,
    on_request: Callable[[str], None] | None = None,
) -> None:
    """Serve the page and the API of docs/serving.md over HTTP until the process is asked to end; then return.

    The options are those of `foveate serve`; what is None is as in the table of limits. `on_start` is called with the
    address once requests are taken, `on_request` with a line of JSON after each. A port of 0 is any that is free. Needs
    the extra `serve`. Raises `foveate.errors.UsageError` for an address that can't be listened on or that others can
    reach without a key, and as `foveate.load` does for a model.
    """
    from pathlib import Path

    from foveate.errors import UsageError, needs
    from foveate.inference import Segmenter
    from foveate.public.load import load

    with needs("serve", "serving"):
        from foveate.service.app import Service
        from foveate.service.guard import LOOPBACK, Access, is_origin
        from foveate.service.limits import ServiceLimits
        from foveate.service.server import address_of, is_loopback, listening_socket, run

    asked = {"max_bytes": max_bytes, "max_pixels": max_pixels, "max_seconds": max_seconds, "max_images": max_images}
    given = [model] if isinstance(model, str | Path | Segmenter) else list(model)
    try:
        limits = ServiceLimits(
            **{name: value for name, value in {**asked, "queue": queue}.items() if value is not None}
        )
    except ValueError as error:
        raise UsageError(f"{error}.") from error
    if api_key is not None and len(api_key) < SHORTEST_KEY:
        raise UsageError(
            f"the key has {len(api_key)} characters; give it {SHORTEST_KEY} or more, such as of `openssl rand`."
        )
    if api_key is not None and not api_key.isascii():
        raise UsageError("the key has characters that HTTP has no one way to send; give it letters, digits and signs.")
    for origin in allow_origin:
        if not is_origin(origin):
            raise UsageError(
                f"--allow-origin {origin}: no browser writes an origin so. Give scheme and host alone, in small"
                " letters: https://clinic.example"
            )
    bound = listening_socket(host, port)
    try:
        alone = is_loopback(bound)
        if not alone and api_key is None and not insecure:
            raise UsageError(
                f"{host} can be reached by others: give a key (FOVEATE_API_KEY, --api-key-file), or --insecure."
            )
        hosts = frozenset({*LOOPBACK, host.lower()}) if alone and api_key is None else None
        segmenters = [each if isinstance(each, Segmenter) else load(each, threads=threads) for each in given]
        access = Access(api_key, frozenset(allow_origin), hosts)
        service = Service(segmenters, limits, access, log_names=log_names, on_request=on_request)
    except ValueError as error:
        bound.close()
        raise UsageError(f"model: {error}.") from error
    except BaseException:
        bound.close()
        raise
    address = address_of(host, bound)
    run(service, bound, None if on_start is None else lambda: on_start(address))
