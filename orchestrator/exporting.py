"""Tables as CSV, JSON or Parquet.  Units stand in the header of a CSV, beside the rows in JSON, and in Parquet's
field metadata; what is not known is an empty cell, null, or null."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from orchestrator.campaign.rows import Rows


class ExportError(Exception):
    """The table cannot be written so; the message says what to do."""


def as_csv(table: Rows) -> str:
    """With a header of names and units, such as ``thickness [nm]``; numbers with all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.title for column in table.columns)
    writer.writerows(table.rows)
    return text.getvalue()


def as_json(table: Rows) -> str:
    """``{"units": {name: unit}, "rows": [{name: cell}]}``."""
    units = {column.name: column.unit for column in table.columns if column.unit}
    return json.dumps({"units": units, "rows": table.as_dicts()}, ensure_ascii=False, indent=1) + "\n"


def write_parquet(table: Rows, path: Path) -> None:
    """To the file at `path`; each field's metadata has its ``unit``.  Raises `ExportError`."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ExportError(
            'Parquet needs pyarrow, which is not installed: pip install "nightshift-lab[parquet]", or export CSV'
        ) from error
    kinds: dict[Any, Any] = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
    fields = [pa.field(c.name, kinds[c.kind], metadata={"unit": c.unit} if c.unit else None) for c in table.columns]
    cells = list(zip(*table.rows, strict=True)) or [() for _ in fields]
    arrays = [pa.array(column, type=field.type) for column, field in zip(cells, fields, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), path)
