"""What processes of a cluster do and say, in this one: images at which they die, errors, and how the record ends."""

from __future__ import annotations

import gc
import io
import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ray_on_loopback import draw_small_images, masks_in

import foveate
from foveate.errors import FoveateError, OutputError, ServerError
from foveate.inference.remote.record import RemoteRecord
from foveate.inference.remote.store import RemoteStore
from foveate_command import green_model, images_in_record

ray = pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")
parquet = pytest.importorskip("pyarrow.parquet")

from foveate.inference.cluster import engine  # noqa: E402
from foveate.inference.cluster.connection import Cluster  # noqa: E402
from foveate.inference.cluster.joining import joined  # noqa: E402
from foveate.inference.cluster.worker import Worker  # noqa: E402

Prepared = Callable[[Path | str], tuple[Sequence[Any], Any]]


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """What a call on a cluster would send for eight images and a broken one, to a folder or an address."""
    draw_small_images(tmp_path / "images", 8, 1)
    monkeypatch.setattr(ray, "get", lambda told: told)

    def prepare(out: Path | str) -> tuple[Sequence[Any], Any]:
        sent: list[tuple[Sequence[Any], Any]] = []

        def run(items: Sequence[Any], call: Any, **_: Any) -> Iterator[Any]:
            sent.append((items, call))
            return iter(())

        with monkeypatch.context() as patched:
            patched.setattr(engine, "run_on_cluster", run)
            foveate.segment(tmp_path / "images", out, model=green_model(), engine="ray")
        return sent[0]

    return prepare


def rows(items: Sequence[Any], numbers: Iterable[int]) -> dict[str, Any]:
    """A batch as Ray hands it out."""
    return {"image": [pickle.dumps((number, items[number], "")) for number in numbers]}


def in_passes(items: Sequence[Any], call: Any) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for number, outcome in engine._in_passes(items, call, Cluster(1, 1, 0, 1, ""), call.execution, set()):
        assert number not in found
        found[number] = outcome
    return found


def test_what_was_sent_with_a_deadly_image_is_made_all_the_same(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items, call = prepared(tmp_path / "out")
    deadly = next(number for number, item in enumerate(items) if item.name == "good00003")
    worker = Worker(call)

    def streamed(sent: Iterable[dict[str, bytes]], size: int, *_: object) -> Iterator[Any]:
        """Batches at which a process dies are lost, without a word."""
        left = list(sent)
        while left:
            batch = [left.pop(0)["image"] for _ in range(min(size, len(left)))]
            if not any(number == deadly and not reason for number, _, reason in map(pickle.loads, batch)):
                yield from map(pickle.loads, worker({"image": batch})["said"])

    monkeypatch.setattr(engine, "_streamed", streamed)
    monkeypatch.setattr(engine, "BATCHES_EACH", 2)
    found = in_passes(items, call)
    assert found.keys() == set(range(9))
    failed = {items[number].name: outcome.error for number, outcome in found.items() if outcome.error}
    assert failed.keys() == {"broken0000", "good00003"}
    assert engine.GIVEN_UP in failed["good00003"]
    assert len(masks_in(tmp_path / "out")) == 7


def test_what_a_process_has_said_of_at_an_address_is_vouched_for_even_if_it_is_killed_then(
    prepared: Prepared, tmp_path: Path
) -> None:
    address = f"memory://{tmp_path}/out"
    items, call = prepared(address)
    said = [pickle.loads(each) for each in Worker(call)(rows(items, range(5)))["said"]]
    names = {items[each.number].name for each in said}
    assert len(names) == 5
    assert recorded(address, call).rows.keys() == names


def recorded(address: str, call: Any) -> RemoteRecord:
    store = RemoteStore(address)
    return RemoteRecord(store, store.path_of(address), call.destination.part, call.destination.names)


@pytest.mark.parametrize("there", [False, True], ids=["folder", "address"])
def test_what_several_processes_said_becomes_one_record(prepared: Prepared, tmp_path: Path, there: bool) -> None:
    out, address = tmp_path / "out", f"memory://{tmp_path}/out"
    items, call = prepared(address if there else out)
    parts = set()
    for numbers in (range(4), range(4, 9)):
        parts |= {pickle.loads(each).part for each in Worker(call)(rows(items, numbers))["said"]}
    gc.collect()  # as a process that ends: its part's lock goes with it
    assert joined(call, parts) is None
    names = sorted(item.name for item in items)
    if not there:
        assert sorted(images_in_record(out)) == names
        assert not (out / "segment.record").exists()
        return
    store = RemoteStore(address)
    (part,) = store.below(f"{store.path_of(address)}/segment.record", recursive=True)
    table = parquet.read_table(io.BytesIO(store.fetch(part.path)))
    assert sorted(table.column("name").to_pylist()) == names
    assert b"broken0000.png" in store.fetch(f"{store.path_of(address)}/segment.failed.csv")


def test_a_record_that_can_not_be_joined_is_said_and_not_raised(prepared: Prepared, tmp_path: Path) -> None:
    items, call = prepared(tmp_path / "out")
    Worker(call)(rows(items, range(2)))
    (tmp_path / "out/segment.json").write_text(json.dumps({"theirs": 1}), "utf-8")
    assert isinstance(joined(call, set()), OutputError)


def test_an_error_that_nobody_has_foreseen_is_one_line_with_its_image_and_keeps_its_traceback_as_cause(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items, call = prepared(tmp_path / "out")
    worker = Worker(call)

    def breaking(*_: object) -> Any:
        raise ZeroDivisionError("by nothing\nat all")

    monkeypatch.setattr(Worker, "_made", breaking)
    said = worker(rows(items, range(4)))["said"]
    monkeypatch.setattr(engine, "_streamed", lambda *_: map(pickle.loads, said))
    with pytest.raises(FoveateError) as told:
        in_passes(items, call)
    assert str(told.value).startswith(f"{items[0].key} or one of the 3 that were sent with it: ")
    assert "ZeroDivisionError: by nothing)" in str(told.value)
    assert "\n" not in str(told.value)
    assert "in breaking" in str(told.value.__cause__)


def test_an_error_that_ray_brings_from_another_machine_is_one_line_of_the_error_there() -> None:
    lost = ray.exceptions.RayTaskError("joined", "Traceback (most recent call last):\n  ...", KeyError("odd"))
    with pytest.raises(ServerError, match=r"can't work \(KeyError: 'odd'\)\. Repeat the call"), engine._plain_errors():
        raise lost.as_instanceof_cause()
