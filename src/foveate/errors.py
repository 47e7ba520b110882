"""What can go wrong, said for people.

FoveateError
├── UsageError      the call itself is wrong: no such file, unknown name, bad option (exit status 2)
│   └── RecipeError     a recipe has an unknown key or a value out of range
├── ImageError      an image can't be read as one
├── OutputError     a result can't be written
├── ModelError      a model file or its card can't be trusted or run
├── DataError       a data set is not what its adapter expects
├── ServerError     a server doesn't answer, or not as it should
└── TrainingError   a training run can't start or go on

A message says which file or key, what was found, and what to do next, in one line.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Any


class FoveateError(Exception):
    """Base of every error that foveate raises for a cause outside its own code."""


class UsageError(FoveateError):
    """The call itself is wrong; nothing was done."""


class RecipeError(UsageError):
    """A recipe has an unknown key or a value that its schema refuses."""


class ImageError(FoveateError):
    """An image can't be read, or can't be read as an image."""


class OutputError(FoveateError):
    """A result can't be written where it was asked for."""


class ModelError(FoveateError):
    """A model file or its card is missing, damaged or doesn't fit."""


class DataError(FoveateError):
    """A data set is not what its adapter expects."""


class ServerError(FoveateError):
    """A server can't be reached, refuses, or doesn't answer as one of its kind."""


class TrainingError(FoveateError):
    """A training run can't start or can't go on."""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The sentence for an unknown name: the nearest valid one if there is any, then all valid ones."""
    import difflib

    valid = sorted(known)
    nearest = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    guess = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return f"unknown {kind} '{name}'.{guess} Valid: {', '.join(valid)}."


def install_line(extra: str) -> str:
    """The command that adds an extra, such as 'train', to foveate as it is installed here.

    The package need not be on an index: it may come from a checkout, a wheel or a repository, which pip has noted.
    """
    import json
    import shlex
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        noted = distribution("foveate").read_text("direct_url.json")
    except PackageNotFoundError:
        return f"pip install '.[{extra}]' in a checkout of foveate"
    origin = json.loads(noted or "{}")
    source, editable = _source(origin, extra), origin.get("dir_info", {}).get("editable")
    return f"pip install {'-e ' if editable else ''}{shlex.quote(source)}"


PACKAGES = {"skimage": "scikit-image", "lightning_fabric": "lightning-fabric", "PIL": "pillow"}
"""Names of packages that are imported by another."""


@contextmanager
def needs(extra: str, what: str = "this") -> Iterator[None]:
    """Around the import, or the work, of a part that the base install can't run, such as 'measuring'.

    Raises UsageError, which names the missing package and what brings it. A missing part of foveate is left alone.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module in ("", "foveate"):
            raise
        raise UsageError(
            f"{what} needs {PACKAGES.get(module, module)}, which is not installed: {install_line(extra)}"
        ) from error


@contextmanager
def named(name: str) -> Iterator[None]:
    """Around the reading of an image: what is wrong inside is said with its name.

    Raises ImageError and UsageError as they come, ServerError too, and ImageError where memory doesn't suffice.
    """
    try:
        yield
    except (ImageError, UsageError, ServerError) as error:
        raise type(error)(f"{name}: {error}") from error
    except MemoryError as error:
        raise ImageError(f"{name}: needs more memory than there is; crop or shrink it first") from error


@contextmanager
def named_as_data(path: Path | str) -> Iterator[None]:
    """As `named`, around the reading of a data set's file, whose faults are the set's: raises DataError."""
    try:
        yield
    except (ImageError, UsageError) as error:
        raise DataError(f"{path}: {error}") from error
    except MemoryError as error:
        raise DataError(f"{path}: needs more memory than there is") from error


def _source(origin: dict[str, Any], extra: str) -> str:
    """What pip is given: the folder or file of `direct_url.json` (PEP 610), its address, or the name on an index."""
    from pathlib import Path
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    if "url" not in origin:
        return f"foveate[{extra}]"
    address = urlsplit(origin["url"])
    if address.scheme == "file" and "vcs_info" not in origin:
        return f"{Path(url2pathname(address.path))}[{extra}]"
    kind = f"{origin['vcs_info']['vcs']}+" if "vcs_info" in origin else ""
    return f"foveate[{extra}] @ {kind}{origin['url']}"
