"""What a run's numbers depend on besides its recipe: program, versions, machine, and the weights it began with."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

from foveate.training.run.folder import FACTS, load_facts

RECORDED = ("foveate", "kornia", "lightning-fabric", "monai", "numpy", "pillow", "torch")


def versions() -> dict[str, str]:
    """Of Python and of every package that computes, by name."""
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in RECORDED}


def hardware(device: torch.device) -> dict[str, Any]:
    """The machine: system, processor, cores, GiB of memory, and the GPU if it trains there."""
    found: dict[str, Any] = {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
    }
    if device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
    return found


def source_commit() -> str:
    """The commit of the checkout that runs, '+' when it has changes; 'release' for an installed package."""
    here = Path(__file__).resolve().parents[2]  # the package
    if not (here.parents[1] / ".git").exists():
        return "release"
    git = ["git", "-C", str(here)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
        changed = subprocess.run([*git, "status", "--porcelain", "."], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "release"
    return commit.strip() + ("+" if changed.stdout.strip() else "")


def origin(path: Path) -> dict[str, Any]:
    """Where initial weights come from: the file, and the run that made it if its facts lie beside it."""
    found: dict[str, Any] = {"file": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    if (path.parent / FACTS).is_file():
        facts = load_facts(path.parent)
        found |= {key: facts[key] for key in ("command", "source_commit", "data", "resumed", "initial") if key in facts}
    return found


def _processor() -> str:
    """The model's name where the system tells it, else the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _memory_gib() -> float | None:
    """None where the system doesn't say."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, OSError, ValueError):
        return None
