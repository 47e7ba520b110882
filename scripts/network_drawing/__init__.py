"""Drawings of networks for docs/networks: where boxes and arrows lie (`layout`), and their SVG (`svg`)."""
