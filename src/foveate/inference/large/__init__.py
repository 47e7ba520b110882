"""Images that are too large to be held: read, prepared, decided and written some rows at a time.

`limits` says from which size on, `source` opens them, `step` looks at one, `strips` brings it through the network and
back, `tiles` runs a network that works at the photograph's own size, `runs` cleans masks up, and `result` writes what
came of it.
"""
