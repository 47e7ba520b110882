"""`foveate networks`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foveate.cli.console import new_table, say, say_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from foveate.networks.registry.catalogue import NetworkCounts, NetworkDescription
    from foveate.networks.registry.options import OptionValue

COUNTED = ("parameters", "GMACs", "peak MiB")


def networks(
    name: Annotated[str | None, typer.Argument(help="One of them: its options, variants and levels.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with bytes in place of MiB.")] = False,
) -> None:
    """List the networks that can be trained and what they cost, or show one of them.

    foveate networks attention_unet
    """
    from foveate.networks.registry import entry_of
    from foveate.networks.registry.catalogue import catalogue

    known = catalogue()
    if name is None and as_json:
        say(json.dumps([_summary(key, facts) for key, facts in known.items()], indent=2))
    elif name is None:
        _print_all(known)
    else:
        entry_of(name)  # an unknown name ends here
        show = _print_json if as_json else _print_one
        show(name, known[name])


def _summary(name: str, facts: NetworkDescription) -> dict[str, Any]:
    """What the list says of a network."""
    from foveate.networks.registry import entry_of
    from foveate.networks.registry.catalogue import HEIGHT, WIDTH, in_channels_of

    entry = entry_of(name)
    size = {"images": 1, "channels": in_channels_of(facts.options), "height": HEIGHT, "width": WIDTH}
    counts = _numbers(facts.counts[""])
    return {"name": name, "paper": entry.paper, **counts, "counted_at": size, "variants": list(entry.variants)}


def _print_json(name: str, facts: NetworkDescription) -> None:
    """What the list says of a network, and all else that is known of it."""
    from foveate.networks.registry import entry_of

    details = _summary(name, facts) | {
        "options": [asdict(option) | {"allowed": option.allowed} for option in facts.options],
        "counts": {
            variant: {"options": dict(options), **_numbers(facts.counts[variant])}
            for variant, options in entry_of(name).variants.items()
        },
        "blocks": [asdict(block) for block in facts.blocks],
    }
    say(json.dumps(details, indent=2))


def _numbers(counts: NetworkCounts) -> dict[str, Any]:
    peak = counts.peak_activation_bytes
    return {"parameters": counts.parameters, "gmacs": counts.gmacs, "peak_activation_bytes": peak}


def _cells(counts: NetworkCounts) -> tuple[str, str, str]:
    return f"{counts.parameters:,}", f"{counts.gmacs:.2f}", f"{counts.peak_activation_bytes / 2**20:.1f}"


def _print_all(known: Mapping[str, NetworkDescription]) -> None:
    rows = [(name, *_cells(facts.counts[""]), _origin(name)) for name, facts in known.items()]
    _print_table(("network", *COUNTED, "from"), rows)
    say(f"\n{_size(known.values())}\n`foveate networks NAME` shows a network's paper, options, variants and levels.")


def _origin(name: str) -> str:
    """Authors and year, or the paper's number, which stand at a title's end in brackets; and how many variants."""
    from foveate.networks.registry import entry_of

    entry = entry_of(name)
    cited = entry.paper.rpartition("(")[2].removesuffix(")")
    return f"{cited}, {len(entry.variants)} variants" if entry.variants else cited


def _print_one(name: str, facts: NetworkDescription) -> None:
    from foveate.networks.registry import entry_of
    from foveate.networks.registry.summary import levels

    entry = entry_of(name)
    say(f"{name}: {entry.paper}\n")
    options = [(option.name, json.dumps(option.default), option.allowed) for option in facts.options]
    _print_table(("option", "default", "allowed"), options)
    differs = {"": "", **{variant: _assignments(given) for variant, given in entry.variants.items()}}
    variants = [(variant or "(default)", *_cells(facts.counts[variant]), given) for variant, given in differs.items()]
    say("")
    _print_table(("variant", *COUNTED, "differs in"), variants)
    say(f"\n{_size([facts])}\n\nBlocks by the size of their maps, each with its channels:\n")
    for line in levels(facts.blocks):
        say(line)


def _assignments(options: Mapping[str, OptionValue]) -> str:
    return ", ".join(f"{key} = {json.dumps(value)}" for key, value in options.items())


def _size(counted: Iterable[NetworkDescription]) -> str:
    """At which size the counts were taken, and what they are."""
    from foveate.networks.registry.catalogue import HEIGHT, WIDTH, in_channels_of

    (channels,) = {in_channels_of(facts.options) for facts in counted}
    return (
        f"Counted for one image of {channels}×{HEIGHT}×{WIDTH}: billions of multiply-accumulates of\n"
        "convolutions and matrix products, and the most that image and maps hold at\n"
        "once in float32."
    )


def _print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    drawing = new_table()
    for title in header:
        drawing.add_column(title, justify="right" if title in COUNTED else "left", no_wrap=title in COUNTED)
    for row in rows:
        drawing.add_row(*row)
    say_table(drawing)
