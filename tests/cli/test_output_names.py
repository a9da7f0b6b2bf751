"""Outputs named by time and variables, and outputs that exist, as nightly jobs use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.common.clock import SystemClock
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone

pytestmark = pytest.mark.in_process("patched")

NIGHT = 1_795_996_740.0
"""2026-11-29 23:59 UTC, which is the next day in Berlin."""
JOB = {
    "action": "get_device",
    "connection": "connection.yaml",
    "input": "rows.jsonl",
    "output": "{{ site }}-{{ now | format_datetime('%Y-%m-%d') }}.csv",
    "delay_ms": 0,
    "vars": {"site": "leeds"},
    "templates": {"device_id": "{{ id }}"},
}
Set = Callable[[float], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Set the time of the system's clock."""

    def set_time(now: float) -> None:
        monkeypatch.setattr(SystemClock, "now", lambda self: now)

    return set_time


@pytest.fixture(autouse=True)
def inputs(connection_file: Path, tmp_path: Path, at: Set) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1}\n{"id": 999}\n{"id": 3}\n')
    write(tmp_path)
    at(NIGHT)


def write(folder: Path, **changes: Any) -> None:
    (folder / "job.yaml").write_text(json.dumps({**JOB, **changes}))


def write_steps(folder: Path, **settings: Any) -> None:
    steps = [
        {"name": "a", "action": "get_device", "templates": {"device_id": "{{ id }}"}},
        {
            "name": "b",
            "action": "get_device_link",
            "input": {"step": "a"},
            "templates": {"device_id": "{{ id }}"},
        },
    ]
    job = {"connection": "connection.yaml", "input": "rows.jsonl", "delay_ms": 0, "steps": steps}
    (folder / "job.yaml").write_text(json.dumps({**job, **settings}))


def made(folder: Path) -> list[str]:
    ours = {"rows.jsonl", "job.yaml", "connection.yaml"}
    return sorted(path.name for path in folder.iterdir() if path.name not in ours)


def test_names_take_the_time_and_variables(ninjaone: Ninjaone, tmp_path: Path, at: Set) -> None:
    assert ninjaone("run", "job.yaml").returncode == 1
    assert made(tmp_path) == ["leeds-2026-11-29.csv"]
    at(NIGHT + 60)
    assert ninjaone("run", "job.yaml", "--var", "site=york").returncode == 1
    assert made(tmp_path) == ["leeds-2026-11-29.csv", "york-2026-11-30.csv"]
    again = ninjaone("run", "job.yaml", "--var", "site=york")
    assert (again.returncode, "york-2026-11-30.csv: already exists" in again.stderr) == (2, True)


def test_every_name_of_a_file_can_be_a_template(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "rows-29.jsonl").write_text('{"id": 1}\n{"id": 999}\n')
    day = "{{ now | format_datetime('%d') }}"
    names = {"input": "rows", "errors": "failed", "summary": "summary", "audit": "audit", "output": "o"}
    write(tmp_path, results=True, **{key: f"{name}-{day}.jsonl" for key, name in names.items()})
    done = ninjaone("run", "job.yaml")
    assert done.returncode == 1, done.stderr
    assert made(tmp_path) == sorted(f"{name}-29.jsonl" for name in names.values())
    assert json.loads((tmp_path / "summary-29.jsonl").read_text())["state"] == "finished"
    assert ninjaone("rerun", "failed-29.jsonl").returncode == 1


def test_names_on_the_command_line(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone("run", "get_device", "-c", "connection.yaml", "-i", "{{ rows }}.jsonl",
                    "--var", "rows=rows", "-o", "o-{{ now | format_datetime('%H%M') }}.jsonl",
                    "-t", "device_id={{ id }}",
                    "--summary", "{{ rows }}-summary.json", "--delay-ms", "0")  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert made(tmp_path) == ["o-2359.jsonl", "rows-summary.json"]


def test_the_date_is_that_of_the_time_zone(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write(tmp_path, timezone="Europe/Berlin")
    assert ninjaone("run", "job.yaml").returncode == 1
    assert made(tmp_path) == ["leeds-2026-11-30.csv"]


def test_variables_are_constants_of_templates(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    write(tmp_path, vars={"site": "x", "id": 7, "first": "1"}, templates={"device_id": "{{ first }}"})
    assert ninjaone("run", "job.yaml").returncode == 0
    write(tmp_path, templates={"device_id": "{{ id if other == 'b' else 1 }}"})
    (tmp_path / "rows.csv").write_text("id\n2\n")
    assert ninjaone("run", "job.yaml", "-i", "rows.csv", "--var", "other=b", "-o", "b.csv").returncode == 0
    paths = [request["path"] for request in sandbox.log.requests()]
    assert paths == ["/v2/device/1"] * 3 + ["/v2/device/2"]


def test_a_run_with_other_variables_is_not_resumed(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write(tmp_path, output="o.csv")
    assert ninjaone("run", "job.yaml", "--on-error", "stop").returncode == 3
    assert "settings" in ninjaone("run", "job.yaml", "--resume", "--var", "site=york").stderr
    assert ninjaone("run", "job.yaml", "--resume").returncode == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"output": "{{ id }}.csv"},
            'output: there is no variable "id"; the variables of file names: now, site',
        ),
        ({"output": "{{ site"}, "output: template, line 1"),
        ({"summary": "{{ row.id }}"}, "summary: "),
        ({"output": "{{ '' }}"}, 'output: the template gives "", which is not the name of a file'),
        ({"vars": {"site": None}}, "a variable must be text, a number or a boolean"),
        ({"vars": {"now": "x"}}, '"now" is not a valid name of a variable'),
        ({"vars": {"a-b": "x"}}, '"a-b" is not a valid name of a variable'),
    ],
)
def test_names_that_cannot_be_made(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write(tmp_path, **changes)
    done = ninjaone("run", "job.yaml")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert message in done.stderr
    assert "job.yaml, line 1" in done.stderr
    assert sandbox.log.requests() == []


# --- resumed -----------------------------------------------------------------------------------------------


def test_a_run_is_resumed_after_midnight_under_its_name(ninjaone: Ninjaone, tmp_path: Path, at: Set) -> None:
    assert ninjaone("run", "job.yaml", "--on-error", "stop").returncode == 3
    at(NIGHT + 3600)
    done = ninjaone("run", "job.yaml", "--resume")
    assert done.returncode == 1, done.stderr
    assert made(tmp_path) == ["leeds-2026-11-29.csv"]
    done = ninjaone("run", "job.yaml", "--resume")
    assert (done.returncode, "no unfinished run to resume" in done.stderr) == (2, True)


def test_the_latest_of_several_unfinished_runs_is_resumed_first(
    ninjaone: Ninjaone, tmp_path: Path, at: Set
) -> None:
    for now in (NIGHT, NIGHT + 86_400):
        at(now)
        assert ninjaone("run", "job.yaml", "--on-error", "stop").returncode == 3
    at(NIGHT + 2 * 86_400)
    assert ninjaone("run", "job.yaml", "--resume").returncode == 1
    assert made(tmp_path) == ["leeds-2026-11-29.csv.run", "leeds-2026-11-30.csv"]
    assert ninjaone("run", "job.yaml", "--resume").returncode == 1
    assert made(tmp_path) == ["leeds-2026-11-29.csv", "leeds-2026-11-30.csv"]


def test_steps_are_resumed_after_midnight_in_their_folder(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, at: Set
) -> None:
    output = "{{ now | format_datetime('%Y-%m-%d') }}"
    write_steps(tmp_path, output=output, on_error="stop")
    assert ninjaone("run", "job.yaml").returncode == 3
    before = len(sandbox.log.requests())
    at(NIGHT + 3600)
    done = ninjaone("run", "job.yaml", "--resume")
    assert done.returncode == 1, done.stderr
    assert made(tmp_path) == ["2026-11-29"]
    assert made(tmp_path / "2026-11-29") == ["a.jsonl", "b.jsonl"]
    assert len(sandbox.log.requests()) == before + 3  # the third device, and two links
    assert ninjaone("run", "job.yaml").returncode == 3
    assert made(tmp_path) == ["2026-11-29", "2026-11-30"]


def test_a_job_killed_between_its_steps_is_resumed_after_midnight(
    ninjaone: Ninjaone, tmp_path: Path, at: Set
) -> None:
    write_steps(tmp_path, output="{{ now | format_datetime('%Y-%m-%d') }}")
    assert ninjaone("run", "job.yaml").returncode == 1
    (tmp_path / "2026-11-29/b.jsonl").unlink()  # as if it was killed before the second step
    at(NIGHT + 3600)
    done = ninjaone("run", "job.yaml", "--resume")
    assert done.returncode == 1, done.stderr
    assert made(tmp_path) == ["2026-11-29"]
    assert made(tmp_path / "2026-11-29") == ["a.jsonl", "b.jsonl"]


# --- outputs that exist ------------------------------------------------------------------------------------


def test_a_number_is_added_to_the_name(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write(tmp_path, output="o.csv", output_exists="number", results=True, errors="e.jsonl")
    for _ in range(3):
        assert ninjaone("run", "job.yaml").returncode == 1
    assert made(tmp_path) == ["e-2.jsonl", "e-3.jsonl", "e.jsonl", "o-2.csv", "o-3.csv", "o.csv"]
    (tmp_path / "o-2.csv").unlink()
    assert ninjaone("run", "job.yaml", "--on-error", "stop").returncode == 3
    assert (tmp_path / "o-4.csv.run").is_dir()
    assert ninjaone("run", "job.yaml", "--resume").returncode == 1
    assert {"o-4.csv", "e-4.jsonl"} <= set(made(tmp_path))
    assert ninjaone("run", "job.yaml", "--output-exists", "fail").returncode == 2


def test_numbers_of_steps_are_those_of_one_run(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write_steps(tmp_path, output="out", output_exists="number")
    assert ninjaone("run", "job.yaml").returncode == 1
    (tmp_path / "rows.jsonl").write_text('{"id": 2}\n')
    assert ninjaone("run", "job.yaml").returncode == 0
    assert made(tmp_path / "out") == ["a-2.jsonl", "a.jsonl", "b-2.jsonl", "b.jsonl"]
    assert len((tmp_path / "out/b-2.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("named", [("out",), ("job.yaml",), ("out", "job.yaml")])
def test_failed_and_rerun_take_the_latest_run_and_name_its_outputs(
    ninjaone: Ninjaone, tmp_path: Path, at: Set, named: tuple[str, ...]
) -> None:
    write_steps(tmp_path, output="out", output_exists="number")
    for number in (998, 999):
        at(NIGHT + number)
        (tmp_path / "rows.jsonl").write_text(f'{{"id": {number}}}\n')
        assert ninjaone("run", "job.yaml").returncode == 1
    for command in ("failed", "rerun"):
        done = ninjaone(command, *named)
        said = "the outputs of several runs exist; those of the latest run: a-2.jsonl, b-2.jsonl\n"
        assert done.stderr.startswith(f"{named[0]}: {said}"), done.stderr
        assert command == "rerun" or [json.loads(line)["id"] for line in done.stdout.splitlines()] == [999]


@pytest.mark.parametrize("option", ["--input", "--output", "--errors", "--summary", "--audit", "--log-file"])
def test_a_name_that_is_empty(ninjaone: Ninjaone, option: str) -> None:
    done = ninjaone("run", "job.yaml", option, "")
    assert (done.returncode, "the name of the file is empty" in done.stderr) == (2, True)


@pytest.mark.parametrize(("key", "value"), [("input", ""), ("output", ""), ("summary", "")])
def test_a_name_that_is_empty_in_a_job(ninjaone: Ninjaone, tmp_path: Path, key: str, value: str) -> None:
    write(tmp_path, **{key: value})
    done = ninjaone("run", "job.yaml")
    assert (done.returncode, f"{key}: the name of the file is empty" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("given", ["-o", "job"])
def test_an_output_that_is_named_like_a_folder(ninjaone: Ninjaone, tmp_path: Path, given: str) -> None:
    write(tmp_path, output="o/" if given == "job" else "o.csv")
    done = ninjaone("run", "job.yaml", *(("-o", "o/") if given == "-o" else ()))
    assert done.returncode == 2
    assert done.stderr == "ninjaone: o/: the name of a folder; use a file for the output\n"
    assert made(tmp_path) == []


def test_a_complete_output_is_overwritten_and_an_unfinished_run_is_not(
    ninjaone: Ninjaone, tmp_path: Path
) -> None:
    write(tmp_path, output="o.csv", output_exists="overwrite")
    assert ninjaone("run", "job.yaml").returncode == 1
    (tmp_path / "rows.jsonl").write_text('{"id": 2}\n{"id": 999}\n{"id": 1}\n')
    assert ninjaone("run", "job.yaml", "--on-error", "stop").returncode == 3
    assert (
        (tmp_path / "o.csv").read_text().splitlines()[1].startswith("1,false,,1,")
    )  # until the new one is complete
    done = ninjaone("run", "job.yaml")
    assert (done.returncode, "an unfinished run is in" in done.stderr) == (2, True)
    assert ninjaone("run", "job.yaml", "--resume").returncode == 1
    assert (tmp_path / "o.csv").read_text().splitlines()[1].startswith("1,false,,2,")
    assert made(tmp_path) == ["o.csv"]


@pytest.mark.parametrize("setting", ["output", "errors", "summary"])
def test_the_input_is_never_overwritten(ninjaone: Ninjaone, tmp_path: Path, setting: str) -> None:
    rows = (tmp_path / "rows.jsonl").read_text()
    write(tmp_path, results=True, output_exists="overwrite", **{setting: "rows.jsonl"})
    done = ninjaone("run", "job.yaml")
    assert done.returncode == 2
    assert f"rows.jsonl: the input of the run; use another file name for {setting}" in done.stderr
    assert (tmp_path / "rows.jsonl").read_text() == rows


@pytest.fixture
def files(ninjaone: Ninjaone, tmp_path: Path) -> dict[str, bytes]:
    """All that a run reads, and the output of a run of it."""
    (tmp_path / "templates.yaml").write_text('device_id: "{{ id }}"\n')
    (tmp_path / "fixed.jsonl").write_text('{"row": 2, "id": 5}\n')
    write(tmp_path, output="out.jsonl")
    assert ninjaone("run", "job.yaml").returncode == 1
    return {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}


RUN_JOB = ("run", "job.yaml", "--templates", "templates.yaml", "-o", "new.jsonl")
RUN = ("run", "get_device", "-i", "rows.jsonl", "-c", "connection.yaml", "--templates", "templates.yaml")
RERUN = ("rerun", "out.jsonl", "--input", "fixed.jsonl")


@pytest.mark.parametrize("command", [RUN_JOB, RERUN])
@pytest.mark.parametrize("option", ["--summary", "--audit", "--log-file"])
def test_no_option_changes_what_a_command_reads(
    ninjaone: Ninjaone, tmp_path: Path, files: dict[str, bytes], command: tuple[str, ...], option: str
) -> None:
    for name in files:
        done = ninjaone(*command, option, name)
        assert done.returncode == 2, done.stderr
        assert f"{name}: already exists and is not a" in done.stderr
    assert {name: (tmp_path / name).read_bytes() for name in files} == files


@pytest.mark.parametrize("name", ["rows.jsonl", "job.yaml", "connection.yaml", "templates.yaml"])
def test_no_output_replaces_what_a_run_reads(
    ninjaone: Ninjaone, tmp_path: Path, files: dict[str, bytes], name: str
) -> None:
    command = RUN if name != "job.yaml" else ("run", "job.yaml")
    for option in ("-o", "--errors"):
        written = {"-o": "new.jsonl", "--errors": "errors.jsonl"} | {option: name}
        options = [part for pair in written.items() for part in pair]
        done = ninjaone(*command, "--results", *options, "--restart", "--yes")
        assert (done.returncode, "; use another file name for" in done.stderr) == (2, True), done.stderr
    assert {name: (tmp_path / name).read_bytes() for name in files} == files


@pytest.mark.parametrize("name", ["rows.jsonl", "out.jsonl", "fixed.jsonl"])
def test_no_output_of_a_rerun_replaces_what_it_reads(
    ninjaone: Ninjaone, tmp_path: Path, files: dict[str, bytes], name: str
) -> None:
    done = ninjaone(*RERUN, "-o", name, "--restart", "--yes")
    assert done.returncode == 2, done.stderr
    assert {name: (tmp_path / name).read_bytes() for name in files} == files


def test_earlier_files_of_the_same_kind_are_used_again(ninjaone: Ninjaone, files: dict[str, bytes]) -> None:
    for number in range(2):
        options = (
            "--summary",
            "s.json",
            "--audit",
            "a.jsonl",
            "--log-file",
            "l.txt",
            "-o",
            f"{number}.jsonl",
        )
        assert ninjaone("run", "job.yaml", *options).returncode == 1
