"""The console that tables and progress bars are drawn on; imported only where one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from foveate.cli.console import visible

if TYPE_CHECKING:
    from rich.text import Text


class RichConsole(Console):
    """Shows the characters that would drive the terminal in every text that is handed to it."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Text of a string, by the markup and options of the call."""
        return super().render_str(visible(text), **options)
