"""What the mean focal loss of a prediction is that knows nothing: probability ½ everywhere.

A pixel's focal loss is −α_t (1 − p_t)^γ log p_t, with α for foreground and 1 − α for background, p_t being the
probability of what the pixel is (Lin et al. 2017, eq. 5). Where p_t is ½ it depends on nothing else than α_t.
"""

from __future__ import annotations

import math

ALPHA, GAMMA = 0.25, 2.0
"""The usual ones, the best of Lin et al. (their table 1b)."""


def knowing_nothing(*, balanced: bool = True) -> tuple[float, float]:
    """Least and most of the mean over pixels, whatever the share of foreground; without α where not `balanced`."""
    one = 0.5**GAMMA * math.log(2)
    return (min(ALPHA, 1 - ALPHA) * one, max(ALPHA, 1 - ALPHA) * one) if balanced else (one, one)
