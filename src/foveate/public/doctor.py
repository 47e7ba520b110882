"""`foveate.doctor`."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING

from foveate.errors import FoveateError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One thing that was looked at."""

    about: str
    """Of what kind it is: system, package, backend, choice, model, cache."""
    name: str
    text: str
    """What was found. No path, and nothing that tells who or where somebody is."""
    wrong: bool = False


def doctor() -> list[DoctorFinding]:
    """What foveate finds here: versions, extras, backends and which of them would run, shipped models, caches.

    Nothing is changed and nobody is asked. A finding is `wrong` where a part that is needed is missing or damaged.
    """
    return [*_system(), *_packages(), *_backends(), *_choices(), *_models(), *_caches()]


def _system() -> Iterator[DoctorFinding]:
    yield DoctorFinding("system", "foveate", metadata.version("foveate"))
    yield DoctorFinding("system", "Python", f"{platform.python_version()} ({platform.python_implementation()})")
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{_memory()}"
    yield DoctorFinding("system", "machine", machine)


def _memory() -> str:
    try:
        return f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
    except (AttributeError, OSError, ValueError):  # as on Windows
        return ""


def _packages() -> Iterator[DoctorFinding]:
    """Those of the base install, then of each extra; for developing alone is nobody asked."""
    needed: dict[str, list[str]] = {}
    for requirement in metadata.requires("foveate") or ():
        marked = re.search(r"extra == ['\"]([\w.-]+)['\"]", requirement)
        package = re.sub(r"[^\w.-].*", "", requirement)
        needed.setdefault(marked[1] if marked else "", []).append(package)
    needed.pop("dev", None)
    for extra, names in sorted(needed.items()):
        versions = {name: _version(name) for name in names}
        missing = [name for name, version in versions.items() if version is None]
        there = ", ".join(f"{name} {version}" for name, version in versions.items() if version is not None)
        if not extra:
            lacking = f"; missing: {', '.join(missing)}. Install foveate again" if missing else ""
            yield DoctorFinding("package", "base", f"{there}{lacking}", wrong=bool(missing))
        elif missing:
            yield DoctorFinding("package", f"extra {extra}", f"not installed; missing: {', '.join(missing)}")
        else:
            yield DoctorFinding("package", f"extra {extra}", there)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _backends() -> Iterator[DoctorFinding]:
    from foveate.runtime.here import executions_here

    for execution in executions_here():
        flags = f"--backend {execution.backend} --device {execution.device} --precision {execution.precision}"
        yield DoctorFinding("backend", str(execution), flags)
    if find_spec("torch"):
        from foveate.training.processes.place import chosen_device

        device = chosen_device("auto").type
        flags = f"--backend torch --device {device}, for the weights of runs; training is on it, too"
        yield DoctorFinding("backend", f"PyTorch, {device}", flags)


def _choices() -> Iterator[DoctorFinding]:
    from foveate.runtime import Wish, chosen
    from foveate.runtime.opened import MANY

    for count, of_what in ((1, "one photograph"), (MANY, f"{MANY} photographs and more")):
        yield DoctorFinding("choice", of_what, str(chosen(Wish(), images=count)))


def _models() -> Iterator[DoctorFinding]:
    from foveate.models import open_model, shipped

    for name in sorted(shipped()):
        try:
            card = open_model(name).card
        except FoveateError as error:
            yield DoctorFinding("model", name, str(error), wrong=True)
        else:
            yield DoctorFinding("model", name, f"SHA-256 {card.sha256}, as its card says")


def _caches() -> Iterator[DoctorFinding]:
    yield DoctorFinding("cache", "segmenting", "none: nothing is kept between calls")
    where = "the hub's own: $HF_HOME, or ~/.cache/huggingface"
    yield DoctorFinding("cache", "pretrained encoders", f"{where}; only for recipes with encoder_weights")
