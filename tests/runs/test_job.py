"""Job files: every key, every mistake with its line, and paths that go by the file's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from connector.errors import RunFault
from connector.runs.job import Job, is_job, load_job, load_jobs, read_templates

EVERYTHING: dict[str, Any] = {
    "action": "update_device",
    "connection": "{{ tenant }}/of.yaml",
    "allow_connections": ["acme", "../globex.yaml"],
    "templates": {
        "device_id": "{{ id }}",
        "tags": ["{{ a }}"],
        "note": {"template": "{{ n }}", "empty": "send"},
        "owner": None,
        "count": 5,
    },
    "match_fields": True,
    "input": "rows.csv",
    "input_format": "csv",
    "output": "out/envelopes.json",
    "output_format": "json",
    "delay_ms": 0.5,
    "concurrency": 8,
    "on_error": "stop",
    "max_errors": 0,
    "fsync": True,
    "rows": "each",
    "keep_row": True,
    "uploads": "files",
    "files": "downloads",
    "reveal_secrets": True,
    "read_only": True,
    "audit": "audit.jsonl",
}


FIRST: dict[str, Any] = {"name": "first", "action": "list_devices"}
ABOVE: dict[str, Any] = {
    "steps": [FIRST],
    "connection": "{{ tenant }}",
    "allow_connections": ["acme"],
    "input": "rows.csv",
    "input_format": "csv",
    "output": "out",
    "delay_ms": 5,
    "concurrency": 4,
    "on_error": "stop",
    "max_errors": 9,
    "fsync": True,
    "uploads": "files",
    "files": "downloads",
    "reveal_secrets": True,
    "read_only": True,
    "audit": "audit.jsonl",
}


def write(folder: Path, data: Any) -> Path:
    path = folder / "job.yaml"
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False), "utf-8")
    return path


def test_every_key_of_a_job(tmp_path: Path) -> None:
    assert load_job(write(tmp_path, EVERYTHING)) == Job(
        action="update_device",
        connection="{{ tenant }}/of.yaml",
        allow_connections={"acme": "acme", "../globex.yaml": str(tmp_path / "../globex.yaml")},
        templates=EVERYTHING["templates"],
        match_fields=True,
        input=str(tmp_path / "rows.csv"),
        input_format="csv",
        output=str(tmp_path / "out/envelopes.json"),
        output_format="json",
        delay_ms=0.5,
        concurrency=8,
        on_error="stop",
        max_errors=0,
        fsync=True,
        rows="each",
        keep_row=True,
        uploads=tmp_path / "files",
        files=tmp_path / "downloads",
        reveal_secrets=True,
        read_only=True,
        audit=tmp_path / "audit.jsonl",
    )


def test_a_job_needs_only_an_action(tmp_path: Path) -> None:
    job = load_job(write(tmp_path, {"action": "list_devices"}))
    assert job == Job(action="list_devices", uploads=tmp_path)
    assert (job.input, job.output, job.connection, job.delay_ms, job.rows) == ("-", "-", None, None, "one")


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
    ("data", "said"),
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
        ({"action": "x", "delay_ms": -1}, "line 2: delay_ms: a delay cannot be less than 0"),
        ({"action": "x", "delay_ms": "5"}, "line 2: delay_ms: an integer or a number is expected here"),
        ({"action": "x", "delay_ms": True}, "line 2: delay_ms: an integer or a number is expected here"),
        ({"action": "x", "concurrency": 0}, "concurrency: 1 to 256 rows can be under way at a time"),
        ({"action": "x", "concurrency": 257}, "concurrency: 1 to 256 rows can be under way at a time"),
        ({"action": "x", "concurrency": 2.5}, "concurrency: an integer is expected here, not a number"),
        ({"action": "x", "concurrency": True}, "concurrency: an integer is expected here, not a boolean"),
        ({"action": "x", "on_error": "ignore"}, 'on_error: "ignore" is not one of continue, stop'),
        ({"action": "x", "max_errors": -1}, "max_errors: a number of rows cannot be less than 0"),
        ({"action": "x", "max_errors": None}, "max_errors: an integer is expected here, not null"),
        ({"action": "x", "fsync": "yes"}, "fsync: a boolean is expected here, not text"),
        ({"action": "x", "keep_row": 1}, "line 2: keep_row: a boolean is expected here"),
        ({"action": "x", 5: "y"}, "line 2: 5: the key 5 is an integer: write it in quotes"),
        ([], "line 1: a mapping is expected here, not an array"),
    ],
)
def test_a_mistake_has_its_line_and_the_schema_refuses_it_too(tmp_path: Path, data: Any, said: str) -> None:
    path = write(tmp_path, data)
    with pytest.raises(RunFault) as caught:
        load_job(path)
    assert str(caught.value).startswith(f"{path}, line ")
    assert said in str(caught.value)
    if not isinstance(data, dict) or all(isinstance(key, str) for key in data):
        assert not validator(schema("job.schema.json")).is_valid(data)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("action: x\nrows: each\nrows: one\n", 'line 3: the key "rows" stands here twice'),
        (
            "action: x\ndelay_ms: .nan\n",
            "line 2: delay_ms: an integer or a number is expected here, not text",
        ),
        ("action: [\n", "line 2: "),
        ("", "line 1: a mapping is expected here, not null"),
    ],
)
def test_a_file_that_is_no_job(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RunFault) as caught:
        load_job(write(tmp_path, text))
    assert said in str(caught.value)


@pytest.mark.parametrize("key", [key for key in EVERYTHING if key != "action"])
def test_the_schema_accepts_every_key_that_the_reader_accepts(tmp_path: Path, key: str) -> None:
    data = {"action": "x", key: EVERYTHING[key]}
    load_job(write(tmp_path, data))
    validator(schema("job.schema.json")).validate(data)


def test_the_schema_knows_no_key_that_the_reader_does_not() -> None:
    known = schema("job.schema.json")["$defs"]
    assert set(known["run"]["properties"]) == set(EVERYTHING)
    assert set(known["step"]["properties"]) == {*EVERYTHING, "name"}
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
    with pytest.raises(RunFault, match="a mapping of input names to templates is expected"):
        read_templates(write(tmp_path, ["a"]))
    with pytest.raises(RunFault, match="cannot be read"):
        read_templates(tmp_path / "nowhere.yaml")


# --- steps


def job_of(*steps: dict[str, Any], **above: Any) -> dict[str, Any]:
    """A job of steps without what every one of them needs."""
    return {
        "output": "out",
        "input": "rows.csv",
        **above,
        "steps": [{"action": "x", **step} for step in steps],
    }


def test_a_single_run_is_a_job_of_one(tmp_path: Path) -> None:
    path = write(tmp_path, EVERYTHING)
    assert load_jobs(path) == (load_job(path),)


def test_what_stands_above_the_steps_is_for_all_that_do_not_say_their_own(tmp_path: Path) -> None:
    own = {
        "connection": "own.yaml",
        "input": "own.jsonl",
        "output": "own.json",
        "delay_ms": 7,
        "concurrency": 1,
        "on_error": "continue",
        "max_errors": 7,
        "fsync": False,
        "uploads": "own",
        "files": "own",
        "reveal_secrets": False,
        "read_only": False,
        "audit": "own.audit",
    }
    path = write(tmp_path, {**ABOVE, "steps": [FIRST, {**FIRST, "name": "second", **own}]})
    first, second = load_jobs(path)
    assert first == Job(
        action="list_devices",
        step="first",
        connection="{{ tenant }}",
        allow_connections={"acme": "acme"},
        input=str(tmp_path / "rows.csv"),
        input_format="csv",
        output=str(tmp_path / "out/first.jsonl"),
        delay_ms=5,
        concurrency=4,
        on_error="stop",
        max_errors=9,
        fsync=True,
        uploads=tmp_path / "files",
        files=tmp_path / "downloads",
        reveal_secrets=True,
        read_only=True,
        audit=tmp_path / "audit.jsonl",
    )
    assert second == Job(
        action="list_devices",
        step="second",
        connection=str(tmp_path / "own.yaml"),
        input=str(tmp_path / "own.jsonl"),
        input_format=None,  # the one above is that of the input above
        output=str(tmp_path / "own.json"),
        delay_ms=7,
        max_errors=7,
        uploads=tmp_path / "own",
        files=tmp_path / "own",
        audit=tmp_path / "own.audit",
    )


def test_connections_that_are_allowed_are_read_once_and_exactly(tmp_path: Path) -> None:
    def allowed(*listed: str) -> dict[str, str]:
        return dict(
            load_job(write(tmp_path, {"action": "x", "allow_connections": [*listed]})).allow_connections
        )

    assert allowed(" acme ", "Acme", "/etc/a.yaml") == {
        "acme": "acme",
        "Acme": "Acme",
        "/etc/a.yaml": "/etc/a.yaml",
    }
    for wrong, said in ((["a", "b", "a"], '"a" is listed twice'), (["a", " "], "without a name")):
        with pytest.raises(RunFault, match=f"line [0-9]+: allow_connections: .*{said}"):
            allowed(*wrong)


def test_a_step_reads_what_came_of_an_earlier_one(tmp_path: Path) -> None:
    steps = (
        {"name": "a", "rows": "each"},
        {"name": "b", "input": {"step": "a", "only": "{{ a.ok }}"}, "output_format": "json"},
        {"name": "c", "input": {"step": "b"}, "output_format": "csv", "on_error": "stop"},
        {"name": "d", "input": {"step": "a"}, "keep_row": True},
    )
    a, b, c, d = load_jobs(write(tmp_path, job_of(*steps)))
    assert (b.follows, b.only, b.input, b.input_format) == ("a", "{{ a.ok }}", a.output, "jsonl")
    assert (c.follows, c.only, c.input, c.input_format) == ("b", "", b.output, "json")
    assert c.output == str(tmp_path / "out/c.csv")
    assert [step.keep_row for step in (a, b, c, d)] == [True, True, False, True]
    assert [step.on_error for step in (a, b, c, d)] == ["continue", "continue", "stop", "continue"]
    assert b.label == "b (x)"


def test_a_step_that_is_followed_may_drop_its_rows(tmp_path: Path) -> None:
    steps = ({"name": "a", "keep_row": False}, {"name": "b", "input": {"step": "a"}})
    assert load_jobs(write(tmp_path, job_of(*steps)))[0].keep_row is False


def test_options_hold_for_every_step(tmp_path: Path) -> None:
    steps = ({"name": "a", "connection": "own.yaml", "delay_ms": 9}, {"name": "b", "input": {"step": "a"}})
    given = {
        "connection": "sandbox.yaml",
        "delay_ms": 0.0,
        "input": "tonight.csv",
        "output": "elsewhere",
    }
    a, b = load_jobs(write(tmp_path, job_of(*steps)), given)
    assert a.connection == b.connection == "sandbox.yaml"
    assert a.delay_ms == b.delay_ms == 0
    assert (a.input, a.output) == ("tonight.csv", str(Path("elsewhere/a.jsonl")))
    assert (b.input, b.output) == (a.output, str(Path("elsewhere/b.jsonl")))


@pytest.mark.parametrize("name", ["templates", "rows", "keep_row", "match_fields", "output_format"])
def test_what_each_step_says_itself_is_no_option(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunFault, match=f"it has steps, and each of them says its own {name}"):
        load_jobs(write(tmp_path, job_of({"name": "a"})), {name: "x"})


def test_options_replace_what_a_single_run_says_and_templates_one_by_one(tmp_path: Path) -> None:
    path = write(tmp_path, {"action": "x", "rows": "each", "templates": {"a": "1", "b": "2"}})
    (job,) = load_jobs(path, {"rows": "one", "templates": {"b": "3"}})
    assert (job.rows, job.templates) == ("one", {"a": "1", "b": "3"})


def test_a_job_with_steps_is_no_single_run(tmp_path: Path) -> None:
    with pytest.raises(RunFault, match="a job with steps cannot be used here"):
        load_job(write(tmp_path, job_of({"name": "a"})))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"steps": []}, "line 1: steps: there are no steps in it"),
        ({"steps": {"a": {}}}, "steps: an array is expected here"),
        ({"steps": ["a"]}, "steps.0: a mapping is expected here, not text"),
        (job_of({}), 'steps.0: the key "name" is missing'),
        ({"output": "out", "steps": [{"name": "a"}]}, 'steps.0: the key "action" is missing'),
        (job_of({"name": "a"}, action="x"), 'action: unknown key "action"'),
        (job_of({"name": "a"}, keep_row=True), 'keep_row: unknown key "keep_row"'),
        (job_of({"name": "a"}, templates={}), 'templates: unknown key "templates"'),
        (
            job_of({"name": "a", "outptu": "y"}),
            'steps.0.outptu: unknown key "outptu" (did you mean "output"?)',
        ),
        (job_of({"name": "A step"}), 'steps.0.name: "A step" is no name for a step'),
        (job_of({"name": "row"}), 'steps.0.name: "row" is no name for a step'),
        (job_of({"name": "a", "on_error": "ignore"}), '"ignore" is not one of continue, stop'),
        (job_of({"name": "a", "output": "-"}), "steps.0.output: a step's output is a file"),
        (job_of({"name": "a", "input": 5}), "steps.0.input: text is expected here"),
        (job_of({"name": "a"}, delay_ms=-1), "delay_ms: a delay cannot be less than 0"),
        (
            job_of({"name": "a"}, {"name": "b", "input": {"step": "a", "format": "csv"}}),
            'steps.1.input.format: unknown key "format"',
        ),
        (
            job_of({"name": "a"}, {"name": "b", "input": {"step": ["a"]}}),
            "steps.1.input.step: text is expected here, not an array",
        ),
        (
            job_of({"name": "a"}, {"name": "b", "input": {"only": "{{ x }}"}}),
            'steps.1.input: the key "step" is missing',
        ),
        (
            job_of({"name": "a"}, {"name": "b", "input": {"step": "a"}, "input_format": "csv"}),
            'steps.1.input_format: unknown key "input_format"',
        ),
    ],
)
def test_a_mistake_in_steps_has_its_line_and_the_schema_refuses_it_too(
    tmp_path: Path, data: Any, said: str
) -> None:
    path = write(tmp_path, data)
    with pytest.raises(RunFault) as caught:
        load_jobs(path)
    assert str(caught.value).startswith(f"{path}, line ")
    assert said in str(caught.value)
    assert not validator(schema("job.schema.json")).is_valid(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (job_of({"name": "a"}, {"name": "a"}), '"a" is the name of an earlier step, too'),
        (
            job_of({"name": "alerts"}, {"name": "b", "input": {"step": "alert"}}),
            'no step "alert" comes before it (did you mean "alerts"?)',
        ),
        (job_of({"name": "a", "input": {"step": "b"}}, {"name": "b"}), 'no step "b" comes before it'),
        (job_of({"name": "a", "input": {"step": "a"}}), 'no step "a" comes before it'),
        ({"steps": [FIRST]}, 'it has no output: say "output: FOLDER" at the top'),
        (
            job_of({"name": "a", "output_format": "csv"}, {"name": "b", "input": {"step": "a"}}),
            "can be JSON Lines or JSON, but not CSV",
        ),
        (
            job_of({"name": "a", "output": "a.csv"}, {"name": "b", "input": {"step": "a"}}),
            "can be JSON Lines or JSON, but not CSV",
        ),
        (
            job_of({"name": "a", "output": "x.jsonl"}, {"name": "b", "output": "./x.jsonl"}),
            'its output is that of the step "a", too',
        ),
        (job_of({"name": "a"}, {"name": "b"}, input="-"), "another step reads standard input already"),
    ],
)
def test_steps_that_do_not_fit_together(tmp_path: Path, data: Any, said: str) -> None:
    with pytest.raises(RunFault) as caught:
        load_jobs(write(tmp_path, data))
    assert "job.yaml, line " in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("key", [key for key in EVERYTHING if key not in ("action", "input")])
def test_the_schema_accepts_every_key_of_a_step(tmp_path: Path, key: str) -> None:
    data = job_of({"name": "a", key: EVERYTHING[key], "on_error": "stop"})
    load_jobs(write(tmp_path, data))
    validator(schema("job.schema.json")).validate(data)


def test_the_schema_accepts_a_job_of_steps(tmp_path: Path) -> None:
    following = {"name": "b", "action": "x", "input": {"step": "first", "only": "{{ true }}"}}
    data = {**ABOVE, "steps": [FIRST, following]}
    load_jobs(write(tmp_path, data))
    validator(schema("job.schema.json")).validate(data)
