"""Training: from data sets and a recipe to weights; what stands over all rooms is here, `start`, `loop` and `keep`."""
