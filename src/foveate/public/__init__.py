"""What the commands do, as functions in the commands' own words; `foveate` has them under their names."""
