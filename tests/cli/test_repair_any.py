"""Repair of any set of failed rows, corrected in any order: each row succeeds exactly once."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.examples import examples

pytestmark = pytest.mark.in_process

EXISTING = "conflict"  # replaced by the name of an organization that exists
WRONG = (EXISTING, "")
"""A name that the API refuses, and one that the row lacks."""

ROUND = st.lists(st.sampled_from(("right", *WRONG, "omit", "keep")), min_size=6, max_size=6)
"""What a person does in one round with the name of each row that has failed."""
MORE = st.sampled_from(("", "again", "changed"))
"""What else happens in a round: the first corrections are run again, or the input of the run changes."""


@given(
    first=st.lists(st.sampled_from(("right", *WRONG)), min_size=1, max_size=6),
    rounds=st.lists(st.tuples(ROUND, MORE), max_size=3),
    shuffle=st.randoms(use_true_random=False),
)
@examples(24, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_row_succeeds_once(
    ninjaone: Ninjaone, tmp_path: Path, first: list[str], rounds: list[tuple[list[str], str]], shuffle: Any
) -> None:
    with Sandbox(devices=0) as sandbox, tempfile.TemporaryDirectory(dir=tmp_path) as name:
        folder = Path(name)
        existing = next(iter(sandbox.state.organizations.values()))["name"]
        before = Counter(one["name"] for one in sandbox.state.organizations.values())
        right = [f"Organization {number}" for number in range(1, len(first) + 1)]

        def value(kind: str, row: int) -> str:
            return right[row - 1] if kind == "right" else existing if kind == EXISTING else kind

        write(folder / "rows.csv", [{"name": value(kind, row)} for row, kind in enumerate(first, 1)])
        connection = "".join(f"{key}: {text}\n" for key, text in sandbox.connection.items())
        (folder / "connection.yaml").write_text(connection)
        out = folder / "out.jsonl"
        ninjaone(
            *("run", "create_organization", "-i", folder / "rows.csv", "-t", "name={{ name }}", "-o", out),
            *("-c", folder / "connection.yaml", "--delay-ms", 0),
        )
        given = (folder / "rows.csv").read_bytes()
        for kinds, more in (*rounds, (["right"] * 6, "again")):
            if more == "changed":
                (folder / "rows.csv").write_bytes(given.replace(existing.encode(), b"Other"))
                ninjaone("rerun", out)
                (folder / "rows.csv").write_bytes(given)
            fix = folder / "fix.csv"
            fix.unlink(missing_ok=True)
            ninjaone("failed", out, "-o", fix)
            if not fix.exists():
                continue
            with fix.open(newline="") as file:
                rows = list(csv.DictReader(file))
            kept = [row for row in rows if kinds[int(row["row"]) - 1] != "omit"]
            for row in kept:
                kind = kinds[int(row["row"]) - 1]
                row["name"] = row["name"] if kind == "keep" else value(kind, int(row["row"]))
            if rows and not (folder / "first.csv").exists():
                write(folder / "first.csv", [{**row, "name": right[int(row["row"]) - 1]} for row in rows])
            shuffle.shuffle(kept)
            if kept:
                write(fix, kept)
                ninjaone("rerun", out, "--input", fix)
            if more == "again" and (folder / "first.csv").exists():
                ninjaone("rerun", out, "--input", folder / "first.csv")
        made = Counter(one["name"] for one in sandbox.state.organizations.values()) - before
        assert made == Counter(right)
        sent = Counter(r["body"]["name"] for r in sandbox.log.requests() if r["method"] == "POST")
        assert sent - Counter({existing: sent[existing]}) == Counter(right)


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
