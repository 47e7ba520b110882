"""Rewrite the generated tables and the pictures of docs/benchmark.md from benchmarks/segmenting.json and growth.json:
python scripts/write_benchmark.py
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from generated import table, with_generated

from foveate.imaging import write_text

ROOT = Path(__file__).parents[1]
PAGE, PICTURES = ROOT / "docs" / "benchmark.md", ROOT / "docs" / "pictures"
MEASURED, GROWTH = ROOT / "benchmarks" / "segmenting.json", ROOT / "benchmarks" / "growth.json"
ELSEWHERE = ROOT / "benchmarks" / "segmenting_xeon.json"
"""What the same call measured on another machine."""
WNET = "PyTorch, wnet, NCHW"


BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
MODELS = {"vessels": "`vessels`, reduced", "native": "six maps at native size, in tiles"}


def text(found: dict[str, Any], growth: dict[str, Any], elsewhere: dict[str, Any]) -> str:
    """What the page should hold: as it is, but for what stands between the markers."""
    return with_generated(PAGE.read_text("utf-8"), tables(found, growth, elsewhere), Path(__file__).name)


def tables(found: dict[str, Any], growth: dict[str, Any], elsewhere: dict[str, Any]) -> dict[str, str]:
    """Marker to Markdown."""
    return {
        "machine": _machine(found["machine"], found["repeats"]),
        "network": _network(found["network"]),
        "bounds": _bounds(found["bounds"], found["machine"], found["network"]),
        "photographs": _photographs(found["photographs"]),
        "cold": _cold(found["cold"]),
        "folders": _folders(found["folders"], found["abreast"]),
        "networks": _networks(found["networks"], found["machine"]["gflops"]),
        "growth": _growth(growth),
        "elsewhere": _elsewhere(found, elsewhere),
    }


def _machine(machine: dict[str, Any], repeats: int) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['cores']} cores of {machine['processor']}, Python {machine['python']}, {versions}. A matrix product"
        f" ran at {machine['gflops']:.0f} GFLOP/s in float32, a copy at {machine['copied_gb_per_s']:.0f} GB/s by one"
        f" core and {machine['copied_by_all_gb_per_s']:.0f} by all at once. Medians of {repeats}.\n"
    )


def _network(seconds: dict[str, float]) -> str:
    before = seconds.get("before")
    names = {"before": "the file of 0.1, ONNX Runtime without a memory arena, as 0.1 ran it"}
    rows = [
        (names.get(name, name), f"{1000 * own:.0f}", _times(before, own), _times(seconds.get(WNET), own))
        for name, own in sorted(seconds.items(), key=lambda item: item[1])
    ]
    return table(("network alone, 512×512", "ms", "times as fast as 0.1", "as W-Net, eager NCHW"), rows)


def _bounds(bounds: dict[str, float], machine: dict[str, Any], seconds: dict[str, float]) -> str:
    arithmetic, bytes_ = 2 * bounds["gmacs"] / machine["gflops"], bounds["moved_mb"] / 1000 / machine["copied_gb_per_s"]
    bound = max(arithmetic, bytes_)
    ours = {name: own for name, own in seconds.items() if name.startswith(("ONNX Runtime", "OpenVINO"))}
    taken = " and ".join(f"{own / bound:.1f} ({name})" for name, own in sorted(ours.items(), key=lambda item: item[1]))
    return (
        f"One image is {bounds['gmacs']:.2f} billion multiply-adds, {1000 * arithmetic:.0f} ms at this machine's rate,"
        f" and moves {bounds['moved_mb']:.0f} MB between the operations that ONNX Runtime is left with,"
        f" {1000 * bytes_:.0f} ms at the rate of a copy. What runs it takes {taken} times the larger of both.\n"
    )


def _growth(found: dict[str, Any]) -> str:
    rows = []
    for number, row in enumerate(found["pixels"]["vessels"]):
        own = [found["pixels"][name][number] for name in MODELS]
        cells = [
            f"{each[key]:.{digits}f}" for each in own for key, digits in (("processor_seconds", 1), ("peak_mb", 0))
        ]
        rows.append((f"{row['side']}×{row['side']}", *cells))
    head = ("pixels", *(f"{name}: {what}" for name in MODELS.values() for what in ("processor s", "most MiB")))
    shown = table(head, rows)
    fits = " and ".join(f"{_fit(*_by_pixels(found, name))[2]:.4f} ({text})" for name, text in MODELS.items())
    many = "; ".join(
        f"{row['images']}: {row['processor_seconds']:.1f} s, {row['peak_mb']:.0f} MiB" for row in found["images"]
    )
    side = found["images"][0]["side"]
    return f"{shown}\nR² of a straight line: {fits}. Images of {side}×{side} in one folder, by `vessels`: {many}.\n"


def _by_pixels(found: dict[str, Any], name: str) -> tuple[list[float], list[float]]:
    """Megapixels, and processor seconds."""
    rows = found["pixels"][name]
    return [row["side"] ** 2 / 1e6 for row in rows], [row["processor_seconds"] for row in rows]


def _fit(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, float]:
    """Slope and height of the straight line with the least squares, and R²."""
    slope, height = np.polyfit(x, y, 1)
    left = np.sum((np.array(y) - slope * np.array(x) - height) ** 2)
    return float(slope), float(height), float(1 - left / np.sum((np.array(y) - np.mean(y)) ** 2))


def _photographs(found: dict[str, dict[str, float]]) -> str:
    rows = [
        (
            name,
            f"{1000 * own['seconds']:.0f}",
            f"{1000 * own['network']:.0f}",
            f"{1000 * (own['seconds'] - own['network']):.0f}",
            f"{own['peak_mb']:.0f}",
        )
        for name, own in found.items()
    ]
    head = ("photograph (JPEG)", "ms, file to mask", "of these the network", "around it", "most memory, MiB")
    return table(head, rows)


def _cold(seconds: dict[str, float]) -> str:
    names = {
        "import": '`python -c "import numpy, onnxruntime"`',
        "segment": "`foveate segment`, one photograph of 584×565 to its mask on disk",
        "help": "`foveate --help`",
    }
    rows = [(names[name], f"{own:.2f}", _times(own, seconds["import"])) for name, own in seconds.items()]
    return table(("a process of its own", "s", "times the first"), rows)


def _folders(found: dict[str, dict[str, float]], abreast: dict[str, dict[str, float]]) -> str:
    counts = list(next(iter(found.values())))
    rows = [(name, *(f"{rates[count]:.1f}" for count in counts)) for name, rates in found.items()]
    shown = table(("images/s, start included", *(f"{count} images" for count in counts)), rows)
    warm = "; ".join(
        f"{name}: {1000 * own['one thread']:.0f} ms an image by one thread on one core,"
        f" {1000 * own['all cores']:.0f} by all, {own['share']:.2f} of that many cores' best; processes that share"
        f" nothing, one on each core, come to {own['share of processes']:.2f}"
        for name, own in abreast.items()
    )
    return f"{shown}\nWarm, the last of these folders: {warm}.\n"


def _networks(found: dict[str, dict[str, Any]], gflops: float) -> str:
    rows = []
    for name, own in sorted(found.items(), key=lambda item: float(item[1]["seconds"])):
        gmacs = own["gmacs"]
        bound = None if gmacs is None else 2 * gmacs / gflops
        rows.append(
            (
                name if name.startswith("MONAI") else f"`{name}`",
                f"{1000 * own['seconds']:.0f}",
                "" if gmacs is None else f"{gmacs:.1f}",
                "" if bound is None else f"{own['seconds'] / bound:.1f}",
            )
        )
    return table(("eager PyTorch, NCHW, 512×512", "ms", "GMAC", "times the bound of its arithmetic"), rows)


def _elsewhere(*runs: dict[str, Any]) -> str:
    """Ratios of several runs side by side."""
    names = [name for name in runs[0]["network"] if name.startswith(("ONNX Runtime", "OpenVINO"))]
    rows = [
        ("matrix product, GFLOP/s", *(f"{run['machine']['gflops']:.0f}" for run in runs)),
        ("copy by one core, GB/s", *(f"{run['machine']['copied_gb_per_s']:.0f}" for run in runs)),
    ]
    for base, words in (("before", "0.1"), (WNET, "W-Net, eager NCHW")):
        rows += [
            (f"{name}: times as fast as {words}", *(_times(run["network"][base], run["network"][name]) for run in runs))
            for name in names
        ]
    rows += [
        (f"a folder, {name}: of that many cores' best", *(f"{run['abreast'][name]['share']:.2f}" for run in runs))
        for name in runs[0]["abreast"]
    ]
    rows += [
        (f"{size}: most memory, MiB", *(f"{run['photographs'][size]['peak_mb']:.0f}" for run in runs))
        for size in runs[0]["photographs"]
    ]
    cold = (_times(run["cold"]["segment"], run["cold"]["import"]) for run in runs)
    rows.append(("one photograph, cold: times the imports alone", *cold))
    return table(("", *(run["machine"]["processor"] for run in runs)), rows)


def _times(one: float | None, other: float) -> str:
    return "" if one is None else f"{one / other:.2f}"


def draw(found: dict[str, Any], file: Path) -> None:
    """Milliseconds of the network alone as bars."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    seconds = dict(sorted(found["network"].items(), key=lambda item: -item[1]))
    figure = Figure(figsize=(8, 0.45 * len(seconds) + 0.8), layout="constrained")
    axes = figure.subplots()
    colours = [BLUE if name.startswith(("ONNX", "OpenVINO")) else GREY for name in seconds]
    names = ["foveate 0.1" if name == "before" else name for name in seconds]
    bars = axes.barh(names, [1000 * own for own in seconds.values()], color=colours)
    axes.bar_label(bars, fmt="%.0f", padding=3)
    axes.set_xlabel("ms for 512×512 pixels, network alone")
    axes.spines[["top", "right"]].set_visible(False)
    with mpl.rc_context({"svg.hashsalt": "foveate", "svg.fonttype": "none"}):
        figure.savefig(file, metadata={"Date": None})


def draw_growth(found: dict[str, Any], growth: dict[str, Any], file: Path) -> None:
    """Seconds by pixels and by images, with straight lines through them."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    by_pixels, by_images = figure.subplots(1, 2)
    colours = (BLUE, ORANGE)
    for (name, text), colour in zip(MODELS.items(), colours, strict=True):
        _line(by_pixels, *_by_pixels(growth, name), text.replace("`", ""), colour)
    by_pixels.set(xlabel="megapixels", ylabel="processor seconds", title="one image")
    for (name, rates), colour in zip(found["folders"].items(), colours, strict=False):
        counts = [float(count) for count in rates]
        _line(by_images, counts, [count / rates[f"{count:.0f}"] for count in counts], name, colour)
    by_images.set(xlabel="photographs of 584×565", ylabel="seconds, start included", title="a folder")
    for axes in (by_pixels, by_images):
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    with mpl.rc_context({"svg.hashsalt": "foveate", "svg.fonttype": "none"}):
        figure.savefig(file, metadata={"Date": None})


def _line(axes: Any, x: Sequence[float], y: Sequence[float], name: str, colour: str) -> None:
    slope, height, determined = _fit(x, y)
    axes.plot(x, y, "o", color=colour)
    ends = np.array([0, max(x)])
    axes.plot(ends, slope * ends + height, color=colour, label=f"{name}, R² {determined:.4f}")


def main() -> None:
    """Rewrite page and pictures."""
    found, growth, elsewhere = (json.loads(file.read_text("utf-8")) for file in (MEASURED, GROWTH, ELSEWHERE))
    write_text(text(found, growth, elsewhere), PAGE)
    draw(found, PICTURES / "benchmark.svg")
    draw_growth(found, growth, PICTURES / "growth.svg")


if __name__ == "__main__":
    main()
