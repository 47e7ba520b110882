"""Agreement of a binary mask, or of a probability map, with the truth: arrays in, numbers out.

A value that is 0/0 is None: never 0, 1 or NaN.
"""

from foveate.metrics.counts import Confusion, count
from foveate.metrics.curves import Histogram
from foveate.metrics.rates import Rates, rates

__all__ = ["Confusion", "Histogram", "Rates", "count", "rates"]
