"""The reference of the public Python names, from their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import foveate
import foveate.errors
import foveate.networks
from site_pages.markdown import page
from site_pages.menu import tree

RETURNED = (
    "foveate.inference.sink.Outcome",
    "foveate.evaluation.EvaluationResult",
)
"""Classes of results that are no public names themselves."""


def pages() -> dict[str, str]:
    """Place to text of all of them and of their index."""
    names = [name for name in foveate.__all__ if name != "__version__"]
    functions = [f"foveate.{name}" for name in names if inspect.isfunction(getattr(foveate, name))]
    classes = [f"foveate.{name}" for name in names if f"foveate.{name}" not in functions and name != "FoveateError"]
    networks = [f"foveate.networks.{name}" for name in foveate.networks.__all__ if name != "NETWORKS"]
    errors = [f"foveate.errors.{error}" for error in error_names()]
    made = {
        "functions": page(
            "Functions", "What a command does, a function of its name does.", _all("autofunction", functions)
        ),
        "classes": page(
            "Classes",
            _all("autoclass", classes, "members:", "inherited-members:"),
            _all("autoclass", RETURNED, "members:", "exclude-members: model_config"),
        ),
        "networks": page("Networks in Python", "Needs the extra `train`.", _all("autofunction", networks)),
        "errors": page(
            "Error classes", "[](../errors.md) says how errors read and end.", _all("autoexception", errors)
        ),
    }
    said = "`import foveate` gives these names, fully typed. [](../segmenting.md#from-python) lists them."
    index = page("Python", said, tree(made, hidden=False))
    return {f"python/{name}.md": text for name, text in made.items()} | {"python/index.md": index}


def error_names() -> list[str]:
    """The error classes, each after its base."""
    found = [each for each in vars(foveate.errors).values() if inspect.isclass(each) and issubclass(each, Exception)]
    return [each.__name__ for each in found if each.__module__ == "foveate.errors"]


def _all(directive: str, names: Sequence[str], *options: str) -> str:
    """One directive of autodoc for each name, with options such as `members:`."""
    chosen = "".join(f"   :{option}\n" for option in options)
    return "```{eval-rst}\n" + "\n".join(f".. {directive}:: {name}\n{chosen}" for name in names) + "```"
