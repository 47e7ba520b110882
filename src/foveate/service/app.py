"""The addresses of the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated, Any, Literal

import msgspec
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from foveate.inference import Segmenter
from foveate.service import documented
from foveate.service.guard import Access, Guard, problem_response
from foveate.service.limits import ServiceLimits, rows
from foveate.service.observed import TYPE, Observed
from foveate.service.pages import docs_response, index_response, static_files, static_response
from foveate.service.places import Places
from foveate.service.problems import ServiceError
from foveate.service.segmenting import Query as SegmentQuery
from foveate.service.segmenting import Segmenting
from foveate.service.work import Lanes, sharing

OF_CARD = (
    "name",
    "description",
    "notice",
    "classes",
    "exclusive",
    "thresholds",
    "threshold_from",
    "min_size",
    "preparation",
    "sha256",
    "network",
    "parameters",
    "licence",
)
"""Of a model's card: what `/v1/models` says."""

CODES = {404: "not_found", 405: "wrong_method"}
"""Of what the framework itself answers."""


class Service:
    """The application with what it holds. Raises ValueError for two models of one name."""

    def __init__(
        self,
        segmenters: list[Segmenter],
        limits: ServiceLimits,
        access: Access,
        *,
        log_names: bool = False,
        on_request: Callable[[str], None] | None = None,
    ) -> None:
        by_name = {each.card.name: each for each in sharing(segmenters)}
        if len(by_name) < len(segmenters):
            raise ValueError("two models have one name")
        self.limits = limits
        self.places, self.lanes = Places(limits), Lanes(limits)
        self._observed = Observed(self.places, on_request)
        self._segmenting = Segmenting(by_name, limits, self.places, self.lanes, log_names)
        self.app = self._guarded(access)

    def _guarded(self, access: Access) -> ASGIApp:
        inner = FastAPI(
            title="foveate",
            version=version("foveate"),
            description=documented.ABOUT,
            docs_url=None,
            redoc_url=None,
        )
        _add_problems(inner)
        _add_segment(inner, self._segmenting)
        _add_state(inner, self._segmenting, self._observed)
        _add_pages(inner)
        paths = frozenset({*inner.openapi()["paths"], "/", "/docs", "/openapi.json"})
        return Guard(inner, access, self.limits, self._observed, paths)


def _add_problems(app: FastAPI) -> None:
    """What goes wrong inside the framework has the form of everything else that does."""

    async def told(request: Request, error: Exception) -> Response:
        response = problem_response(_problem_of(error), request.state.line)
        if isinstance(error, HTTPException):
            response.headers.update(error.headers or {})  # which methods an address has
        return response

    for kind in (ServiceError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, told)


def _problem_of(error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return ServiceError("bad_parameter", f"{'.'.join(str(part) for part in first['loc'][1:])}: {first['msg']}.")
    if isinstance(error, HTTPException):
        return ServiceError(CODES.get(error.status_code, "bad_request"), f"{error.detail}.")
    return ServiceError("failed", "the service failed.")


def _add_segment(app: FastAPI, segmenting: Segmenting) -> None:
    @app.post(
        "/v1/segment",
        summary="Segment images",
        description=documented.SEGMENT,
        response_class=Response,
        responses={200: documented.ANSWER, **documented.problems(400, 401, 403, 408, 413, 415, 422, 500, 503, 504)},
        openapi_extra={"requestBody": documented.BODY, "x-codeSamples": documented.EXAMPLES},
    )
    async def segment(
        request: Request,
        model: Annotated[str | None, Query(description="A name of /v1/models; the first, if left out.")] = None,
        outputs: Annotated[
            Literal["mask", "probability", "overlay", "json", "zip"],
            Query(description="What the answer is: one of them."),
        ] = "mask",
        include: Annotated[
            str,
            Query(
                description="Of json, zip: mask, probability, overlay, fov, photograph, by commas; zip has mask always."
            ),
        ] = "",
        of_class: Annotated[
            str | None, Query(alias="class", description="Of a model of several classes: whose mask or probability.")
        ] = None,
        threshold: Annotated[
            list[float] | None,
            Query(description="In place of the model's: 0 to 1, one for each class that may overlap others, else one."),
        ] = None,
    ) -> Response:
        return await segmenting.respond(request, SegmentQuery(model, outputs, include, of_class, threshold))


def _add_state(app: FastAPI, segmenting: Segmenting, observed: Observed) -> None:
    @app.get("/v1/models", summary="The models, by their cards", responses=documented.problems(401, 403))
    async def models() -> list[dict[str, Any]]:
        return [card_of(each) for each in segmenting.segmenters.values()]

    @app.get("/healthz", summary="Whether the process answers", responses=documented.problems(403))
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/readyz", summary="Whether it takes requests, and within which limits", responses=documented.problems(403, 503)
    )
    async def readyz() -> dict[str, Any]:
        if segmenting.places.stopping:
            raise ServiceError("stopping", "the service is being stopped.", retry_after=10)
        return state_of(segmenting.segmenters, segmenting.limits, segmenting.places)

    @app.get(
        "/metrics",
        summary="Numbers for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}, **documented.problems(401, 403)},
    )
    async def metrics() -> Response:
        return Response(observed.metrics(), headers={"Content-Type": TYPE})


def card_of(segmenter: Segmenter) -> dict[str, Any]:
    """Of a model's card, what `OF_CARD` names."""
    told: dict[str, Any] = msgspec.to_builtins(segmenter.card)
    return {name: told[name] for name in OF_CARD}


def state_of(segmenters: Mapping[str, Segmenter], limits: ServiceLimits, places: Places) -> dict[str, Any]:
    """Versions, models, what runs them, the limits, and how much of the last two is in use."""
    return {
        "status": "ready",
        "version": version("foveate"),
        "models": {
            name: {"sha256": each.card.sha256, "execution": asdict(each.session.execution)}
            for name, each in segmenters.items()
        },
        "limits": {row.name: {"value": row.value, "unit": row.unit, "meaning": row.meaning} for row in rows(limits)},
        "in_use": {"queue": places.taken, "held_bytes": places.held},
    }


def _add_pages(app: FastAPI) -> None:
    static = static_files()

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return index_response(static)

    @app.get("/static/{path:path}", include_in_schema=False)
    async def file(path: str) -> Response:
        return static_response(static, path)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return docs_response(app.openapi())
