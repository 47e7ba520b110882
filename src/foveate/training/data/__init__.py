"""From data sets to crops: reading, keeping, sampling, augmenting, normalising. Imports `run` and `processes`."""
