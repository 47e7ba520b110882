"""What a client is told when something is wrong: a code for programs, the command line's words, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from foveate.errors import FoveateError, ModelError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem."""

    status: int
    hint: str
    """What to do about any of this kind."""


KINDS = {
    "bad_request": Kind(400, "Send the request as /docs shows it."),
    "no_image": Kind(400, "Send the bytes of an image as the body, or as the field `file` of a form."),
    "cut_short": Kind(400, "Send it again, whole."),
    "key_missing": Kind(401, "Send the header `Authorization: Bearer KEY` with the key that the service was given."),
    "not_allowed": Kind(403, "Start the service with `--allow-origin` for that page, or call it by its own address."),
    "not_found": Kind(404, "/docs lists the addresses that there are."),
    "wrong_method": Kind(405, "/docs says which method goes with which address."),
    "too_slow": Kind(408, "Send it again over a faster connection, or send less."),
    "too_large": Kind(413, "Send fewer or smaller images; /readyz says the limits."),
    "wrong_type": Kind(415, "Send `Content-Type: application/octet-stream`, an image's type, or a form."),
    "bad_parameter": Kind(422, "/docs lists the parameters with what they may be."),
    "not_an_image": Kind(422, "Export the image again as PNG, JPEG or TIFF."),
    "too_many_pixels": Kind(422, "Crop or shrink the image; /readyz says the limits."),
    "not_segmented": Kind(422, "Crop or shrink the image, or use another model."),
    "failed": Kind(500, "Its line in the service's log says what happened. Please report it."),
    "busy": Kind(503, "Try again after as many seconds as the header Retry-After says."),
    "stopping": Kind(503, "The service is being stopped. Try again once it has been started."),
    "took_too_long": Kind(504, "Send a smaller image, or fewer; /readyz says the limits."),
}
"""By code: what stands in `code`, with the status that goes with it."""


class ServiceError(Exception):
    """An answer that is none."""

    def __init__(self, code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.retry_after = code, message, retry_after

    @property
    def status(self) -> int:
        """Of HTTP."""
        return KINDS[self.code].status

    @property
    def headers(self) -> dict[str, str]:
        """Beside those that every answer has."""
        key = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        return key if self.retry_after is None else key | {"Retry-After": str(self.retry_after)}

    def content(self) -> dict[str, str]:
        """What the client reads."""
        return {"code": self.code, "message": self.message, "hint": KINDS[self.code].hint}


def of_error(error: FoveateError) -> ServiceError:
    """An image that can't be read, or that the network fails on, in the command line's words."""
    return ServiceError("not_segmented" if isinstance(error, ModelError) else "not_an_image", str(error))
