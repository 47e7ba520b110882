"""What the commands say: in few lines, and nothing that a stranger wrote drives the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foveate.cli.console import new_table, say, say_error, say_table
from foveate_command import run, save, segment

HOSTILE = {
    "\x1b[2J\x1b]0;owned\x07": "\\u001b[2J\\u001b]0;owned\\u0007",  # clears the screen, names the window
    "a\rb\x08": "a\\u000db\\u0008",  # goes back and writes over what was said
    "\x9b31m": "\\u009b31m",  # a sequence's beginning in one character
    "\u202egnp.exe": "\\u202egnp.exe",  # turns what follows round
    "\x7f": "\\u007f",
}
"""Text that drives a terminal, and how it is to be shown."""

every_hostile = pytest.mark.parametrize("text", HOSTILE)


@every_hostile
def test_a_photographs_name_does_not_drive_the_terminal(tmp_path: Path, text: str) -> None:
    photograph = tmp_path / f"{text}.png"
    try:
        save(photograph)
    except OSError:
        pytest.skip("no file can have such a name here")
    ran = segment(photograph, "-o", tmp_path / "out")
    assert ran.status == 0
    assert text not in ran.out
    assert HOSTILE[text] in ran.out


@every_hostile
def test_a_name_in_an_error_does_not_drive_the_terminal(text: str) -> None:
    ran = run("segment", text, "-o", "out")
    (line,) = ran.errors
    assert text not in line
    assert HOSTILE[text] in line


def test_a_line_end_in_a_name_does_not_make_a_second_line_of_an_error() -> None:
    ran = run("segment", "photo\nfoveate: all is well", "-o", "out")
    (line,) = ran.errors
    assert "photo\\nfoveate: all is well" in line


@every_hostile
def test_a_table_shows_what_is_in_it_as_it_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = new_table()
    table.add_column(f"head {text}")
    table.add_row(f"[red]cell[/red] {text} :smile:")
    say_table(table)
    printed = capsys.readouterr().out
    assert text not in printed
    assert f"head {HOSTILE[text]}" in printed
    assert f"[red]cell[/red] {HOSTILE[text]} :smile:" in printed


def test_json_stays_json_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    say(json.dumps(list(HOSTILE), ensure_ascii=False, indent=2))
    printed = capsys.readouterr().out
    assert json.loads(printed) == list(HOSTILE)
    assert not any(text in printed for text in HOSTILE)


def test_text_in_any_script_is_said_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    say("netzhaut_große.png → 眼底\t512×512\nnext line")
    say_error("œil.png: 'β'")
    printed = capsys.readouterr()
    assert printed.out == "netzhaut_große.png → 眼底\t512×512\nnext line\n"
    assert printed.err == "foveate: œil.png: 'β'\n"
