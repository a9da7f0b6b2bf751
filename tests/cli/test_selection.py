"""`--limit`, `--offset` and `--sample`: which rows of an input are run, and which a preview shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process

OF = ("get_device_link", "-c", "connection.yaml", "-i", "rows.jsonl")
RUN = ("run", *OF, "--delay-ms", "0", "-o", "out.jsonl")


@pytest.fixture(autouse=True)
def rows(connection_file: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}] * 40)


def numbers(text: str) -> list[int]:
    return [json.loads(line)["row"] for line in text.splitlines()]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--limit", "2"), [1, 2]),
        (("--limit", "2", "--offset", "3"), [4, 5]),
        (("--offset", "38"), [39, 40]),
        (("--limit", "9", "--offset", "39"), [40]),
        (("--offset", "40"), []),
        (("--limit", "2", "--max-rows", "2"), [1, 2]),
    ],
)
def test_a_part_of_the_rows_is_run_under_their_own_numbers(
    ninjaone: Ninjaone, tmp_path: Path, options: tuple[str, ...], expected: list[int]
) -> None:
    done = ninjaone(*RUN, *options)
    assert done.returncode == 0, done.stderr
    assert numbers((tmp_path / "out.jsonl").read_text()) == expected


def test_rows_of_standard_input_can_be_limited(ninjaone: Ninjaone) -> None:
    text = '{"device_id": 1}\n' * 3
    done = ninjaone("run", *OF[:3], "--delay-ms", "0", "--limit", "1", "--offset", "1", stdin=text)
    assert done.returncode == 0, done.stderr
    assert numbers(done.stdout) == [2]
    done = ninjaone("run", *OF[:3], "--sample", "1", stdin=text)
    assert done.returncode == 2
    assert "--sample requires a file" in done.stderr


def test_a_sample_depends_only_on_the_input(ninjaone: Ninjaone, tmp_path: Path) -> None:
    shown = [numbers(ninjaone("preview", *OF, "--json", "--sample", "5").stdout) for _ in range(2)]
    assert len(shown[0]) == 5
    assert shown[0] == shown[1] == sorted(set(shown[0]))
    assert ninjaone(*RUN, "--sample", "5").returncode == 0
    assert numbers((tmp_path / "out.jsonl").read_text()) == shown[0]
    assert numbers(ninjaone("preview", *OF, "--json", "--sample", "99").stdout) == [*range(1, 41)]
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 2}] * 40)
    assert numbers(ninjaone("preview", *OF, "--json", "--sample", "5").stdout) != shown[0]


def test_a_preview_shows_ten_rows_unless_told_otherwise(ninjaone: Ninjaone) -> None:
    done = ninjaone("preview", *OF, "--json")
    assert (numbers(done.stdout), done.stderr) == ([*range(1, 11)], "10 of 40 rows; --limit shows more\n")
    done = ninjaone("preview", *OF, "--json", "--offset", "25")
    assert (numbers(done.stdout)[0], done.stderr) == (26, "10 of 15 rows; --limit shows more\n")
    done = ninjaone("preview", *OF, "--json", "--limit", "40")
    assert (len(numbers(done.stdout)), done.stderr) == (40, "")
    done = ninjaone("preview", *OF[:3], "--json", stdin='{"device_id": 1}\n' * 11)
    assert (len(numbers(done.stdout)), done.stderr) == (10, "the first 10 rows; --limit shows more\n")


def test_resuming_requires_the_same_part_and_a_rerun_keeps_to_it(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": n} for n in (1, 999, 1, 999, 999, 999)])
    part = (*RUN, "--max-errors", "0", "--offset", "1", "--limit", "3")
    assert ninjaone(*part).returncode == 3
    refused = ninjaone(*RUN, "--limit", "4", "--resume")
    assert refused.returncode == 2
    assert "settings" in refused.stderr
    done = ninjaone(*RUN, "--offset", "1", "--limit", "3", "--resume")
    assert done.returncode == 1, done.stderr
    assert numbers((tmp_path / "out.jsonl").read_text()) == [2, 3, 4]
    done = ninjaone("rerun", "out.jsonl")
    assert done.returncode == 1, done.stderr
    assert numbers((tmp_path / "out.rerun.jsonl").read_text()) == [2, 4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sample", "2", "--limit", "1"), "--sample cannot be combined with --limit or --offset"),
        (("--limit", "0"), "the number of rows must be at least 1"),
        (("--offset", "-1"), "the number of rows cannot be negative"),
    ],
)
def test_options_that_select_nothing(ninjaone: Ninjaone, options: tuple[str, ...], message: str) -> None:
    done = ninjaone(*RUN, *options)
    assert done.returncode == 2
    assert message in done.stderr
