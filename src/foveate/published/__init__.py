"""What papers printed of their scores, how many pixels the public sets have, and whether a printed row can be true."""

from foveate.published.rows import Row, rows

__all__ = ["Row", "rows"]
