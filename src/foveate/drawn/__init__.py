"""Drawn eyes: fundus photographs of nobody, whose true vessels are known exactly.

`trunks` places the landmarks and the large vessels, `tree` grows the others from them, `painting` puts them on pixels,
`fundus` makes the photograph, and `cases` lists such photographs and writes them as files.
"""

from foveate.drawn.fundus import Fundus, draw

__all__ = ["Fundus", "draw"]
