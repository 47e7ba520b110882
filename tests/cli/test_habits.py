"""What one expects of every command: -h, --version, --quiet, completion, and help that is cut nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from foveate import __version__
from foveate.cli import ANSWERS, COMMANDS, GROUPS, HEADINGS, app
from foveate_command import names, run, run_apart, save, segment

every_command = pytest.mark.parametrize("command", [*COMMANDS, *GROUPS])


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@every_command
def test_h_shows_what_help_shows(command: str) -> None:
    short, long = (run(*command.split(), option) for option in ("-h", "--help"))
    assert (short.status, short.err) == (0, "")
    assert short.out == long.out
    assert f"foveate {command} " in short.out


@every_command
def test_help_fits_80_columns_and_is_cut_nowhere(command: str) -> None:
    ran = run(*command.split(), "--help")
    assert max(map(len, ran.out.splitlines())) <= 80
    _usage, *lines = ran.out.splitlines()
    assert [line for line in lines if line.endswith("...")] == []


@pytest.mark.parametrize("call", [(), ("-h",), ("--help",)])
def test_the_overview_has_every_command_under_a_heading_with_its_whole_first_sentence(call: tuple[str, ...]) -> None:
    ran = run(*call)
    assert (ran.status, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80
    words = " ".join(ran.out.split())
    group = get_command(app())
    assert isinstance(group, TyperGroup)
    assert set(group.commands) == {name for firsts in HEADINGS.values() for name in firsts}
    for heading, firsts in HEADINGS.items():
        assert f"\n{heading}:\n" in ran.out
        for name in firsts:
            first_paragraph = (group.commands[name].help or "").partition("\n\n")[0]
            assert f"{name} {' '.join(first_paragraph.split())}" in words.replace("- ", "-")


def test_the_overview_says_where_a_gpu_is_chosen() -> None:
    assert {"GPU", "--device", "CUDA_VISIBLE_DEVICES=1"} <= set(run().out.replace("`", " ").split())


def test_data_alone_shows_its_commands_and_recipes_alone_lists_them() -> None:
    ran = run("data")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == run("data", "--help").out
    assert run("recipes").out == run("recipes", "list").out


def test_version_is_the_packages() -> None:
    ran = run("--version")
    assert (ran.status, ran.out, ran.err) == (0, f"foveate {__version__}\n", "")


@pytest.mark.parametrize("quiet", ["-q", "--quiet"])
def test_quiet_does_the_work_without_a_word(tmp_path: Path, quiet: str) -> None:
    ran = segment(save(tmp_path / "photo.png"), "-o", tmp_path / "out", quiet)
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    assert "photo_mask.png" in names(tmp_path / "out")


def test_quiet_still_says_what_went_wrong(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"not an image")
    call = (save(tmp_path / "photo.png"), tmp_path / "broken.png", "-o", tmp_path / "out")
    loud, quiet = segment(*call), segment(*call, "--overwrite", "--quiet")
    assert loud.out
    assert (quiet.status, quiet.out, quiet.err) == (1, "", loud.err)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_quiet_unless_all_that_it_does_is_to_answer(command: str) -> None:
    assert set(COMMANDS) >= ANSWERS
    assert ("--quiet" in run(*command.split(), "--help").out) == (command not in ANSWERS)


def test_a_wrong_call_is_told_where_to_look_it_up() -> None:
    assert "`foveate data show --help`" in run_apart("data", "show").err
    assert "`foveate --help`" in run_apart("segmet").err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(shell: str) -> None:
    words = {"bash": "COMP_WORDS", "zsh": "_TYPER_COMPLETE_ARGS", "fish": "_TYPER_COMPLETE_ARGS"}[shell]

    def completed(line: str) -> str:
        asked = {"_FOVEATE_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        return run_apart(environment={**asked, words: line, "COMP_CWORD": str(line.count(" "))}).out

    assert "segment" in completed("foveate seg")
    assert "evaluate" not in completed("foveate seg")
    assert "--overlay" in completed("foveate segment --over")
    assert "show" in completed("foveate recipes sh")


def test_completion_can_be_installed_from_the_overview() -> None:
    assert {"--install-completion", "--show-completion"} <= set(run().out.split())
