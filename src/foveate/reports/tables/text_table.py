"""A table as text in the forms that papers and spreadsheets take, with what must stand under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INDENT = "  "
"""Before what else is said of the model above."""

TableRow = Sequence[str]


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table in parts that are set apart from each other, and what must stand under it."""

    title: str
    header: TableRow
    parts: tuple[tuple[TableRow, ...], ...]
    notes: tuple[str, ...]


def markdown(table: TextTable) -> str:
    """A table as GitHub draws them, and the notes as a list."""

    def line(cells: TableRow) -> str:
        return "| " + " | ".join(cell.strip().replace("|", "\\|") for cell in cells) + " |"

    align = ["---", *["---:"] * (len(table.header) - 1)]
    rows = [line(row) for part in table.parts for row in part]
    notes = [f"- {note}" for note in table.notes]
    return "\n".join([f"**{table.title}**", "", line(table.header), line(align), *rows, "", *notes]) + "\n"


def latex(table: TextTable) -> str:
    """A `table` with `booktabs` rules, to be read by LaTeX as it is; the notes stand under the rules."""
    columns = "l" + "r" * (len(table.header) - 1)
    parts = ["\n".join(_latex_row(row) for row in part) for part in table.parts]
    notes = "\n".join(f"\\par {_escaped(note)}" for note in table.notes)
    return (
        "% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n"
        f"\\caption{{{_escaped(table.title)}}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n{_latex_row(table.header)}\n"
        f"\\midrule\n" + "\n\\midrule\n".join(parts) + "\n\\bottomrule\n\\end{tabular}\n"
        f"\\par\\medskip\\footnotesize\\raggedright\n{notes}\n\\end{{table}}\n"
    )


def _latex_row(row: TableRow) -> str:
    return " & ".join(("\\quad " if cell.startswith(INDENT) else "") + _escaped(cell.strip()) for cell in row) + r" \\"


def _escaped(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$"}
    special |= {"–": "--", "×": r"$\times$", "±": r"$\pm$"} | {character: f"\\{character}" for character in "&%$#_{}"}
    return "".join(special.get(letter, letter) for letter in text)
