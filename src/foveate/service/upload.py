"""What a client sends, into memory, counted while it comes: the bytes of one image, or a form with several."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from foveate.service.problems import ServiceError

if TYPE_CHECKING:
    from starlette.requests import Request

    from foveate.service.limits import ServiceLimits
    from foveate.service.places import Place

RAW = re.compile(r"image/[\w.+-]+|application/(octet-stream|gzip|x-gzip|dicom)|", re.ASCII)
"""Types of a body that is one image; what is in it, its content says. None at all is taken for one."""

FORM = "multipart/form-data"
FIELD = b"file"

LONGEST_LABEL = 200
MOST_PART_HEADERS, LONGEST_PART_HEADER = 8, 2048


@dataclass(frozen=True, slots=True, repr=False)
class Upload:
    """An image as it was sent."""

    label: str
    """What the client calls it: for messages and answers, never a path."""
    content: bytes


async def received(request: Request, limits: ServiceLimits, place: Place) -> list[Upload]:
    """All images of a request, in order. Raises ServiceError where they are too large, too slow, cut short or none."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    content_type = kind.decode("latin-1").lower()
    if content_type != FORM and not RAW.fullmatch(content_type):
        raise ServiceError("wrong_type", f"the body is {label_of(content_type)}, which is no image's type.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ServiceError("wrong_type", "the body is compressed, which isn't read. Send the image's file as it is.")
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > limits.max_bytes:
        raise _too_large(limits)
    chunks = _counted(request, limits, place)
    try:
        async with asyncio.timeout(limits.body_seconds):
            if content_type == FORM:
                return await _form(chunks, options.get(b"boundary", b""), limits)
            content = b"".join([chunk async for chunk in chunks])
    except TimeoutError as error:
        raise ServiceError("too_slow", f"the body was not there after {limits.body_seconds} seconds.") from error
    except ClientDisconnect as error:
        raise ServiceError("cut_short", "the connection ended before the body did.") from error
    if not content:
        raise ServiceError("no_image", "the body is empty.")
    return [Upload(label_of(unquote(request.headers.get("x-file-name", ""))) or "image", content)]


def label_of(name: str) -> str:
    """A client's name for an image on one line, without what would drive a terminal; at most 200 characters."""
    return "".join(character for character in name if character.isprintable())[:LONGEST_LABEL]


async def _counted(request: Request, limits: ServiceLimits, place: Place) -> AsyncIterator[bytes]:
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > limits.max_bytes:
            raise _too_large(limits)
        place.hold(len(chunk))
        yield chunk


def _too_large(limits: ServiceLimits) -> ServiceError:
    return ServiceError("too_large", f"the body has more than {limits.max_bytes} bytes.")


async def _form(chunks: AsyncIterator[bytes], boundary: bytes, limits: ServiceLimits) -> list[Upload]:
    form = _Form(limits)
    if not boundary:
        raise ServiceError("bad_request", "the form's Content-Type names no boundary.")
    try:
        parser = MultipartParser(
            boundary,
            form.callbacks,  # type: ignore[arg-type]
            max_header_count=MOST_PART_HEADERS,
            max_header_size=LONGEST_PART_HEADER,
        )
        async for chunk in chunks:
            parser.write(chunk)
    except FormParserError as error:
        raise ServiceError("bad_request", "the form can't be read: it isn't what its Content-Type says.") from error
    if not form.ended:
        raise ServiceError("cut_short", "the form ends before its last boundary.")
    if not form.uploads:
        raise ServiceError("no_image", "the form has no field `file`.")
    return form.uploads


class _Form:
    """Hears what the parser finds."""

    def __init__(self, limits: ServiceLimits) -> None:
        self.uploads: list[Upload] = []
        self.ended = False
        self._limits = limits
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._label = ""
        self._content: list[bytes] = []

    @property
    def callbacks(self) -> dict[str, Callable[..., None]]:
        """By the parser's names."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": lambda data, start, end: self._content.append(data[start:end]),
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.uploads) == self._limits.max_images:
            raise ServiceError("too_large", f"the form has more than {self._limits.max_images} images.")
        self._disposition, self._content = b"", []

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") != FIELD:
            raise ServiceError(
                "bad_parameter", "the form has a field other than `file`. Name the model in the address."
            )
        name = options.get(b"filename", b"").decode("utf-8", "replace")
        self._label = label_of(name) or f"image {len(self.uploads) + 1}"

    def _part_end(self) -> None:
        self.uploads.append(Upload(self._label, b"".join(self._content)))
        self._content = []

    def _end(self) -> None:
        self.ended = True
