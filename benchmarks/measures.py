"""foveate's measures beside those of PVBM and skan, on drawn lines whose numbers are known, as a Markdown table.

python -m venv /tmp/others && /tmp/others/bin/pip install PVBM skan
python benchmarks/measures.py --others /tmp/others/bin/python

PVBM and skan run in an environment of their own: this script is called by its Python, too, with --answer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "morphometry"))

MEASURES = ("arc over chord", "junctions", "ends", "branching angle", "D0")


def pictures() -> dict[str, tuple[Any, dict[str, float]]]:
    """Name to mask and true numbers."""
    from drawn import ARC, LINE, SINE, binary_tree, drawn, koch, length, placed

    found = {}
    for name, course in {"line": LINE, "sine": SINE, "arc": ARC, "Koch, level 2": koch(2)}.items():
        points = placed(course, 600, 0.36)
        chord = float(np.hypot(*(points[-1] - points[0])))
        truth = {"arc over chord": length(points) / chord, "junctions": 0, "ends": 2}
        found[name] = drawn([(points, 5.0)]), truth
    found["Koch, level 5"] = drawn([(placed(koch(5), 1200, 0.36), 2.0)]), {"D0": float(np.log(4) / np.log(3))}
    turn = 160 * np.array([[np.cos(0.36), -np.sin(0.36)], [np.sin(0.36), np.cos(0.36)]])
    lines = [(points @ turn, 160 * width) for points, width in binary_tree(4, 0.5)]
    least = np.min([points.min(axis=0) for points, _ in lines], axis=0)
    tree = {"arc over chord": 1.0, "junctions": 7, "ends": 9, "branching angle": float(np.degrees(1))}
    found["binary tree"] = drawn([(points - least + 20.3, width) for points, width in lines]), tree
    return found


def by_foveate(mask: Any) -> dict[str, float]:
    """This package's numbers."""
    from foveate.morphometry.vessels import measure_vessels

    values = measure_vessels(mask, np.ones_like(mask)).values
    names = ("tortuosity", None, "ends", "branching_angle", "fractal_d0")
    found = {title: values[name] for title, name in zip(MEASURES, names, strict=True) if name}
    return found | {"junctions": values["bifurcations"] + values["crossings"]}


def by_pvbm(mask: Any) -> dict[str, float]:
    """PVBM's numbers, of the skeleton that its own examples make."""
    from PVBM.FractalAnalysis import MultifractalVBMs  # type: ignore[import-not-found]
    from PVBM.GeometricalAnalysis import GeometricalVBMs  # type: ignore[import-not-found]
    from skimage.morphology import skeletonize

    geometry, line = GeometricalVBMs(), skeletonize(mask).astype(float)  # type: ignore[no-untyped-call]
    ends, junctions, _, _ = geometry.compute_particular_points(line)
    found = {"ends": float(ends), "junctions": float(junctions)}
    found["arc over chord"] = float(geometry.compute_tortuosity_length(line)[0])
    if junctions:
        found["branching angle"] = float(geometry.compute_branching_angles(line)[0])
    side = max(mask.shape)
    square = np.zeros((side, side))
    square[: mask.shape[0], : mask.shape[1]] = line
    found["D0"] = float(MultifractalVBMs(n_rotations=1, optimize=False).compute_multifractals(square)[0])
    return found


def by_skan(mask: Any) -> dict[str, float]:
    """skan's numbers: the mean of its branches' ratios by length, and its nodes."""
    from skan import Skeleton, summarize  # type: ignore[import-not-found]
    from skimage.morphology import skeletonize

    skeleton = Skeleton(skeletonize(mask))  # type: ignore[no-untyped-call]
    table = summarize(skeleton, separator="_")
    arc, chord = table["branch_distance"].to_numpy(), table["euclidean_distance"].to_numpy()
    open_ = chord > 0
    ratio = float(np.average(arc[open_] / chord[open_], weights=arc[open_]))
    nodes = np.concatenate((table["node_id_src"].to_numpy(), table["node_id_dst"].to_numpy()))
    degrees = np.unique(nodes, return_counts=True)[1]
    return {"arc over chord": ratio, "junctions": float((degrees > 2).sum()), "ends": float((degrees == 1).sum())}


def answered(masks: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """PVBM's and skan's numbers of each mask; what one of them raises, in its place."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for tool, measured in {"PVBM": by_pvbm, "skan": by_skan}.items():
        found[tool] = {}
        for name, mask in masks.items():
            try:
                found[tool][name] = measured(mask)
            except Exception as error:  # whatever another's code raises
                found[tool][name] = {"error": f"{type(error).__name__}: {error}"}
    return found


def table(answers: dict[str, dict[str, dict[str, Any]]], truths: dict[str, dict[str, float]]) -> str:
    """A row for every picture and number."""
    lines = ["| picture | measure | true | " + " | ".join(answers) + " |", "|" + " --- |" * (len(answers) + 3)]
    for name, truth in truths.items():
        for measure, value in truth.items():
            cells = [f"{each[name].get(measure, float('nan')):.4g}".replace("nan", "–") for each in answers.values()]
            lines.append(f"| {name} | {measure} | {value:.4g} | " + " | ".join(cells) + " |")
    errors = [
        f"{tool}, {name}: {each['error']}"
        for tool, by_name in answers.items()
        for name, each in by_name.items()
        if "error" in each
    ]
    return "\n".join(lines + errors)


def main() -> None:
    """Draw, ask all three, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--others", help="Python of an environment with PVBM and skan")
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.answer:
        with np.load(arguments.answer) as masks:
            sys.stdout.write(json.dumps(answered(dict(masks))))
        return
    drawn = pictures()
    answers = {"foveate": {name: by_foveate(mask) for name, (mask, _) in drawn.items()}}
    if arguments.others:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "masks.npz"
            np.savez(file, **{name: mask for name, (mask, _) in drawn.items()})
            call = [arguments.others, __file__, "--answer", str(file)]
            said = subprocess.run(call, capture_output=True, text=True, check=True).stdout
        answers |= json.loads(said[said.rindex('{"PVBM"') :])
    sys.stdout.write(table(answers, {name: truth for name, (_, truth) in drawn.items()}) + "\n")


if __name__ == "__main__":
    main()
