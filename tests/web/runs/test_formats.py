"""The page of a run whose output has no envelopes, and the download of its output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.runs.output_names import absolute, id_of
from tests.cli import conftest as command_line
from tests.cli.conftest import Ninjaone
from tests.web.guest import Guest, open_site

TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "table": "text/plain",
    "jsonl": "application/jsonl",
}


in_process = command_line.in_process


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


@pytest.mark.parametrize("format", TYPES)
def test_a_run_with_results_is_shown_and_its_output_downloaded(
    guest: Guest,
    in_process: Ninjaone,
    connection_file: Path,
    tmp_path: Path,
    format: str,
) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1}\n{"id": 999}\n')
    done = in_process(
        "run", "get_device", "-c", "connection.yaml", "-i", "rows.jsonl", "-t", "device_id={{ id }}",
        "--results", "--output-format", format, "-o", "out", "--delay-ms", "0",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    id = id_of(absolute(tmp_path / "out"))
    page = guest.get(f"/runs/{id}")
    assert page.status_code == 200
    assert "not_found" in page.text
    download = guest.get(f"/runs/{id}/envelopes")
    assert download.status_code == 200
    assert download.headers["Content-Type"].startswith(TYPES[format])
    assert download.data == (tmp_path / "out").read_bytes()
