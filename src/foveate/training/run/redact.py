"""Keep what is secret on a command line, or in an address, out of every file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

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
    return [without_secrets(each) for each in facts] if isinstance(facts, list | tuple) else facts
