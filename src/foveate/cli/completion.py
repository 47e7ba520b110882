"""What the tab key offers as values: names that foveate knows. Choices, options and files the shell's part offers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Completion = Callable[[str], list[str]]


def _models() -> Iterable[str]:
    from foveate.models import shipped

    return shipped()


def _recipes() -> Iterable[str]:
    from foveate.recipes.read import shipped

    return shipped()


def _networks() -> Iterable[str]:
    from foveate.networks.registry import NETWORKS

    return NETWORKS


def _sets() -> Iterable[str]:
    from foveate.datasets import SETS

    return SETS


NAMES: dict[str, Callable[[], Iterable[str]]] = {
    "attention weights": _models,
    "compare models": _models,
    "cross weights": _models,
    "data info name": _sets,
    "evaluate weights": _models,
    "export run": _models,
    "measure model": _models,
    "networks name": _networks,
    "page model": _models,
    "recipes copy name": _recipes,
    "recipes show name": _recipes,
    "report weights": _models,
    "segment model": _models,
    "serve model": _models,
    "sweep initial": _models,
    "train initial": _models,
    "train recipe": _recipes,
}
"""Command and parameter to what names there are."""


def completion_of(command: str, parameter: str) -> Completion | None:
    """What Typer asks for the words that begin so; None where there are no names to offer."""
    names = NAMES.get(f"{command} {parameter}")
    return None if names is None else lambda incomplete: [name for name in names() if name.startswith(incomplete)]
