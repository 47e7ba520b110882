"""A run as its folder has it: files, progress, provenance, reports. Imports no other room."""
