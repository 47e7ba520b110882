"""Rewrite reliability.json and the generated tables of docs/measures.md:
python scripts/write_measures.py observed.json

`observed.json` is what observe_measures.py writes. Without it the tables of the data dictionary alone are rewritten.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from generated import with_generated
from numpy.typing import NDArray

from foveate.imaging import write_text
from foveate.morphometry.dictionary import (
    EQUIVALENTS,
    IMAGE,
    REGION_ROWS,
    REGIONS,
    SEGMENTS,
    VESSELS,
    Quantity,
)
from foveate.morphometry.trust import RULES, SHIFTED

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "measures.md"
RELIABILITY = ROOT / "src" / "foveate" / "morphometry" / "reliability.json"
SETS = ("drive", "chase_db1", "stare")
AGREEMENT = 0.6
LEVEL = 0.95

Table = NDArray[np.float64]
Cases = Sequence[dict[str, Any]]


def dictionary_tables() -> dict[str, str]:
    """Marker to table."""
    tables = {"image": IMAGE, "vessels": VESSELS, "arteries-veins": EQUIVALENTS, "regions": REGIONS}
    tables |= {"segments": SEGMENTS, "region-rows": REGION_ROWS}
    rules = "".join(f"- `{flag}`: {rule}\n" for flag, rule in RULES.items())
    return {name: _dictionary(measures) for name, measures in tables.items()} | {"rules": rules}


def _dictionary(measures: Sequence[Quantity]) -> str:
    lines = ["| column | definition | source |", "| --- | --- | --- |"]
    lines += [
        f"| `{each.column('px')}` | {each.definition.replace('|', '&#124;')} | {each.source} |" for each in measures
    ]
    return "\n".join(lines) + "\n"


def icc(values: Table) -> float:
    """ICC(2,1) of n images by k observers: Shrout and Fleiss, Psychological Bulletin 86(2), 1979."""
    n, k = values.shape
    mean, rows, columns = values.mean(), values.mean(axis=1), values.mean(axis=0)
    between = k * ((rows - mean) ** 2).sum() / (n - 1)
    observers = n * ((columns - mean) ** 2).sum() / (k - 1)
    error = ((values - rows[:, None] - columns + mean) ** 2).sum() / ((n - 1) * (k - 1))
    return float((between - error) / (between + (k - 1) * error + k * (observers - error) / n))


def bias(values: Table) -> float:
    """How much larger the second column's mean is than the first's, as a share of that."""
    return float(values[:, 1].mean() / values[:, 0].mean() - 1)


def pairs(cases: Cases, name: str, one: str, other: str) -> Table:
    """The values of one measure by two observers, images where both are defined (n×2)."""
    found = np.array([[case[one][name], case[other][name]] for case in cases], np.float64).reshape(-1, 2)
    return found[np.isfinite(found).all(axis=1)]


def agreement_table(cases: Cases, one: str, other: str) -> str:
    """ICC and bias of each measure on each set, with bootstrap intervals over images."""
    lines = ["| measure | " + " | ".join(f"{name}: ICC | bias" for name in SETS) + " |", "| --- |" + " --- |" * 6]
    for measure in measured(cases):
        cells = []
        for number, name in enumerate(SETS):
            values = pairs([case for case in cases if case["set"] == name], measure, one, other)
            random = np.random.default_rng(number)
            draws = [values[random.integers(0, len(values), len(values))] for _ in range(500)]
            cells += [_with_interval(icc, values, draws, "{:.2f}"), _with_interval(bias, values, draws, "{:+.1%}")]
        lines.append(f"| `{measure}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _with_interval(statistic: Any, values: Table, draws: Sequence[Table], form: str) -> str:
    low, high = np.nanpercentile([statistic(draw) for draw in draws], (2.5, 97.5))
    return f"{form.format(statistic(values))} ({form.format(low)} to {form.format(high)})"


def measured(cases: Cases) -> list[str]:
    """The measures that are defined somewhere."""
    return [name for name in cases[0]["first"] if any(math.isfinite(case["first"][name]) for case in cases)]


def outside(case: dict[str, Any], name: str, observer: str) -> float:
    """By which share an observer's value lies outside the model's interval; 0 inside."""
    own = [float(case[who][name]) for who in ("model", *map(str, SHIFTED))]
    value = float(case[observer][name])
    if not all(math.isfinite(each) and each > 0 for each in (*own, value)):
        return math.nan
    return max(value / max(own), min(own) / value, 1.0) - 1


def margins(cases: Cases) -> dict[str, float]:
    """Measure to what widens its interval so that it holds both observers' values in LEVEL of these cases."""
    found = {}
    for name in measured(cases):
        far = np.array([outside(case, name, observer) for case in cases for observer in ("first", "second")])
        far = np.sort(far[np.isfinite(far)])
        if len(far):
            found[name] = round(float(far[min(math.ceil(LEVEL * (len(far) + 1)), len(far)) - 1]), 4)
    return found


def coverage_table(cases: Cases, widened: dict[str, float]) -> str:
    """How often intervals hold the observers' values on images that didn't make the margins."""
    lines = ["| measure | margin | holds the first observer's | holds the second's |", "| --- | --- | --- | --- |"]
    totals = []
    for name, margin in widened.items():
        held = []
        for observer in ("first", "second"):
            far = np.array([outside(case, name, observer) for case in cases])
            held.append(float((far[np.isfinite(far)] <= margin).mean()))
        totals.append(held)
        lines.append(f"| `{name}` | {margin:.0%} | {held[0]:.0%} | {held[1]:.0%} |")
    first, second = np.mean(totals, axis=0)
    return "\n".join([*lines, f"| all, on average | | {first:.0%} | {second:.0%} |"]) + "\n"


def unreliable(cases: Cases) -> list[str]:
    """Measures whose ICC between observers is below AGREEMENT on two of the three sets or more."""
    by_set = [[case for case in cases if case["set"] == name] for name in SETS]
    found = {
        name: np.median([icc(pairs(each, name, "first", "second")) for each in by_set]) for name in measured(cases)
    }
    return [name for name, value in found.items() if value < AGREEMENT]


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("observed", nargs="?", type=Path)
    observed = parser.parse_args().observed
    tables = dictionary_tables()
    if observed is not None:
        cases = json.loads(observed.read_text("utf-8"))
        unseen = [case for case in cases if case["split"] == "test"]
        widened = margins([case for case in cases if case["split"] != "test"])
        found = {"margins": widened, "unreliable": unreliable(cases)}
        write_text(json.dumps(found, indent=1) + "\n", RELIABILITY)
        tables["unreliable"] = ", ".join(f"`{name}`" for name in found["unreliable"]) + ".\n"
        tables["observers"] = agreement_table(cases, "first", "second")
        tables["model"] = agreement_table(unseen, "first", "model")
        tables["coverage"] = coverage_table(unseen, widened)
    write_text(with_generated(PAGE.read_text("utf-8"), tables, Path(__file__).name), PAGE)


if __name__ == "__main__":
    main()
