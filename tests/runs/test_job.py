"""Job files: every key, every mistake with its line, and paths that go by the file's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from connector.errors import RunError
from connector.runs.job import NO_INPUT, Job
from connector.runs.job_file import ONCE, is_job, load_job, read_templates
from tests.runs.job_files import ABOVE, EVERYTHING, write


def test_every_key_of_a_job(tmp_path: Path) -> None:
    assert load_job(write(tmp_path, EVERYTHING)) == Job(
        action="update_device",
        connection="{{ tenant }}/of.yaml",
        allow_connections={"acme": "acme", "../globex.yaml": str(tmp_path / "../globex.yaml")},
        templates=EVERYTHING["templates"],
        match_fields=True,
        empty="send",
        input=str(tmp_path / "rows.csv"),
        input_format="csv",
        delimiter=";",
        encoding="cp1252",
        sheet="Devices",
        records="data.items",
        output=str(tmp_path / "out/envelopes.json"),
        output_format="json",
        bom=True,
        results=True,
        errors=tmp_path / "failed.jsonl",
        output_exists="number",
        state="postgresql://user@host/state",
        summary=tmp_path / "summary.json",
        vars={"customer": "Acme", "count": 3},
        delay_ms="auto",
        min_delay_ms=1.5,
        concurrency=8,
        on_error="stop",
        max_errors=0,
        max_rows=20,
        expect_rows="10-20",
        wait_s=1800.0,
        fsync=True,
        timezone="Europe/Berlin",
        times="iso",
        with_names="organization,location",
        rows="each",
        keep_row=True,
        distinct="{{ tenant }}",
        uploads=tmp_path / "files",
        files=tmp_path / "downloads",
        reveal_secrets=True,
        read_only=True,
        audit=tmp_path / "audit.jsonl",
    )


def test_a_job_needs_only_an_action(tmp_path: Path) -> None:
    job = load_job(write(tmp_path, {"action": "list_devices"}))
    assert job == Job(action="list_devices", input=NO_INPUT, uploads=tmp_path)
    assert (job.output, job.connection, job.delay_ms, job.rows) == ("-", None, None, "one")


def test_streams_and_absolute_paths_are_not_below_the_folder(tmp_path: Path) -> None:
    paths = {"input": "-", "output": "-", "connection": "/etc/connection.yaml", "uploads": "/files"}
    job = load_job(write(tmp_path, {"action": "x", **paths}))
    assert (job.input, job.output) == ("-", "-")
    assert (job.connection, job.uploads) == ("/etc/connection.yaml", Path("/files"))
    assert load_job(write(tmp_path, {"action": "x", "input": "/rows.csv"})).input == "/rows.csv"


@pytest.mark.parametrize(
    ("connection", "is_file"),
    [("acme", False), ("acme.eu", False), ("acme.yaml", True), ("ACME.YML", True), ("./acme", True)],
)
def test_a_saved_connections_name_is_not_below_the_folder(
    tmp_path: Path, connection: str, is_file: bool
) -> None:
    job = load_job(write(tmp_path, {"action": "x", "connection": connection}))
    assert job.connection == (str(tmp_path / connection) if is_file else connection)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"acton": "x"}, 'line 1: the key "action" is missing'),
        ({"action": "x", "outptu": "y"}, 'line 2: outptu: unknown key "outptu" (did you mean "output"?)'),
        ({"action": 5}, "line 1: action: text is expected here, not an integer"),
        ({"action": "x", "templates": ["a"]}, "line 2: templates: an object is expected here"),
        ({"action": "x", "match_fields": "yes"}, "line 2: match_fields: a boolean is expected here"),
        ({"action": "x", "input": ["a"]}, "line 2: input: text is expected here, not an array"),
        ({"action": "x", "input_format": "xml"}, 'input_format: "xml" is not one of jsonl, json, csv, tsv'),
        ({"action": "x", "input_format": None}, "input_format: text is expected here, not null"),
        ({"action": "x", "output_format": "tsv"}, 'output_format: "tsv" is not one of jsonl, json, csv'),
        ({"action": "x", "rows": "all"}, 'line 2: rows: "all" is not one of one, each'),
        (
            {"action": "x", "delay_ms": "auto", "min_delay_ms": 0.5},
            "min_delay_ms: the shortest delay must",
        ),
        ({"action": "x", "delay_ms": -1}, "line 2: delay_ms: the delay cannot be negative"),
        ({"action": "x", "delay_ms": "5"}, "line 2: delay_ms: an integer or a number is expected here"),
        ({"action": "x", "delay_ms": True}, "line 2: delay_ms: an integer or a number is expected here"),
        ({"action": "x", "concurrency": 0}, "concurrency: 1 to 256 rows can run in parallel"),
        ({"action": "x", "concurrency": 257}, "concurrency: 1 to 256 rows can run in parallel"),
        ({"action": "x", "concurrency": 2.5}, "concurrency: an integer is expected here, not a number"),
        ({"action": "x", "concurrency": True}, "concurrency: an integer is expected here, not a boolean"),
        ({"action": "x", "on_error": "ignore"}, 'on_error: "ignore" is not one of continue, stop'),
        ({"action": "x", "max_errors": -1}, "max_errors: the number of rows cannot be negative"),
        ({"action": "x", "max_errors": None}, "max_errors: an integer is expected here, not null"),
        ({"action": "x", "max_rows": -1}, "line 2: max_rows: the number of rows cannot be negative"),
        ({"action": "x", "expect_rows": "ten"}, 'line 2: expect_rows: "ten" is not a number of rows'),
        ({"action": "x", "wait": "soon"}, 'line 2: wait: "soon" is not a duration'),
        ({"action": "x", "fsync": "yes"}, "fsync: a boolean is expected here, not text"),
        ({"action": "x", "keep_row": 1}, "line 2: keep_row: a boolean is expected here"),
        ({"action": "x", 5: "y"}, "line 2: 5: the key 5 is an integer: put it in quotes"),
        ([], "line 1: a mapping is expected here, not an array"),
    ],
)
def test_a_mistake_has_its_line_and_the_schema_refuses_it_too(
    tmp_path: Path, data: Any, message: str
) -> None:
    path = write(tmp_path, data)
    with pytest.raises(RunError) as caught:
        load_job(path)
    assert str(caught.value).startswith(f"{path}, line ")
    assert message in str(caught.value)
    if not isinstance(data, dict) or all(isinstance(key, str) for key in data):
        assert not validator(schema("job.schema.json")).is_valid(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("action: x\nrows: each\nrows: one\n", 'line 3: the key "rows" is repeated'),
        (
            "action: x\ndelay_ms: .nan\n",
            "line 2: delay_ms: an integer or a number is expected here, not text",
        ),
        ("action: [\n", "line 2: "),
        ("", "line 1: a mapping is expected here, not null"),
    ],
)
def test_a_file_that_is_no_job(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RunError) as caught:
        load_job(write(tmp_path, text))
    assert message in str(caught.value)


@pytest.mark.parametrize("key", [key for key in EVERYTHING if key != "action"])
def test_the_schema_accepts_every_key_that_the_reader_accepts(tmp_path: Path, key: str) -> None:
    data = {"action": "x", key: EVERYTHING[key]}
    load_job(write(tmp_path, data))
    validator(schema("job.schema.json")).validate(data)


def test_the_schema_knows_no_key_that_the_reader_does_not() -> None:
    known = schema("job.schema.json")["$defs"]
    assert set(known["run"]["properties"]) == set(EVERYTHING)
    assert set(known["step"]["properties"]) == {*EVERYTHING, "name"} - set(ONCE)
    assert set(known["steps"]["properties"]) == set(ABOVE)
    assert set(known["earlier"]["properties"]) == {"step", "only"}


@pytest.mark.parametrize(
    ("data", "allowed"),
    [
        ({}, None),
        ({"on_error": "continue"}, None),
        ({"on_error": "stop"}, 0),
        ({"max_errors": 3}, 3),
        ({"max_errors": 3, "on_error": "continue"}, 3),
        ({"max_errors": 3, "on_error": "stop"}, 0),
    ],
)
def test_how_many_rows_may_fail(tmp_path: Path, data: dict[str, Any], allowed: int | None) -> None:
    assert load_job(write(tmp_path, {"action": "x", **data})).errors_allowed == allowed


def test_a_times_template_without_quotes_stays_text(tmp_path: Path) -> None:
    job = load_job(write(tmp_path, "action: x\ntemplates:\n  end: 2026-12-01T06:00:00Z\n  at: 10:30\n"))
    assert job.templates == {"end": "2026-12-01T06:00:00Z", "at": "10:30"}


@pytest.mark.parametrize(
    ("name", "is_a_job"),
    [("job.yaml", True), ("a/b.YML", True), ("list_devices", False), ("yaml", False), ("x.json", False)],
)
def test_a_job_is_told_from_an_action_by_its_name(name: str, is_a_job: bool) -> None:
    assert is_job(name) is is_a_job


def test_a_file_of_templates(tmp_path: Path) -> None:
    path = write(tmp_path, {"name": "{{ a }}", "tags": ["x"]})
    assert read_templates(path) == {"name": "{{ a }}", "tags": ["x"]}
    with pytest.raises(RunError, match="expected a mapping of input names to templates"):
        read_templates(write(tmp_path, ["a"]))
    with pytest.raises(RunError, match="cannot be read"):
        read_templates(tmp_path / "nowhere.yaml")
