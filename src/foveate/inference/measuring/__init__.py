"""Photographs and masks to measures: one, a list, a folder. Needs the extra `evaluate`."""
