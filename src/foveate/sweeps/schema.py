"""Every key of a sweep's file, with its default and its bounds."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from foveate.recipes.schema import Section

OWN_KEYS = {"training.seed": "seeds", "data.folds": "folds", "data.fold": "folds"}
"""Keys of a recipe that a sweep sets itself, to the key of a sweep that says how."""


class Range(Section):
    """Numbers from `low` to `high`, both included; whole ones where all that is given is whole."""

    low: int | float
    high: int | float
    step: int | float | None = None
    """Distance between two values; none: any number, or any whole one."""
    log: bool = False
    """As likely between 0.001 and 0.01 as between 0.01 and 0.1."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
        if self.log and (self.step is not None or self.low <= 0):
            raise ValueError("log needs a low above 0, and no step")
        if self.step is not None and (self.step <= 0 or self._width % Decimal(str(self.step))):
            raise ValueError(f"high is not a whole number of steps of {self.step} above low")
        return self

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return all(isinstance(bound, int) for bound in (self.low, self.high, self.step or 0))

    @property
    def values(self) -> tuple[int | float, ...]:
        """All of them, in order; empty for a range without a step, which is not a list of values."""
        if self.step is None:
            return ()
        low, step = Decimal(str(self.low)), Decimal(str(self.step))
        kind = int if self.whole else float
        return tuple(kind(low + number * step) for number in range(int(self._width / step) + 1))

    @property
    def _width(self) -> Decimal:
        return Decimal(str(self.high)) - Decimal(str(self.low))


def label(value: object) -> str:
    """A value as text: the text itself, or as TOML has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A value that a recipe's key may have on the command line."""
    flat = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(leaf, bool | int | float | str) for leaf in flat):
        raise ValueError("is not text, a number, true, false, or a list of those")
    return tuple(value) if isinstance(value, list) else value


def _different(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len({label(value) for value in values}) < len(values):
        raise ValueError("a value stands twice")
    return values


def _flat(table: Any) -> Any:
    """Keys of a recipe by their full names, however the file nests them; a table with `low` or `high` is a range."""
    if not isinstance(table, dict):
        return table
    flattened: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict) and not {"low", "high"} & value.keys():
            flattened |= {f"{key}.{name}": inner for name, inner in _flat(value).items()}
        else:
            flattened[key] = value
    return flattened


def _kind(value: Any) -> str:
    return "range" if isinstance(value, dict | Range) else "list"


PlainValue = Annotated[Any, AfterValidator(_plain)]
ListedValues = Annotated[tuple[PlainValue, ...], Field(min_length=1), AfterValidator(_different)]
Settings = Annotated[dict[str, PlainValue], BeforeValidator(_flat)]
Choices = Annotated[Annotated[Range, Tag("range")] | Annotated[ListedValues, Tag("list")], Discriminator(_kind)]


class Sweep(Section):
    """One study: which recipe, which of its keys, in which order they are tried, and how often each."""

    name: str
    description: str = ""
    recipe: str
    """A shipped one by name, or a file, seen from the sweep's own."""
    method: Literal["grid", "random", "tpe"] = "grid"
    """Every combination; by chance; or by chance first and then by what has been learned."""
    trials: Annotated[int, Field(ge=0)] = 0
    """How many combinations; a grid has its own number."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0,)
    """Every trial is trained once with each."""
    folds: Annotated[int, Field(ge=0)] = 0
    """Every trial is trained once on each fold of cross-validation; 0: validated on the recipe's share."""
    fixed: Settings = Field(default_factory=dict)
    """Keys of the recipe that are the same in all trials."""
    search: Annotated[dict[str, Choices], BeforeValidator(_flat)] = Field(default_factory=dict)
    """Key of the recipe to its values, or to a range."""
    bundles: dict[str, Annotated[dict[str, Settings], Field(min_length=2)]] = Field(default_factory=dict)
    """An axis by a name of its own to its choices, each of which sets several keys of the recipe together."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for sentence in (self._trials_wrong(), self._runs_wrong(), self._keys_wrong()):
            if sentence:
                raise ValueError(sentence)
        return self

    def _trials_wrong(self) -> str:
        if not self.search and not self.bundles:
            return "nothing is searched. Add a table [search], e.g. training.optimiser = ['sgd', 'adamw']"
        if self.method != "grid":
            return "" if self.trials else f"method '{self.method}' needs trials, how many of them"
        if self.trials:
            return "trials: a grid has as many as there are combinations. Leave it out, or choose method 'random'"
        endless = [key for key, axis in self.search.items() if isinstance(axis, Range) and axis.step is None]
        return f"{endless[0]}: a grid needs a list of values, or a range with a step" if endless else ""

    def _runs_wrong(self) -> str:
        if len(set(self.seeds)) < len(self.seeds):
            return "seeds: one stands twice"
        return "folds: one fold leaves nothing to train on. Write 0, or 2 and more" if self.folds == 1 else ""

    def _keys_wrong(self) -> str:
        """Each key of the recipe may be set in one place."""
        bundled = [{key for choice in axis.values() for key in choice} for axis in self.bundles.values()]
        keys = [*self.fixed, *self.search, *(key for axis in bundled for key in axis)]
        for key in keys:
            if key in OWN_KEYS:
                return f"{key} is the sweep's own matter: set {OWN_KEYS[key]}"
            if keys.count(key) > 1 or key in self.bundles:
                return f"{key} stands in two places"
        if "training.watch" in {*self.search}.union(*bundled):
            return "training.watch: an F1 can't be compared with a loss. Set it in [fixed]"
        return ""
