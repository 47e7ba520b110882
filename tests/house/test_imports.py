"""What a process must have and what it loads: the base install has no torch, and a quick command loads little."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

from source_tree import modules

NEEDS_TORCH = ("foveate.networks.", "foveate.planning.", "foveate.training", "foveate.sweeps.work")
READABLE_WITHOUT_TORCH = {"foveate.networks.registry"}

IMPORT_EACH = """
import importlib, json, sys
absent, names = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(absent))      # None: importing it raises ModuleNotFoundError
failed = {}
for name in names:
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = str(error)
print(json.dumps(failed))
"""

HELP = """
import json, sys
from foveate.cli import main
sys.argv = ["foveate", "--help"]
try:
    main()
finally:
    print("\\n" + json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

SEGMENT = """
import json, sys
from pathlib import Path
import foveate
from foveate.drawn import draw
from foveate.imaging import write_rgb
folder = Path(sys.argv[1])
write_rgb(draw(1, height=64, width=64).image, folder / "photo.png")
foveate.segment(folder / "photo.png", folder / "out", overlay=True)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def last_line(*arguments: str, status: int = 0) -> str:
    """The last line that a Python process of its own prints."""
    ended = subprocess.run([sys.executable, *arguments], capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == status, ended.stderr
    return ended.stdout.splitlines()[-1]


def packages_of_training() -> list[str]:
    """Import names of all that the extra `train` adds to the base install."""
    asked_for = importlib.metadata.requires("foveate") or []
    names = [re.match(r"[\w.-]+", line) for line in asked_for if re.search(r"extra == ['\"]train['\"]", line)]
    return [name.group().replace("-", "_") for name in names if name]


def failing_without_the_extra(names: list[str]) -> dict[str, str]:
    """Which of the modules can't be imported in a process where the packages of training are missing, and why."""
    failed: dict[str, str] = json.loads(last_line("-c", IMPORT_EACH, json.dumps([packages_of_training(), names])))
    return failed


def test_every_module_but_what_trains_can_be_imported_without_torch() -> None:
    names = [name for name in modules() if not name.startswith(NEEDS_TORCH) or name in READABLE_WITHOUT_TORCH]
    assert {"foveate.cli", "foveate.evaluation", "foveate.inference.segmenter", "foveate.networks"} < set(names)
    assert failing_without_the_extra(names) == {}


def test_a_module_that_needs_torch_is_seen_to_need_it() -> None:
    assert set(failing_without_the_extra(["foveate.training.loop"])) == {"foveate.training.loop"}


def test_importing_foveate_loads_the_standard_library_alone() -> None:
    script = (
        "import json, sys; before = set(sys.modules); import foveate; print(json.dumps([*sys.modules.keys() - before]))"
    )
    loaded = {name.partition(".")[0] for name in json.loads(last_line("-c", script))}
    assert loaded - set(sys.stdlib_module_names) == {"foveate"}


def test_help_loads_none_of_the_packages_that_do_the_work() -> None:
    loaded = set(json.loads(last_line("-c", HELP)))
    assert {"foveate", "typer"} <= loaded
    assert not loaded & {"numpy", "onnxruntime", "PIL", "pydantic", "tifffile", *packages_of_training()}


def test_the_package_runs_as_a_module(tmp_path: Path) -> None:
    missing = tmp_path / "missing.png"
    command = [sys.executable, "-m", "foveate", "segment", str(missing), "-o", str(tmp_path / "out")]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 2
    assert str(missing) in ended.stderr


def test_segmenting_a_photograph_loads_no_package_that_it_has_no_use_for(tmp_path: Path) -> None:
    loaded = set(json.loads(last_line("-c", SEGMENT, str(tmp_path))))
    assert {"numpy", "onnxruntime", "PIL", "msgspec"} <= loaded
    stores = {"fsspec", "s3fs", "paramiko", "pyarrow"}
    unneeded = {"pydantic", "typer", "rich", "scipy", "skimage", "matplotlib", *stores, *packages_of_training()}
    assert not loaded & unneeded - {
        "msgspec",
        "numpy",
    }
