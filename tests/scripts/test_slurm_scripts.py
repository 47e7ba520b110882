"""The files for SLURM: what bash and shellcheck say of them, and what they have the programs do, by stand-ins."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from foveate.cli import app
from foveate_command import green_model, names, save

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "scripts/slurm").glob("*.sbatch"))

SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""
FOVEATE = """#!/bin/bash
exec {python} -m foveate "$@" --model {model}
"""
TORCHRUN = """#!/bin/bash
printf '%q ' "$@" > {said}
"""


@pytest.fixture
def stand_ins(tmp_path: Path) -> Path:
    """A folder of programs that are found first."""
    folder, python = tmp_path / "bin", shlex.quote(sys.executable)
    folder.mkdir()
    for name, text in {
        "srun": SRUN,
        "scontrol": '#!/bin/bash\n[ "$1 $2" = "show hostnames" ] && printf "gpu07\\ngpu08\\n"\n',
        "foveate": FOVEATE.format(python=python, model=shlex.quote(str(green_model()))),
        "torchrun": TORCHRUN.format(said=shlex.quote(str(tmp_path / "said"))),
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def sent(file: str, stand_ins: Path, *words: object, **variables: object) -> subprocess.CompletedProcess[str]:
    """As SLURM runs it on a machine of the job."""
    environment = {
        **os.environ,
        "PATH": f"{stand_ins}:{os.environ['PATH']}",
        **{name: str(value) for name, value in variables.items()},
    }
    command = ["bash", str(ROOT / "scripts/slurm" / file), *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_bash_can_read_it_and_shellcheck_has_nothing_against_it(file: Path) -> None:
    subprocess.run(["bash", "-n", file], check=True)
    text = file.read_text("utf-8")
    head = text.partition("set -euo pipefail")[0]
    # SLURM reads its options only before the first command.
    assert text.count("#SBATCH") == head.count("#SBATCH") > 3
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", file], check=True)


def test_the_tasks_of_an_array_share_a_list_and_a_second_job_does_what_is_missing(
    stand_ins: Path, tmp_path: Path
) -> None:
    # Which share a photograph falls to is its path's own, and the path is the test run's: two for each are looked for.
    shares: dict[int, list[Path]] = {1: [], 2: []}
    for number in range(100):
        photo = tmp_path / f"photos/{number}.png"
        share = shares[1 + int(hashlib.sha256(str(photo).encode()).hexdigest()[:16], 16) % 2]
        if len(share) < 2:
            share.append(save(photo, number % 2))
    (tmp_path / "list.txt").write_text("".join(f"{photo}\n" for photo in (*shares[1], *shares[2])), encoding="utf-8")
    out, made = tmp_path / "out", []
    for task in shares:
        ran = sent(
            "segment.sbatch",
            stand_ins,
            tmp_path / "list.txt",
            out,
            SLURM_ARRAY_TASK_ID=task,
            SLURM_ARRAY_TASK_COUNT=2,
            SLURM_CPUS_PER_TASK=1,
        )
        assert ran.returncode == 0, ran.stderr
        made.append({name for name in names(out) if name.endswith("_mask.png")})
    assert made[0] == {f"{photo.stem}_mask.png" for photo in shares[1]}
    assert made[1] - made[0] == {f"{photo.stem}_mask.png" for photo in shares[2]}
    assert sent("segment.sbatch", stand_ins, "alone").returncode == 2


def test_a_training_begins_and_a_second_job_goes_on_with_it(stand_ins: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    facts = {"SLURM_JOB_NODELIST": "gpu[07-08]", "SLURM_JOB_NUM_NODES": 2, "SLURM_GPUS_ON_NODE": 4, "SLURM_JOB_ID": 7}

    def words() -> list[str]:
        ran = sent("train.sbatch", stand_ins, "region-guided-drive", "drive:D R", run, "training.epochs=1", **facts)
        assert ran.returncode == 0, ran.stderr
        return shlex.split((tmp_path / "said").read_text("utf-8"))

    launcher = ["--nnodes", "2", "--nproc-per-node", "4", "--rdzv-backend", "c10d"]
    launcher += ["--rdzv-endpoint", "gpu07:20007", "--rdzv-id", "7", "-m", "foveate", "train"]
    first = ["region-guided-drive", "--data", "drive:D R", "--out", str(run), "training.epochs=1"]
    assert words() == [*launcher, *first]
    run.mkdir()
    assert words() == [*launcher, *first]
    from foveate.training.run.folder import STATE

    (run / STATE).touch()
    assert words() == [*launcher, "--resume", str(run)]
    for call in (first, ["--resume", str(run)]):
        command = get_command(app()).commands["train"]  # type: ignore[attr-defined]
        command.make_context("train", call)


def test_torchrun_takes_the_options_that_it_is_given() -> None:
    parser = pytest.importorskip("torch.distributed.run").get_args_parser()
    text = (ROOT / "scripts/slurm/train.sbatch").read_text("utf-8")
    given = shlex.split(text.partition("torchrun")[2].replace("\\\n", ""))
    known = {name.replace("_", "-") for action in parser._actions for name in action.option_strings}
    assert [word for word in given if word.startswith("--") and word not in known | {"--data", "--out"}] == []
