"""A call's share of the work, for many calls that know nothing of each other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foveate.errors import UsageError

if TYPE_CHECKING:
    from foveate.inference.source import SourceItem


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several shares."""

    number: int
    """From 1."""
    count: int

    @classmethod
    def of(cls, text: str | None) -> Shard:
        """Of "3/10", the third of ten; None is all of it. Raises UsageError."""
        if text is None:
            return cls(1, 1)
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
        number, count = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= count:
            raise UsageError(f"--shard {text}: is no share of the work. Write 3/10 for the third of ten.")
        return cls(number, count)

    @property
    def part(self) -> str:
        """Of the record at an address."""
        return "all" if self.count == 1 else f"{self.number}-of-{self.count}"

    def share(self, items: Sequence[SourceItem]) -> list[SourceItem]:
        """The items whose keys fall to it: the same ones, whatever others are there."""
        return [item for item in items if _number(item.key) % self.count == self.number - 1]


def _number(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()[:8], "big")
