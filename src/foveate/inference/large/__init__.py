"""Images that are too large to be held: read, prepared, decided and written some rows at a time.

`limits` says from which size on, `source` opens them, `strips` brings them through the network and back, `tiles` runs one
that works at the photograph's own size, `runs` cleans masks up, and `result` writes what came of it.
"""
