"""What the record at an address says of images, as rows of Parquet: columns to look at, and each entry as a whole."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pyarrow
from pyarrow import compute, parquet

from foveate.errors import OutputError
from foveate.inference.record import Common, Entry, ImageRecord

SCHEMA = pyarrow.schema(
    [
        ("name", pyarrow.string()),
        ("said", pyarrow.float64()),
        ("status", pyarrow.string()),
        ("input", pyarrow.string()),
        ("input_sha256", pyarrow.string()),
        ("input_version", pyarrow.string()),
        ("outputs", pyarrow.list_(pyarrow.string())),
        ("output_sha256", pyarrow.list_(pyarrow.string())),
        ("output_bytes", pyarrow.list_(pyarrow.int64())),
        ("seconds", pyarrow.float64()),
        ("error", pyarrow.string()),
        ("model_sha256", pyarrow.string()),
        ("expected_f1", pyarrow.map_(pyarrow.string(), pyarrow.float64())),
        ("entry", pyarrow.string()),
    ]
)
"""`said` is when, in seconds since 1970: of several rows of one name the last holds. `entry` is the image as
segment.json has it."""

ROWS_AT_ONCE = 10_000


class RecordRow(Entry, frozen=True, kw_only=True):
    """What a call said of one image."""

    name: str
    said: float
    """Seconds since 1970."""
    input_version: str
    """What changes with the input's content, as its store says, or its size and time of change."""
    sizes: dict[str, int]
    """By kind: bytes of the outputs."""
    image: ImageRecord


def as_parquet(rows: Sequence[RecordRow]) -> bytes:
    """The rows as a file's bytes."""
    return packed(pyarrow.Table.from_pylist([_cells(row) for row in rows], schema=SCHEMA))


def packed(table: pyarrow.Table) -> bytes:
    """A table as a file's bytes."""
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    return file.getvalue()


def table_of(content: bytes, place: str) -> pyarrow.Table:
    """All rows of a part. Raises OutputError for what is none."""
    try:
        return _part(content, place).read()
    except (pyarrow.ArrowException, OSError) as error:
        raise _no_part(place) from error


def _part(content: bytes, place: str) -> parquet.ParquetFile:
    file = parquet.ParquetFile(io.BytesIO(content))
    if not file.schema_arrow.equals(SCHEMA):
        raise _no_part(place)
    return file


def rows_of(content: bytes, place: str, names: Collection[str], common: Common) -> Iterator[RecordRow]:
    """The rows of a part that are about these names, a piece at a time. Raises OutputError for what is no part."""
    columns = ["name", "said", "input_version", "output_bytes", "entry"]
    try:
        for batch in _part(content, place).iter_batches(ROWS_AT_ONCE, columns=columns):
            named = [number for number, name in enumerate(batch.column("name").to_pylist()) if name in names]
            for cells in batch.take(pyarrow.array(named, pyarrow.int64())).to_pylist():
                yield _row(cells, common)
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, msgspec.MsgspecError) as error:
        raise _no_part(place) from error


def last_words(tables: Iterable[pyarrow.Table], most: int) -> Iterator[pyarrow.Table]:
    """One row for each name, the last that was said of it, by name, in tables of at most so many rows."""
    table = pyarrow.concat_tables(tables)
    order = compute.sort_indices(table, sort_keys=[("name", "ascending"), ("said", "ascending")])
    names = table.column("name").take(order)
    # The last row is the last of its name in any case.
    is_last = compute.not_equal(names.slice(0, len(names) - 1), names.slice(1)).to_pylist() + [True] * bool(len(names))
    last = order.filter(pyarrow.array(is_last))
    for first in range(0, len(last), most):
        # By pieces, as Arrow's texts have at most 2 GB in one.
        yield table.take(last.slice(first, most))


def _cells(row: RecordRow) -> dict[str, Any]:
    image = row.image
    return {
        "name": row.name,
        "said": row.said,
        "status": image.status,
        "input": image.input,
        "input_sha256": image.sha256,
        "input_version": row.input_version,
        "outputs": [output.file for output in image.outputs.values()],
        "output_sha256": [output.sha256 for output in image.outputs.values()],
        "output_bytes": [row.sizes[kind] for kind in image.outputs],
        "seconds": image.seconds,
        "error": image.error,
        "model_sha256": image.model.sha256 if image.model else "",
        "expected_f1": [(name, expected.value) for name, expected in image.expected_f1.items()],
        "entry": msgspec.json.encode(image).decode(),
    }


def _row(cells: dict[str, Any], common: Common) -> RecordRow:
    image = common.shared(msgspec.json.decode(cells["entry"], type=ImageRecord))
    sizes = dict(zip(image.outputs, cells["output_bytes"], strict=True))
    return RecordRow(
        name=cells["name"], said=cells["said"], input_version=cells["input_version"], sizes=sizes, image=image
    )


def _no_part(place: str) -> OutputError:
    return OutputError(f"{place}: is no part of a record of this foveate's. Move it away or choose another --out.")
