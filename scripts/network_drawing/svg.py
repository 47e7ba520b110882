"""A network as a drawing: one box for each block, one arrow for each input, a row for each size of map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from foveate.networks.registry.catalogue import HEIGHT, IMAGE, WIDTH, Block, NetworkDescription, in_channels_of
from network_drawing.layout import LABELS, MARGIN, Box, Layout, Point, Row, lay_out

KINDS = {
    "Convolutions": ("#56b4e9", "3×3 convolutions"),
    "SeparableBlock": ("#56b4e9", "separable 3×3 convolutions"),
    "ShortcutBlock": ("#56b4e9", "3×3 convolutions with a shortcut"),
    "ModifiedResidualBlock": ("#56b4e9", "3×3 convolutions with a shortcut"),
    "residual stage": ("#0072b2", "stage of residual blocks"),
    "ConvTranspose2d": ("#e69f00", "up: 2×2 transposed convolution"),
    "Conv2d": ("#f0e442", "one convolution"),
    "AdditiveGate": ("#009e73", "additive attention gate"),
    "InverseAdditionAttention": ("#009e73", "inverse addition attention"),
    "SpatialAttention": ("#009e73", "spatial attention"),
    "ChannelAttention": ("#cc79a7", "channel attention"),
    "SelfAttention": ("#cc79a7", "self-attention"),
    "SequenceFusion": ("#009e73", "ConvLSTM"),
    "FeatureAggregation": ("#009e73", "feature aggregation"),
}
"""Kind to words and to a colour of Okabe and Ito's palette, made for all kinds of colour vision.

No network has two kinds of one colour.
"""

DARK = ("#0072b2",)
"""Colours that want white letters."""

OTHER = "#d0d4da"
"""A kind that has no colour of its own."""

LINE, LINE_UP = "#56606c", "#a66f00"
"""An arrow; one that comes from a transposed convolution."""

FONT = 'font-family="DejaVu Sans, Verdana, Helvetica, Arial, sans-serif" font-size="11" fill="#1c2126"'

CORNER = 5
"""Pixels: the radius of an arrow's bends."""

LETTER = 6.6
"""Pixels: about the width of a letter of 11 pixels' height."""


def to_svg(name: str, facts: NetworkDescription) -> str:
    """The drawing of a network with its default options, as the text of an SVG file: the same facts, the same text."""
    channels = in_channels_of(facts.options)
    layout = lay_out(facts.blocks, height=HEIGHT, width=WIDTH)
    legend, bottom = _legend(facts.blocks, layout)
    counts = facts.counts[""]
    parameters = f"{counts.parameters:,}".replace(",", "\N{NO-BREAK SPACE}")
    caption = f"{name}: {parameters} parameters, {counts.gmacs:.2f} GMACs for one image of {channels}×{HEIGHT}×{WIDTH}"
    width, height = f"{layout.width:g}", f"{bottom + 26:g}"
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {FONT}>',
        f"<title>{escape(caption)}</title>",
        f"<defs>{_arrowhead('head', LINE)}{_arrowhead('head-up', LINE_UP)}</defs>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *(_row(row, layout.width) for row in layout.rows[::2]),
        *(_label(row) for row in layout.rows),
        *_arrows(facts.blocks, layout),
        _image(layout.boxes[IMAGE], channels),
        *(_block(block, layout.boxes[place]) for place, block in enumerate(facts.blocks)),
        *legend,
        f'<text class="caption" x="{MARGIN}" y="{bottom + 12:g}" font-weight="bold">{escape(caption)}</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _arrowhead(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
        f'<path d="M0,0 L6,3 L0,6 Z" fill="{colour}"/></marker>'
    )


def _row(row: Row, width: float) -> str:
    return f'<rect y="{row.top:g}" width="{width:g}" height="{row.bottom - row.top:g}" fill="#f3f5f7"/>'


def _label(row: Row) -> str:
    size = f"{row.height}²" if row.height == row.width else f"{row.height}×{row.width}"
    return f'<text class="size" x="{LABELS - 12}" y="{row.middle + 4:g}" text-anchor="end" fill="#56606c">{size}</text>'


def _arrows(blocks: Sequence[Block], layout: Layout) -> Iterator[str]:
    for (source, target), corners in layout.arrows.items():
        up = source != IMAGE and blocks[source].kind == "ConvTranspose2d"
        colour, head = (LINE_UP, "head-up") if up else (LINE, "head")
        yield (
            f'<path class="arrow" data-from="{source}" data-to="{target}" d="{_rounded(corners)}" fill="none"'
            f' stroke="{colour}" stroke-width="1.2" marker-end="url(#{head})"/>'
        )


def _rounded(corners: Sequence[Point]) -> str:
    """A line through the corners, bent where it turns."""
    path = f"M{_pair(corners[0])}"
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        path += f" L{_pair(_towards(corner, before))} Q{_pair(corner)} {_pair(_towards(corner, after))}"
    return f"{path} L{_pair(corners[-1])}"


def _towards(corner: Point, other: Point) -> Point:
    """A corner's radius from the corner, or half-way where that is nearer."""
    across, down = other[0] - corner[0], other[1] - corner[1]
    share = min(CORNER / max(abs(across), abs(down), 1), 0.5)
    return corner[0] + share * across, corner[1] + share * down


def _pair(point: Point) -> str:
    return f"{round(point[0], 1):g},{round(point[1], 1):g}"


def _image(box: Box, channels: int) -> str:
    return (
        f'<g class="image"><title>image, {channels}×{HEIGHT}×{WIDTH}</title>'
        f"{_rectangle(box, '#ffffff', dashed=True)}{_text(box, 'image', size=10)}</g>"
    )


def _block(block: Block, box: Box) -> str:
    title = f"{block.name}: {block.kind}, {block.channels}×{block.height}×{block.width}"
    colour, _ = KINDS.get(block.kind, (OTHER, ""))
    text = _text(box, str(block.channels), white=colour in DARK)
    return f'<g class="block"><title>{escape(title)}</title>{_rectangle(box, colour)}{text}</g>'


def _rectangle(box: Box, colour: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="3 2"' if dashed else ""
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="4" fill="{colour}"'
        f' stroke="#1c2126" stroke-width="0.8"{dashes}/>'
    )


def _text(box: Box, text: str, *, size: int = 11, white: bool = False) -> str:
    colour = ' fill="#ffffff"' if white else ""
    return (
        f'<text x="{box.x + box.width / 2:g}" y="{box.middle + 4:g}" text-anchor="middle" font-size="{size}"{colour}>'
        f"{escape(text)}</text>"
    )


def _legend(blocks: Sequence[Block], layout: Layout) -> tuple[list[str], float]:
    """What the colours of these blocks mean, in lines as wide as the drawing, and how far down it goes."""
    x, y = float(MARGIN), layout.height + 14
    lines = []
    for kind in dict.fromkeys(block.kind for block in blocks):
        colour, words = KINDS.get(kind, (OTHER, kind))
        width = 20 + LETTER * len(words)
        if x + width > layout.width - MARGIN and x > MARGIN:
            x, y = float(MARGIN), y + 18
        swatch, text = (
            _rectangle(Box(x, y, 13, 11), colour),
            f'<text x="{x + 18:g}" y="{y + 10:g}">{escape(words)}</text>',
        )
        lines.append(f'<g class="legend">{swatch}{text}</g>')
        x += width + 16
    return lines, y + 22
