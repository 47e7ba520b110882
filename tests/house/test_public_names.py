"""What `import foveate` gives: few names, in order, documented, and in the words of the commands."""

from __future__ import annotations

import inspect

import pytest
from source_tree import ROOT

import foveate
from foveate import cli, errors
from foveate.cli import COMMANDS

PAGES = "\n".join(
    path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
)

OF_PYTHON = {
    "on_image",
    "on_wait",
    "on_case",
    "on_result",
    "on_epoch",
    "on_start",
    "on_request",
    "listening",
    "rank",
    "command",
    "say",
}
"""Arguments that hear of the progress, or say what the command line knows of itself."""

OTHERWISE = {"train": {"tracking_uri"}, "segment": {"token"}, "measure": {"source", "fov"}, "audit": {"set"}}
"""By function, arguments that its command hasn't: an address, or a token, that it reads from the environment; one
image, and an array, where it has files; and its `--set`, which is `of_set` inside."""

FUNCTIONS = sorted(name for name in foveate.__all__ if inspect.isfunction(getattr(foveate, name)))
COMMANDS_IN_PYTHON = sorted(set(FUNCTIONS) & set(COMMANDS))
COMMAND_OF = {name: name for name in COMMANDS_IN_PYTHON} | {"measure_many": "measure"}


def test_public_names_are_in_order_and_the_modules_table_has_no_other() -> None:
    assert sorted(foveate.__all__) == foveate.__all__
    assert {*foveate._HOMES, "__version__"} == set(foveate.__all__)


@pytest.mark.parametrize("name", [name for name in foveate.__all__ if name != "__version__"])
def test_a_public_name_has_a_page_and_says_what_it_is(name: str) -> None:
    assert f"foveate.{name}" in PAGES
    assert getattr(foveate, name).__doc__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_is_typed_throughout(name: str) -> None:
    signature = inspect.signature(getattr(foveate, name))
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(each.annotation is not inspect.Parameter.empty for each in signature.parameters.values())


@pytest.mark.parametrize("name", COMMAND_OF)
def test_a_function_takes_what_its_command_takes_under_the_same_names(name: str) -> None:
    command = set(inspect.signature(COMMANDS[COMMAND_OF[name]]).parameters)
    function = set(inspect.signature(getattr(foveate, name)).parameters)
    assert function - OF_PYTHON - command == OTHERWISE.get(name, set())


def error_classes() -> list[type[foveate.FoveateError]]:
    found = [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, errors.FoveateError)]
    return [each for each in found if each.__module__ == errors.__name__]


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
def test_the_page_of_errors_has_every_class_with_its_base_and_its_exit_status(
    error: type[foveate.FoveateError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise error("something is wrong")

    monkeypatch.setattr(cli, "_status", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert f"| `{error.__name__}` | `{error.__bases__[0].__name__}` | {ended.value.code} | " in page


def test_most_commands_are_functions_too() -> None:
    assert {"segment", "measure", "evaluate", "compare", "cross", "report", "audit", "train", "export", "sweep"} <= {
        *COMMANDS_IN_PYTHON
    }
