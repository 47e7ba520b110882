import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from foveate.errors import TrainingError
from foveate.training.run.tensors import flatten, load_state, save_state, unflatten


def same(left: Any, right: Any) -> bool:
    """Equal in type, value and, for tensors, every bit and the order in memory."""
    if isinstance(left, Tensor):
        bits = [each.contiguous().reshape(-1).view(torch.uint8) for each in (left, right)]
        return left.dtype == right.dtype and left.stride() == right.stride() and torch.equal(*bits)
    if isinstance(left, dict):
        return isinstance(right, dict) and [*left] == [*right] and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return type(left) is type(right) and len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and (left == right or (left != left and right != right))


def round_trip(state: dict[str, Any], folder: Path) -> dict[str, Any]:
    save_state(folder, state)
    return load_state(folder)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**70),
        0.1 + 0.2,
        5e-324,
        math.inf,
        -math.inf,
        math.nan,
        "ü\n\x00",
        [],
        (),
        {},
        (1, [2.0, ("3",)], {}),
        {0: "zero", "0": "text", (1, 2): None},
        {"tensor": "a word of ours", "dict": [["float", "inf"]]},
    ],
    ids=repr,
)
def test_a_plain_value_comes_back_as_it_was(value: object, tmp_path: Path) -> None:
    assert same(round_trip({"value": value}, tmp_path), {"value": value})


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(1.5, dtype=torch.float64),
        torch.zeros(0, 3),
        torch.tensor([True, False]),
        torch.tensor([math.nan, -0.0, math.inf]).to(torch.bfloat16),
        torch.arange(2**16, dtype=torch.int64).reshape(2, -1),
        torch.rand(4, 3, 5, 7, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last),
        torch.rand(3, 4, generator=torch.Generator().manual_seed(1)).T,
        torch.Generator().manual_seed(7).get_state(),
    ],
    ids=lambda tensor: f"{tensor.dtype}{list(tensor.shape)}{list(tensor.stride())}",
)
def test_a_tensor_comes_back_bit_by_bit_and_in_its_order_in_memory(tensor: Tensor, tmp_path: Path) -> None:
    assert same(round_trip({"a": tensor, "b": [tensor]}, tmp_path), {"a": tensor, "b": [tensor]})


@pytest.mark.parametrize(
    "optimiser",
    [lambda weights: Adam(weights, 0.1), lambda weights: SGD(weights, 0.1, momentum=0.9)],
    ids=["adam", "sgd"],
)
@pytest.mark.parametrize(
    "scheduler",
    [
        lambda optimiser: LambdaLR(optimiser, lambda step: 1 / (step + 1)),
        lambda optimiser: ReduceLROnPlateau(optimiser, mode="max"),
        lambda optimiser: OneCycleLR(optimiser, 0.1, 5),
    ],
    ids=["lambda", "plateau", "one cycle"],
)
def test_the_state_of_optimiser_and_scheduler_comes_back_as_it_was(
    optimiser: Callable[[list[torch.nn.Parameter]], Optimizer],
    scheduler: Callable[[Optimizer], LRScheduler],
    tmp_path: Path,
) -> None:
    weights = torch.nn.Parameter(torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last))
    moving = optimiser([weights])
    schedule = scheduler(moving)
    for _ in range(2):
        weights.grad = weights.detach().square()
        moving.step()
        if isinstance(schedule, ReduceLROnPlateau):
            schedule.step(0.5)
        else:
            schedule.step()
    state = {"optimiser": moving.state_dict(), "scheduler": schedule.state_dict()}
    assert same(round_trip(state, tmp_path), state)


def test_a_value_that_can_not_be_kept_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="object"):
        flatten({"value": object()})


def test_the_tree_is_json_and_names_every_tensor_once() -> None:
    tree, tensors = flatten({"a": torch.ones(2), "b": (torch.zeros(1), {3: torch.ones(2)})})
    text = json.dumps(tree, allow_nan=False)
    assert [text.count(f'"tensor": "{name}"') for name in tensors] == [1, 1, 1]
    assert same(unflatten(json.loads(text), tensors)["b"][1][3], torch.ones(2))


def test_a_state_with_any_byte_changed_or_cut_off_is_refused_in_one_line(tmp_path: Path) -> None:
    save_state(tmp_path, {"network": {"weight": torch.arange(6.0)}, "epoch": 12})
    path = tmp_path / "state.safetensors"
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        for broken in (whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]):
            path.write_bytes(broken)
            with pytest.raises(TrainingError, match=r"state\.safetensors: is damaged.*--from") as caught:
                load_state(tmp_path)
            assert "\n" not in str(caught.value)


def test_a_foreign_file_and_a_pickle_in_its_place_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "state.safetensors")
    with pytest.raises(TrainingError, match="not written by foveate"):
        load_state(tmp_path)
    torch.save({"a": torch.ones(1)}, tmp_path / "state.safetensors")
    with pytest.raises(TrainingError, match="is damaged"):
        load_state(tmp_path)
