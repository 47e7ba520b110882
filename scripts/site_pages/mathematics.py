"""A Sphinx extension: formulas become MathML, which browsers draw by themselves, so that nothing is fetched."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

BY_HAND = re.compile(r"\\(?:[bB]igg?[lrm]?|textstyle)(?![a-zA-Z])")
"""Sizes that LaTeX is told by hand; in MathML brackets stretch by themselves."""


def setup(app: Any) -> dict[str, bool]:
    """As Sphinx calls it."""
    app.add_html_math_renderer("mathml", (inline, None), (displayed, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inline(translator: Any, node: nodes.Element) -> None:
    """A formula in a line of text."""
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def displayed(translator: Any, node: nodes.Element) -> None:
    """A formula of its own, which may be wider than the page."""
    translator.body.append(f'<div class="formula">{mathml(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode


def mathml(formula: str, *, block: bool = False) -> str:
    """The formula in LaTeX's words as MathML. Raises docutils' MathError for what it doesn't know."""
    return str(tex2mathml(BY_HAND.sub("", formula), as_block=block))
