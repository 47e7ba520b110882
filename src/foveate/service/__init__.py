"""An HTTP service that segments what it is sent: `foveate serve`. Uploads live in memory, and nothing is written.

`app` has the addresses, `guard` stands before them, `server` listens. A request takes a place (`places`), is read
(`upload`), segmented in threads (`work`), and answered (`answers`). What it may ask for stands in `limits`.
"""
