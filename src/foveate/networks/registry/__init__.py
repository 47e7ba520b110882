"""All that is known of the networks without torch: their names, options, costs and blocks.

`table` has the names and builds; `options` says what a network can be told; `catalogue` reads what `counting`, which
alone needs torch, has counted beforehand; `summary` shows it as text.
"""

from foveate.networks.registry.table import (
    NETWORKS,
    NetworkEntry,
    build,
    constructor_of,
    entry_of,
    resnet,
    variant_options,
)

__all__ = ["NETWORKS", "NetworkEntry", "build", "constructor_of", "entry_of", "resnet", "variant_options"]
