"""Building blocks that systems share, each citing its source."""
