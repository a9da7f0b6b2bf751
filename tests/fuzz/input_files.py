"""Files of rows, in every format, compressed or not: rows with consecutive numbers, or a RunError."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from connector.errors import RunError
from connector.files.readers import FORMATS, RowSource
from tests.fuzz.target import JSON, Target, damaged, refused

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))
ROWS = [{"a": n, "b": f"{n} \u00e9 \U0001f600", "c": [None, {"d": 1.5}]} for n in range(30)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
ARRAY = json.dumps(ROWS, ensure_ascii=False).encode()
CELLS = b'a,b\n1,2\n"x ""y"" \n z",3\n,\n' * 5
SEEDS = [
    LINES,
    ARRAY,
    CELLS,
    CELLS.replace(b",", b"\t"),
    b"\xef\xbb\xbf" + LINES,
    b"",
    b"[" * 2000,
    b'{"a":' * 2000,
]
good_rows = st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=4), max_size=8)
inputs = st.tuples(
    st.one_of(
        damaged(SEEDS),
        damaged([gzip.compress(seed, mtime=0) for seed in SEEDS]),
        st.binary(max_size=60),
        good_rows,
    ),
    st.sampled_from([None, *FORMATS]),
    st.booleans(),
)


def check(given: tuple[Any, str | None, bool]) -> None:
    """Read the file; rows written in a format are read unchanged."""
    data, form, packed = given
    rows = data if isinstance(data, list) else None
    if rows is not None:
        form = "json" if packed else "jsonl"
        data = (json.dumps(rows) if packed else "".join(json.dumps(row) + "\n" for row in rows)).encode()
    path = FOLDER / "rows"
    path.write_bytes(gzip.compress(data, 1, mtime=0) if packed else data)
    source = RowSource(str(path), form)
    try:
        read = list(source.rows())
    except RunError as error:
        refused(error, path.name)
        return
    assert [row.number for row in read] == list(range(1, len(read) + 1))
    assert all(isinstance(row.data, dict) and len(row.error) < 1000 for row in read)
    assert source.count() == len(read)
    if rows is not None and not any(row.error for row in read):
        assert [row.data for row in read] == rows


TARGET = Target("input files", inputs, check)
