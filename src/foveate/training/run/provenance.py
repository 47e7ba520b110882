"""What a run's numbers depend on besides its recipe: command, program, versions, machine; and no secret among it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

RECORDED = ("foveate", "kornia", "lightning-fabric", "numpy", "pillow", "torch")


def versions() -> dict[str, str]:
    """Of Python and of every package that computes, by name."""
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in RECORDED}


def hardware(device: torch.device) -> dict[str, Any]:
    """The machine: system, processor, cores, GiB of memory, and the GPU if it trains there."""
    facts: dict[str, Any] = {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
    }
    if device.type == "cuda":
        import torch

        facts["gpu"] = torch.cuda.get_device_name(device)
    return facts


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


HIDDEN = "***"

IN_AN_ADDRESS = re.compile(r"(://[^\s:/@]*:)\S*@")
"""What stands between a user's name and the last @: a password may hold all but blanks."""

USER_OF_A_SITE = re.compile(r"(https?://)[^\s/@:]+@")
"""Often a key."""

NAMED = re.compile(
    r"([\w-]*(?:passw(?:or)?d|passphrase|pwd|token|secret|api[-_]?key|access[-_]?key|credential)[\w-]*\s*[=:]\s*)"
    r"[^\s&;,]+",
    re.IGNORECASE,
)
"""password=… and the like, as in the query of an address."""

KNOWN = re.compile(
    r"\b(?:hf_\w{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|dapi[0-9a-f]{16,}|sk-[\w-]{16,}"
    r"|AKIA[0-9A-Z]{12,}|xox[a-z]-[\w-]{10,}|eyJ[\w-]+\.[\w-]+\.[\w-]*)"
)
"""Keys that tell by their form what they open: of model hubs, code hosts, clouds, and signed web tokens."""


def redacted(text: str) -> str:
    """A text with *** for every password in an address, every value that is named as a secret, and every known key."""
    text = IN_AN_ADDRESS.sub(rf"\g<1>{HIDDEN}@", text)
    text = USER_OF_A_SITE.sub(rf"\g<1>{HIDDEN}@", text)
    text = NAMED.sub(rf"\g<1>{HIDDEN}", text)
    return KNOWN.sub(HIDDEN, text)


def command_line(words: Sequence[str]) -> str:
    """A call of `foveate` as a shell takes it, without secrets; the word behind an option named as one is one."""
    shown = [redacted(word) for word in words]
    for number, word in enumerate(words[:-1]):
        if word.startswith("-") and "=" not in word and NAMED.fullmatch(f"{word}=x"):
            shown[number + 1] = HIDDEN
    return shlex.join(["foveate", *shown])


def without_secrets(facts: Any) -> Any:
    """A run's facts with every command in them redacted, those of the runs that it began with, too."""
    if isinstance(facts, dict):
        return {
            key: redacted(value) if key == "command" and isinstance(value, str) else without_secrets(value)
            for key, value in facts.items()
        }
    return [without_secrets(item) for item in facts] if isinstance(facts, list | tuple) else facts
