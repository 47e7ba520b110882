"""Sweeps: one TOML per study over recipe keys; trials shared between processes, each made of ordinary runs."""
