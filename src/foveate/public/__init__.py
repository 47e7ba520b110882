"""The public layer: what a command does, as a typed function in the command's own words, one file for each."""
