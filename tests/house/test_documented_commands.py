"""Every command and every snippet of the pages runs, in a folder that holds what the pages take for granted."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import drawn_folder
import pytest
from pages import PAGES, Step, id_of, steps
from source_tree import ROOT

from foveate.cli import main
from foveate.public.planned import AUTO
from foveate.recipes.read import read_recipe, text_of
from foveate.training.rehearsal import Rehearsal, Speed

SHORT = {
    "training.epochs": "1",
    "training.samples_per_epoch": "2",
    "training.batch": "2",
    "training.crop": "64",
    "training.warm_up": "0",
    "training.precision": "32-true",
    "preparation.working_minimum": "96",
    "preparation.working_maximum": "128",
}
"""What is set in every training of the pages, so that it is one step on small images."""

NARROW = {
    "atten_res_unet": {"network.depth": "18"},
    "convlstm_unet": {"network.widths": "[4, 4, 8, 8]"},
    "dual_attention_unet": {
        "network.encoder": "plain",
        "network.widths": "[4, 4, 8, 8]",
        "training.freeze": "[]",
    },
    "fr_unet": {"network.widths": "[4, 4, 8, 8]"},
    "segnet": {"network.widths": "[4, 4, 8, 8]"},
}
"""What is set besides for networks that would otherwise take seconds for a step."""

SHORTER = {
    "foveate audit": "foveate audit --paper 000",
    "foveate train --resume runs/drive training.epochs=100": "foveate train --resume runs/drive training.epochs=2",
}
"""Commands that would take long, and what runs in their place."""

SHORTER_SNIPPETS = {
    'plan("folder:mine", hours=3)': f'plan("folder:mine", 3, {[f"{key}={value}" for key, value in SHORT.items()]})',
    '{"training.epochs": 100, "training.loss": "cldice"}': str(
        {key: int(value) if value.isdigit() else value for key, value in SHORT.items()} | {"training.loss": "cldice"}
    ),
}
"""The same in Python."""

SUBSTITUTES = {
    "make demo": "foveate demo --out demo",
    "foveate sweep mine.toml --data drive:DRIVE --out sweeps/mine --storage postgresql+psycopg://me@server/trials": (
        "foveate sweep mine.toml --data drive:DRIVE --out sweeps/stored --storage sqlite:///trials.db"
    ),
}
"""Commands that need a server, another tool, or a checkout to write into, and what runs in their place."""

NOT_RUN = {
    "make test": "runs this test",
    "make docs": "a part of make test",
    "pip install": "needs a package index; test_wheel.py installs the package",
    "python scripts/write_catalogue.py": "writes into the checkout; tests/networks/registry/test_catalogue.py compares",
    "python scripts/write_drawings.py": "writes into the checkout; tests/scripts/test_network_drawing.py compares",
    "python scripts/write_evaluation_fields.py": "writes into the checkout; tests/evaluation/test_evaluation_page.py",
    "foveate export runs/mine -o src/foveate": "writes into the checkout; README's export is run",
    "foveate segment dicomweb+https": "needs a server; tests/dicomweb has one, and runs both forms",
    "foveate segment 'dicomweb+https": "the same",
    "foveate page": "needs npm; tests/browser/test_dropped_photographs.py opens what it writes",
    "python scripts/observe_measures.py": "reads three public sets for minutes",
    "python scripts/write_measures.py": "writes into the checkout",
    "python scripts/write_scale.py": "writes into the checkout; tests/scripts/test_scale_plan.py compares",
    "python scripts/write_rules.py": "writes into the checkout; tests/planning/test_rules_page.py compares",
    "torchrun": "several processes; tests/training/test_processes.py trains in them",
}
"""What commands begin with that aren't run, and why."""

WEIGHTS = {"resnet34": "resnet34.safetensors", "resnet50": "resnet50.safetensors"}
"""Weights that snippets would fetch over the network, and the files that stand in for them."""

TRAINED_FROM = "resnet18.safetensors"
"""Stands in for all weights that a training would fetch: of the depth in NARROW."""

GIVEN_RUNS = ("runs/mine", "runs/drive", "runs/hrf")
"""Runs that a page may name without having trained them."""

FILES = {"docs/sweeps.md": "mine.toml", "docs/datasets.md": "labelled/classes.csv"}
"""Where the text of a file goes that a page prints."""

SWEEP = {
    "trials = 40": "trials = 2",
    "seeds = [0, 1]": "seeds = [0]",
    "folds = 5\n": "",
    "training.epochs = 20": "\n".join(
        f'{key} = "{value}"' if key.endswith("precision") else f"{key} = {value}"
        for key, value in (SHORT | {"training.samples_per_epoch": "8"}).items()
        if key != "training.batch"
    ),
}
"""What is changed in the sweep that a page prints, so that it is two trials of a step or more."""

ELSEWHERE = {
    "docs/start.md": "tests/house/test_quick_start.py",
    "docs/serving.md": "tests/service/test_serving_page.py",
    "docs/scale.md": "tests/inference/remote/test_scale_page.py",
}
"""Pages whose steps need a service that listens, or an environment of their own, and the test that runs them."""

AFTERWARDS = {"docs/datasets.md": "foveate data check folder:labelled"}
"""What shows that a printed file is right, where no command of the page reads it."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, exported_once: None) -> Path:
    """The folder that the pages begin with."""
    folder = tmp_path_factory.mktemp("drawn")
    drawn_folder.draw(folder)
    drawn_folder.train(folder, *GIVEN_RUNS)
    return folder


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the files in WEIGHTS."""
    folder = tmp_path_factory.mktemp("encoders")
    drawn_folder.save_encoders(folder, 18, 34, 50)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if steps(page) and id_of(page) not in ELSEWHERE], ids=id_of)
def test_every_command_and_snippet_of_a_page_runs(
    page: Path, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path / "folder"
    shutil.copytree(drawn, folder)
    monkeypatch.chdir(folder)
    # A plan's rehearsal takes a quarter of a minute; tests/training/test_rehearsal.py has some.
    monkeypatch.setattr(Rehearsal, "time", lambda *_: Speed(crops=20.0, validation=0.05))
    if "resnet" in page.read_text(encoding="utf-8"):
        for file in request.getfixturevalue("encoders").iterdir():
            Path(file.name).symlink_to(file)
    Path("mine.toml").write_text(text_of("region-guided-drive"), encoding="utf-8")
    for step in steps(page):
        if step.kind not in ("console", "python"):
            Path(FILES[id_of(page)]).write_text(replaced(step.text, SWEEP), encoding="utf-8")
    made: set[Path] = set()
    for step in steps(page):
        if step.kind == "python":
            run_snippet(replaced(step.text, SHORTER_SNIPPETS))
        elif step.kind == "console" and (command := to_run(step)):
            for place in outputs(command) - made:
                take_away(place)
            made |= outputs(command)
            run_command(command, monkeypatch)
    if id_of(page) in AFTERWARDS:
        run_command(AFTERWARDS[id_of(page)].split(), monkeypatch)


def test_the_tables_name_nothing_that_the_pages_no_longer_show() -> None:
    shown = [step.text for page in PAGES for step in steps(page)]
    assert [text for text in (*SHORTER, *SUBSTITUTES) if text not in shown] == []
    assert [text for text in (*NOT_RUN, *WEIGHTS, *SHORTER_SNIPPETS) if not any(text in each for each in shown)] == []
    assert [page for page in (*FILES, *ELSEWHERE, *ELSEWHERE.values()) if not (ROOT / page).is_file()] == []


def test_a_command_that_is_neither_run_nor_listed_is_caught() -> None:
    with pytest.raises(AssertionError, match="is run nowhere"):
        to_run(Step("console", "docker run foveate"))


def replaced(text: str, changes: Mapping[str, str]) -> str:
    for before, after in changes.items():
        text = text.replace(before, after)
    return text


def to_run(step: Step) -> list[str]:
    """The words of the command that is run for a step: its own, shortened, or a substitute's; none where it isn't."""
    if any(step.text.startswith(beginning) for beginning in NOT_RUN):
        return []
    words = shlex.split((SHORTER | SUBSTITUTES).get(step.text, step.text))
    assert words[0] == "foveate", f"{step.text}: is run nowhere. Say in a table above why not."
    return shortened(words) if words[1] == "train" and "--resume" not in words else words


def shortened(words: list[str]) -> list[str]:
    """A training in one step on small images, by a narrow network, with weights from a file."""
    if words[2] == AUTO:
        return [*words, *(f"{key}={value}" for key, value in SHORT.items())]
    recipe = read_recipe(words[2], [word for word in words[3:] if re.match(r"[a-z]+\.\w+=", word)])
    settings = SHORT | NARROW.get(recipe.network.name, {})
    if recipe.training.encoder_weights:
        settings |= {"training.encoder_weights": TRAINED_FROM}
    if settings.get("network.encoder") == "plain":
        settings |= {"network.variant": "", "training.encoder_weights": ""}
    kept = [word for word in words if word.partition("=")[0] not in settings]
    return [*kept, *(f"{key}={value}" for key, value in settings.items())]


def outputs(words: list[str]) -> set[Path]:
    """The files and folders that a command writes: the drawn folder's own must not be there before."""
    named = {Path(after) for word, after in pairwise(words) if word in ("-o", "--out")}
    if words[1] == "export":
        named |= {place.with_name("card.json") for place in named}
    return named | ({Path(words[-1])} if words[1:3] == ["recipes", "copy"] else set())


def take_away(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def run_command(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0, shlex.join(words)


def run_snippet(text: str) -> None:
    """Run it with what it takes for granted: an image as a tensor, weights as files."""
    import torch

    for name, file in WEIGHTS.items():
        text = text.replace(f'"{name}"', f'"{file}"')
    torch.manual_seed(0)
    given: dict[str, Any] = {"image": torch.rand(1, 3, 64, 64)}
    exec(compile(text, "<snippet>", "exec"), given)
