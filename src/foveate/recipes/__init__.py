"""Recipes: one TOML per experiment, a schema that knows every key, overrides from the command line."""
