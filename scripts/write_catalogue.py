"""Count every network again and rewrite the table that `foveate networks` reads: python scripts/write_catalogue.py."""

from pathlib import Path

import foveate.networks.registry
from foveate.imaging import write_text
from foveate.networks.registry.catalogue import to_json
from foveate.networks.registry.counting import measure_all

if __name__ == "__main__":
    write_text(to_json(measure_all()), Path(foveate.networks.registry.__file__).with_name("catalogue.json"))
