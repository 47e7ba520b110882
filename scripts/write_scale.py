"""Rewrite the generated tables of docs/scale.md, the plan for ten million images among them, from what the benchmarks
ray_cluster, ray_checkpoint and ten_million have stored, and the assumptions below: python scripts/write_scale.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from generated import table, with_generated

from foveate.imaging import write_text

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "scale.md"
CLUSTER, CHECKPOINT, RECORD = (
    ROOT / "benchmarks" / f"{name}.json" for name in ("ray_cluster", "ray_checkpoint", "ten_million")
)

IMAGES = 10_000_000
BROKEN = 1
"""Of the images in the comparison with checkpoints."""

ASSUMED = {
    "image_mb": (2.0, "MB of a photograph, as a camera's JPEG has"),
    "mask_kb": (40.0, "kB of its mask"),
    "larger": (1.6, "times the processor seconds of the measured size, as decoding and the field of view cost more"),
    "cores": (16.0, "cores of a machine"),
    "machines": (10.0, "machines at a time"),
    "busy": (0.85, "of the cores' time spent on images, the rest on starting, waiting and repeating"),
    "gbit": (1.0, "Gbit/s that a machine moves to and from the store"),
    "requests": (3.0, "requests of the store for an image: HEAD, GET, PUT"),
    "store_rate": (3500.0, "requests per second that a store takes under one name, of those that write"),
    "retried": (0.01, "of the images done a second time, after kills and faults"),
    "core_hour": (0.04, "price of a core for an hour, in any currency"),
    "gb_month": (0.023, "price of a GB stored for a month"),
    "thousand_puts": (0.005, "price of a thousand requests that write"),
}
"""Name to value and meaning. Put your own here, and run this again."""


def plan(cluster: dict[str, Any], record: dict[str, Any]) -> list[tuple[str, str]]:
    """What to have and how long it takes, and by which numbers."""
    assumed = {name: value for name, (value, _) in ASSUMED.items()}
    each = cluster["cost"]["ray"]["each"] * assumed["larger"]
    core_hours = IMAGES * (1 + assumed["retried"]) * each / 3600 / assumed["busy"]
    hours = core_hours / assumed["cores"] / assumed["machines"]
    moved_gb = IMAGES * (assumed["image_mb"] + assumed["mask_kb"] / 1000) / 1000
    moving = moved_gb * 8 / assumed["gbit"] / 3600 / assumed["machines"]
    stored_gb = IMAGES * assumed["mask_kb"] / 1e6
    record_gb = record["bytes"] / record["entries"] * IMAGES / 1e9
    puts = IMAGES / max(hours, moving) / 3600
    prices = {
        "computing": core_hours * assumed["core_hour"],
        "requests": IMAGES * assumed["thousand_puts"] / 1000,
        "masks for a year": 12 * stored_gb * assumed["gb_month"],
    }
    dearest = ", ".join(f"{name} {price:,.0f}" for name, price in sorted(prices.items(), key=lambda one: -one[1]))
    return [
        ("computing", f"{core_hours:,.0f} core hours; {hours:,.1f} h on all machines"),
        ("moving", f"{moved_gb / 1000:,.1f} TB; {moving:,.1f} h at the machines' rate"),
        ("whichever is longer", f"{max(hours, moving):,.1f} h"),
        ("masks", f"{stored_gb:,.0f} GB"),
        ("record", f"{record_gb:,.1f} GB in {IMAGES // 200_000} full files"),
        ("outputs put", f"{puts:,.0f} a second, of {assumed['store_rate']:,.0f} that the store takes"),
        ("cost", dearest),
    ]


def tables(cluster: dict[str, Any], checkpoint: dict[str, Any], record: dict[str, Any]) -> dict[str, str]:
    """Marker to Markdown."""
    return {
        "checkpoint": _checkpoint(checkpoint),
        "assumptions": table(("assumed", "of what"), [(f"{value:g}", text) for value, text in ASSUMED.values()]),
        "plan": table(("ten million images", "what it takes"), plan(cluster, record)),
        "measured": _measured(cluster),
        "record": _record(record),
    }


def _measured(cluster: dict[str, Any]) -> str:
    cost = cluster["cost"]
    rows = [
        (f"`--engine {name}`", f"{cost[name]['each']:.3f}", f"{cost[name]['start']:.0f}") for name in ("local", "ray")
    ]
    text = table(("`vessels`, 584×565, PNG", "processor s for an image", "processor s to start"), rows)
    text += (
        f"\nThat is {cost['ratio']:.2f} times the local engine's, by the difference of {cost['many']} images and"
        f" {cost['few']}, in one run; all processes of the cluster are counted.\n"
    )
    if "memory" in cluster:
        rows = [
            (f"{int(count):,}", f"{found['own_mb']:.0f}", f"{found['peak_mb']:.0f}")
            for count, found in cluster["memory"].items()
        ]
        text += "\n" + table(("images of 32×32", "the call's own memory at its end, MiB", "most, MiB"), rows)
    return text


def _checkpoint(found: dict[str, Any]) -> str:
    ways = [found[way] for way in ("checkpoint", "record")]
    changed = [one["changed_and_gone"] for one in ways]
    rows = [
        ("made when the call was killed", *(str(one["made"]) for one in ways)),
        ("of these made again", *(str(one["after_kill"]["again"]) for one in ways)),
        ("masks there then", *(str(one["after_kill"]["there"]) for one in ways)),
        ("s of a repeated call with nothing left to do", *(f"{one['nothing_left']['seconds']:.0f}" for one in ways)),
        ("made again by it", *(str(one["nothing_left"]["again"]) for one in ways)),
        (
            "an image was changed: made again, or said",
            *("yes" if one["again"] or one["said"] > BROKEN else "no" for one in changed),
        ),
        ("a mask was taken away: made", *("yes" if one["new"] else "no" for one in changed)),
    ]
    return table((f"{found['images']} images, one of them broken", "`CheckpointConfig`", "the record"), rows)


def _record(record: dict[str, Any]) -> str:
    written, entries = record["written"], record["entries"]
    scale = IMAGES / entries
    rows = [
        ("size", f"{record['bytes'] / 1e6:,.0f} MB", f"{record['bytes'] * scale / 1e9:,.1f} GB"),
        ("files", str(record["files"]), f"{record['files'] * scale:,.0f}"),
        *(
            (name, f"{written[key]:,.0f} processor s", f"{written[key] * scale:,.0f} processor s")
            for name, key in (("making parts", "made_processor_seconds"), ("joining them", "joined_processor_seconds"))
        ),
        ("most memory of writing", f"{written['peak_mb']:,.0f} MiB", "the same"),
    ]
    for read in record["read"]:
        busy, memory = read["processor_seconds"], read["peak_mb"] - read["before_mb"]
        measured = f"{busy:,.1f} processor s, {memory:,.0f} MiB, listed in {read['listed_seconds']:.2f} s"
        rows.append((f"reading it for {read['images']:,} images", measured, f"{busy * scale:,.0f} processor s"))
    return table(("the record", f"measured at {entries:,} entries", f"at {IMAGES:,}, in proportion"), rows)


def text() -> str:
    """What the page should hold: as it is, but for what stands between the markers."""
    found = [json.loads(file.read_text("utf-8")) for file in (CLUSTER, CHECKPOINT, RECORD)]
    return with_generated(PAGE.read_text("utf-8"), tables(*found), Path(__file__).name)


if __name__ == "__main__":
    write_text(text(), PAGE)
