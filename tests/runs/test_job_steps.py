"""Job files with steps: settings of the job, settings of steps, and contradictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from connector.errors import RunError
from connector.runs.job import Job
from connector.runs.job_file import ONCE, load_job, load_jobs
from tests.runs.job_files import ABOVE, EVERYTHING, FIRST, write


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
        "wait": False,
        "fsync": False,
        "timezone": "",
        "times": "epoch",
        "empty": "omit",
        "with_names": "",
        "uploads": "own",
        "files": "own",
        "reveal_secrets": False,
        "read_only": False,
        "audit": "own.audit",
    }
    path = write(tmp_path, {**ABOVE, "steps": [FIRST, {**FIRST, "name": "second", **own}]})
    first, second = load_jobs(path)
    outputs = (str(tmp_path / "out/first.jsonl"), str(tmp_path / "own.json"))
    assert first == Job(
        action="list_devices",
        step="first",
        step_outputs=outputs,
        connection="{{ tenant }}",
        allow_connections={"acme": "acme"},
        input=str(tmp_path / "rows.csv"),
        input_format="csv",
        delimiter=";",
        encoding="cp1252",
        sheet="Devices",
        records="data.items",
        output=str(tmp_path / "out/first.jsonl"),
        delay_ms="auto",
        min_delay_ms=5,
        concurrency=4,
        on_error="stop",
        max_errors=9,
        max_rows=20,
        expect_rows="14",
        wait_s=1800.0,
        state="postgresql://user@host/state",
        fsync=True,
        timezone="Europe/Berlin",
        times="iso",
        empty="send",
        with_names="organization,location",
        uploads=tmp_path / "files",
        files=tmp_path / "downloads",
        reveal_secrets=True,
        read_only=True,
        audit=tmp_path / "audit.jsonl",
        summary=tmp_path / "summary.json",
        output_exists="overwrite",
        vars={"customer": "Acme"},
    )
    assert second == Job(
        action="list_devices",
        step="second",
        step_outputs=outputs,
        connection=str(tmp_path / "own.yaml"),
        input=str(tmp_path / "own.jsonl"),
        input_format=None,  # the one above is that of the input above
        output=str(tmp_path / "own.json"),
        delay_ms=7,
        min_delay_ms=5,
        max_errors=7,
        state="postgresql://user@host/state",
        max_rows=20,
        expect_rows="14",
        uploads=tmp_path / "own",
        files=tmp_path / "own",
        audit=tmp_path / "own.audit",
        summary=tmp_path / "summary.json",
        output_exists="overwrite",
        vars={"customer": "Acme"},
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
    for wrong, message in ((["a", "b", "a"], '"a" is listed twice'), (["a", " "], "a name is empty")):
        with pytest.raises(RunError, match=f"line [0-9]+: allow_connections: .*{message}"):
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
    with pytest.raises(RunError, match=f"the job has steps, and {name} is a setting of each step"):
        load_jobs(write(tmp_path, job_of({"name": "a"})), {name: "x"})


def test_options_replace_what_a_single_run_says_and_templates_one_by_one(tmp_path: Path) -> None:
    path = write(tmp_path, {"action": "x", "rows": "each", "templates": {"a": "1", "b": "2"}})
    (job,) = load_jobs(path, {"rows": "one", "templates": {"b": "3"}})
    assert (job.rows, job.templates) == ("one", {"a": "1", "b": "3"})


def test_a_job_with_steps_is_no_single_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="a job with steps is not supported here"):
        load_job(write(tmp_path, job_of({"name": "a"})))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"steps": []}, "line 1: steps: the list of steps is empty"),
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
        (job_of({"name": "A step"}), 'steps.0.name: "A step" is not a valid step name'),
        (job_of({"name": "row"}), 'steps.0.name: "row" is not a valid step name'),
        (job_of({"name": "a", "on_error": "ignore"}), '"ignore" is not one of continue, stop'),
        (job_of({"name": "a", "output": "-"}), "steps.0.output: the output of a step must be a file"),
        (job_of({"name": "a", "input": 5}), "steps.0.input: text is expected here"),
        (job_of({"name": "a"}, delay_ms=-1), "delay_ms: the delay cannot be negative"),
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
    tmp_path: Path, data: Any, message: str
) -> None:
    path = write(tmp_path, data)
    with pytest.raises(RunError) as caught:
        load_jobs(path)
    assert str(caught.value).startswith(f"{path}, line ")
    assert message in str(caught.value)
    assert not validator(schema("job.schema.json")).is_valid(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (job_of({"name": "a"}, {"name": "a"}), '"a" is also the name of an earlier step'),
        (
            job_of({"name": "alerts"}, {"name": "b", "input": {"step": "alert"}}),
            'no earlier step is named "alert" (did you mean "alerts"?)',
        ),
        (job_of({"name": "a", "input": {"step": "b"}}, {"name": "b"}), 'no earlier step is named "b"'),
        (job_of({"name": "a", "input": {"step": "a"}}), 'no earlier step is named "a"'),
        ({"steps": [FIRST]}, 'the step has no output: add "output: FOLDER" at the top'),
        (
            job_of({"name": "a", "output_format": "csv"}, {"name": "b", "input": {"step": "a"}}),
            "must be JSON Lines or JSON",
        ),
        (
            job_of({"name": "a", "output": "a.csv"}, {"name": "b", "input": {"step": "a"}}),
            "must be JSON Lines or JSON",
        ),
        (
            job_of({"name": "a", "output": "x.jsonl"}, {"name": "b", "output": "./x.jsonl"}),
            'the step has the same output as the step "a"',
        ),
        (job_of({"name": "a"}, {"name": "b"}, input="-"), "another step already reads standard input"),
    ],
)
def test_steps_that_do_not_fit_together(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(RunError) as caught:
        load_jobs(write(tmp_path, data))
    assert "job.yaml, line " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("key", [key for key in EVERYTHING if key not in ("action", "input", *ONCE)])
def test_the_schema_accepts_every_key_of_a_step(tmp_path: Path, key: str) -> None:
    data = job_of({"name": "a", key: EVERYTHING[key], "on_error": "stop"})
    load_jobs(write(tmp_path, data))
    validator(schema("job.schema.json")).validate(data)


def test_the_schema_accepts_a_job_of_steps(tmp_path: Path) -> None:
    following = {"name": "b", "action": "x", "input": {"step": "first", "only": "{{ true }}"}}
    data = {**ABOVE, "steps": [FIRST, following]}
    load_jobs(write(tmp_path, data))
    validator(schema("job.schema.json")).validate(data)
