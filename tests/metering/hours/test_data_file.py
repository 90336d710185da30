"""Closed files: their bytes follow from their rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from edge.durable import sha256_file
from metering.hours.data_file import GROUP_ROWS, SCHEMA, SMALL_ROWS, UsageFile


def test_a_closed_file_has_the_same_bytes_however_its_rows_were_handed_over(tmp_path: Path) -> None:
    rows = GROUP_ROWS + 5
    pattern = {"region": "de", "class": "https", "domain": "a.example.com"}
    columns: dict[str, Any] = {
        field.name: pa.array([pattern[field.name]] * rows)
        if field.name in pattern
        else pa.array(np.arange(rows), type=pa.int64()).cast(field.type)
        for field in SCHEMA
    }
    whole = pa.RecordBatch.from_pydict(columns, schema=SCHEMA)
    for size in (SMALL_ROWS - 1, SMALL_ROWS, GROUP_ROWS, rows):
        digests = set()
        for name, step in (("once", size), ("pieces", size // 3), ("tiny", size // 7)):
            with UsageFile(tmp_path / name) as file:
                for start in range(0, size, step):
                    file.add(whole.slice(start, min(step, size - start)))
            assert file.rows == size
            assert file.sha256 == sha256_file(tmp_path / name)
            digests.add(file.sha256)
        assert len(digests) == 1
