"""`POST /v1/segment`: what a request asks for, checked before its body is read, and how it is done."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from foveate.errors import unknown
from foveate.service.answers import Asked, answer, check_several
from foveate.service.problems import ServiceError
from foveate.service.upload import FORM, received
from foveate.service.work import WantedOutputs, kinds_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from foveate.inference import Segmenter
    from foveate.service.limits import ServiceLimits
    from foveate.service.observed import Line
    from foveate.service.places import Places
    from foveate.service.work import Lanes

INCLUDED = ("mask", "probability", "overlay", "fov", "photograph")
"""What JSON and ZIP may have besides."""


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of the address, as they came."""

    model: str | None
    outputs: str
    include: str
    of_class: str | None
    thresholds: Sequence[float] | None


@dataclass(frozen=True, slots=True)
class Segmenting:
    """Models by name, the first of which is meant where none is named, and what keeps them within limits."""

    segmenters: Mapping[str, Segmenter]
    limits: ServiceLimits
    places: Places
    lanes: Lanes
    log_names: bool

    async def respond(self, request: Request, query: Query) -> Response:
        """The answer to a request. Raises ServiceError."""
        line: Line = request.state.line
        segmenter = self.segmenter(query.model, query.thresholds)
        wanted, kind = wanted_of(segmenter, query)
        line.model, line.outputs = segmenter.card.name, query.outputs
        place = self.places.take()
        with place.used():
            uploads = await received(request, self.limits, place)
            line.images, line.bytes = len(uploads), sum(len(upload.content) for upload in uploads)
            line.names = tuple(upload.label for upload in uploads) if self.log_names else ()
            check_several(len(uploads), query.outputs)
            several = request.headers.get("content-type", "").lower().startswith(FORM)
            try:
                async with asyncio.timeout(self.limits.max_seconds):
                    results = [await self.lanes.made(segmenter, upload, wanted, place) for upload in uploads]
            except TimeoutError as error:
                seconds = self.limits.max_seconds
                raise ServiceError("took_too_long", f"the answer was not there after {seconds} seconds.") from error
            line.failed = sum(made.problem is not None for made in results)
            return await asyncio.to_thread(answer, results, segmenter, Asked(query.outputs, kind, several))

    def segmenter(self, name: str | None, thresholds: Sequence[float] | None) -> Segmenter:
        """The model, with thresholds of the request's own where it has some. Raises ServiceError."""
        if name is not None and name not in self.segmenters:
            raise ServiceError("bad_parameter", unknown("model", name[:100], self.segmenters))
        segmenter = self.segmenters[name or next(iter(self.segmenters))]
        if not thresholds:
            return segmenter
        card = segmenter.card
        if len(thresholds) != len(card.thresholds) or not all(0 <= value <= 1 for value in thresholds):
            raise ServiceError("bad_parameter", f"threshold: {len(card.thresholds)} from 0 to 1 go with {card.name}.")
        # What the card says of the expected F1 was learnt at its own threshold.
        own = msgspec.structs.replace(card, thresholds=tuple(thresholds), threshold_from="the request", trust=None)
        return replace(segmenter, card=own)


def wanted_of(segmenter: Segmenter, query: Query) -> tuple[WantedOutputs, str]:
    """What is to be made, and the kind of the PNG where the answer is one. Raises ServiceError."""
    there = kinds_of(segmenter)
    if query.outputs not in ("json", "zip"):
        kind = f"{query.of_class}_{query.outputs}" if query.of_class else query.outputs
        if kind not in there:
            raise ServiceError("bad_parameter", unknown("output", kind[:100], there) + " `class` names one of several.")
        return WantedOutputs((kind,)), kind
    included = [word.strip() for word in query.include.split(",") if word.strip()]
    for word in included:
        if word not in INCLUDED:
            raise ServiceError("bad_parameter", "include: " + unknown("output", word[:100], INCLUDED))
    if query.outputs == "zip":
        included.append("mask")
    kinds = tuple(kind for kind in there if kind.rpartition("_")[2] in included)
    return WantedOutputs(kinds, fov="fov" in included, photograph="photograph" in included, expected_f1=True), ""
