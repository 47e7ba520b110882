"""The page on which photographs are dropped: its files, and how they become one that needs no server."""
