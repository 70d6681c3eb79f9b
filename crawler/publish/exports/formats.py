"""The formats of an export: rows into files, batch by batch, in flat memory; the same rows give the same bytes."""

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from crawler.publish.exports import csv_text
from crawler.publish.exports.codebook import Column, Table
from crawler.publish.exports.description import WrittenFile

Row = Sequence[Any]

ROW_GROUP_BYTES = 32 * 1024 * 1024
"""What Parquet's rows take in memory when they are written: readers take a file by such groups."""


class Output(io.RawIOBase):
    """A new file, digested while it is written. Raises FileExistsError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("xb")
        self._sha256 = hashlib.sha256()
        self._bytes = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Write all of *data*; its length."""
        size = self._file.write(data)
        self._sha256.update(data)
        self._bytes += size
        return size

    def finish(self) -> WrittenFile:
        """Have it on the disk, and say what was written."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return WrittenFile(path=self._path.name, bytes=self._bytes, sha256=self._sha256.hexdigest())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


class Writer(Protocol):
    """Writes one table in one format."""

    def write(self, rows: Sequence[Row]) -> None:
        """The next rows, at least one."""

    def finish(self) -> None:
        """What stands behind the last row."""


class _Csv:
    def __init__(self, output: Output, table: Table) -> None:
        self._output = output
        self._texts = frozenset(number for number, column in enumerate(table.columns) if column.type == "string")
        output.write(csv_text.BOM + csv_text.lines([[column.name for column in table.columns]]))

    def write(self, rows: Sequence[Row]) -> None:
        self._output.write(csv_text.lines(rows, texts=self._texts))

    def finish(self) -> None:
        pass


class _JsonLines:
    def __init__(self, output: Output, table: Table) -> None:
        self._output = output
        self._names = [column.name for column in table.columns]
        self._encode = json.JSONEncoder(ensure_ascii=False).encode

    def write(self, rows: Sequence[Row]) -> None:
        lines = (self._encode(dict(zip(self._names, row, strict=True))) for row in rows)
        self._output.write("".join(f"{line}\n" for line in lines).encode())

    def finish(self) -> None:
        pass


class _Parquet:
    def __init__(self, output: Output, table: Table) -> None:
        import pyarrow as pa  # noqa: PLC0415 - other formats need not wait for it
        from pyarrow import parquet  # noqa: PLC0415

        self._arrow = pa
        self._schema = pa.schema([self._field(column) for column in table.columns])
        self._writer = parquet.ParquetWriter(output, self._schema, compression="zstd")
        self._waiting: list[Any] = []

    def write(self, rows: Sequence[Row]) -> None:
        columns = zip(self._schema, zip(*rows, strict=True), strict=True)
        arrays = [self._array(field.type, values) for field, values in columns]
        self._waiting.append(self._arrow.record_batch(arrays, schema=self._schema))
        if sum(batch.nbytes for batch in self._waiting) > ROW_GROUP_BYTES:
            self._write_group()

    def finish(self) -> None:
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        group = self._arrow.Table.from_batches(self._waiting, self._schema)
        self._writer.write_table(group, row_group_size=max(group.num_rows, 1))
        self._waiting.clear()

    def _field(self, column: Column) -> Any:
        types = {
            "string": self._arrow.string(),
            "integer": self._arrow.int64(),
            "number": self._arrow.float64(),
            "date": self._arrow.date32(),
            "datetime": self._arrow.timestamp("us", tz="UTC"),
        }
        return self._arrow.field(column.name, types[column.type], metadata={"description": column.meaning})

    def _array(self, type_: Any, values: Sequence[Any]) -> Any:
        if self._arrow.types.is_temporal(type_):  # the archive has them as text
            return self._arrow.array(values, self._arrow.string()).cast(type_)
        return self._arrow.array(values, type_)


FORMATS: Mapping[str, Callable[[Output, Table], Writer]] = {"csv": _Csv, "parquet": _Parquet, "jsonl": _JsonLines}
"""By name, which is also what the files' names end in."""


class Statistics:
    """Counts of a table's rows as they pass."""

    def __init__(self, table: Table) -> None:
        self.rows = 0
        self.empty = [0] * len(table.columns)
        """Of each column, rows without a value."""
        self.longest = [0] * len(table.columns)
        """Of each column, characters of the longest text."""

    def add(self, rows: Sequence[Row]) -> None:
        """The next rows, at least one."""
        self.rows += len(rows)
        for number, values in enumerate(zip(*rows, strict=True)):
            self.empty[number] += values.count(None)
            texts = (len(value) for value in values if type(value) is str)
            self.longest[number] = max(self.longest[number], max(texts, default=0))
