"""From data and hours to a recipe with its reasons: `foveate train auto`."""
