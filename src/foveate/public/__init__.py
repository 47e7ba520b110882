"""What a command does, as a function in the command's own words: one file for each, imported on demand by `foveate`.

The functions raise `foveate.errors.FoveateError`s, print nothing, and tell of their progress by a callback.
"""
