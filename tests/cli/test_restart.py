"""`--restart` over sent requests: it says what it repeats, and asks, or requires `--yes`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from connector.state.databases import open_database
from tests.cli.conftest import Ninjaone
from tests.cli.terminal import on_terminal
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

FILES = (
    "-c",
    "connection.yaml",
    "-i",
    "rows.jsonl",
    "-o",
    "out.jsonl",
    "--delay-ms",
    "0",
    "--max-errors",
    "0",
)
TICKET = (
    "run",
    "create_ticket",
    *FILES,
    "-t",
    "client_id=1",
    "-t",
    "ticket_form_id=1",
    "-t",
    "subject=T {{ n }}",
)
REBOOT = ("run", "reboot_device", *FILES, "-t", "device_id={{ n }}", "-t", "mode=NORMAL")
RENAME = ("run", "update_device", *FILES, "-t", "device_id={{ n }}", "-t", "display_name=X")
READ = ("run", "get_device", *FILES, "-t", "device_id={{ n }}")
QUESTION = "Continue? [y/N]: "
REPEATS = (
    "out.jsonl: the unfinished run has sent 2 requests of 2 rows that must not be repeated; --restart sends "
    "them again, --resume does not"
)
OVERWRITES = "out.jsonl is the output of a finished run; --restart overwrites it and runs all rows again"
YES = {REBOOT: ("--yes",)}
"""What the first run of each takes."""


@pytest.fixture(autouse=True)
def rows(connection_file: Path, tmp_path: Path) -> None:
    """Rows of which the third one ends a run: its device is missing, and so is its field."""
    write_lines(tmp_path / "rows.jsonl", [{"n": 1}, {"n": 2}, {"m": 3}, {"n": 4}])


def writes(sandbox: Sandbox) -> int:
    return sum(request["method"] != "GET" for request in sandbox.log.requests())


@pytest.fixture(params=[TICKET, REBOOT], ids=["write", "destructive"])
def unfinished(ninjaone: Ninjaone, sandbox: Sandbox, request: pytest.FixtureRequest) -> tuple[str, ...]:
    """A run that has sent two requests which must not be repeated."""
    command: tuple[str, ...] = request.param
    done = ninjaone(*command, *YES.get(command, ()))
    assert (done.returncode, writes(sandbox)) == (3, 2), done.stderr
    return command


@pytest.mark.usefixtures("each_state")
def test_over_an_unfinished_run_it_requires_a_yes_without_a_terminal(
    ninjaone: Ninjaone, sandbox: Sandbox, unfinished: tuple[str, ...]
) -> None:
    for more in ((), ("--json",)):
        refused = ninjaone(*unfinished, "--restart", *more, stdin="y\n")
        assert (refused.returncode, writes(sandbox)) == (2, 2)
        assert REPEATS in refused.stderr
        assert "requires --yes" in refused.stderr
    done = ninjaone(*unfinished, "--restart", "--yes")
    assert (done.returncode, writes(sandbox)) == (3, 4)
    assert REPEATS in done.stderr


@pytest.mark.parametrize(("response", "exit_code", "sent"), [("n", 2, 2), ("y", 3, 4)])
def test_over_an_unfinished_run_it_asks_on_a_terminal(
    sandbox: Sandbox, tmp_path: Path, unfinished: tuple[str, ...], response: str, exit_code: int, sent: int
) -> None:
    ended, screen = on_terminal((*unfinished, "--restart"), [(QUESTION, response)], tmp_path)
    assert (ended, writes(sandbox)) == (exit_code, sent), screen
    assert REPEATS in screen
    assert screen.count(QUESTION) == 1


def test_every_offer_of_it_says_what_it_would_repeat(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, unfinished: tuple[str, ...]
) -> None:
    effect = "--restart would repeat 2 requests that cannot be repeated safely"
    yes = YES.get(unfinished, ())
    again = ninjaone(*unfinished, *yes)
    assert (again.returncode, effect in again.stderr) == (2, True), again.stderr
    other = ninjaone(*unfinished, *yes, "--resume", "--keep-row")
    assert (other.returncode, effect in other.stderr) == (2, True), other.stderr
    assert "--export FILE" in other.stderr
    journal = tmp_path / "out.jsonl.run/journal.jsonl"
    journal.write_text(journal.read_text().replace('{"journal":2', '{"journal":9', 1))
    newer = ninjaone(*unfinished, *yes, "--resume")
    assert newer.returncode == 2
    assert "has version 9" in newer.stderr
    assert (
        "--restart would run all rows again, including requests that are not safe to repeat" in newer.stderr
    )
    assert "--export FILE" in newer.stderr
    assert ninjaone(*unfinished, "--restart").returncode == 2
    assert writes(sandbox) == 2


@pytest.mark.usefixtures("each_state")
@pytest.mark.parametrize("command", [RENAME, READ], ids=["idempotent", "read"])
def test_what_may_be_repeated_is_repeated_without_a_question(
    ninjaone: Ninjaone, tmp_path: Path, command: tuple[str, ...]
) -> None:
    assert ninjaone(*command).returncode == 3
    done = ninjaone(*command, "--restart")
    assert done.returncode == 3, done.stderr
    ended, screen = on_terminal((*command, "--restart"), [], tmp_path)
    assert ended == 3, screen


@pytest.mark.parametrize("command", [RENAME, TICKET, REBOOT], ids=["idempotent", "write", "destructive"])
def test_over_a_finished_output_it_asks_on_a_terminal_alone(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, command: tuple[str, ...]
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"n": 1}, {"n": 2}])
    yes = YES.get(command, ())
    assert ninjaone(*command, *yes).returncode == 0
    exists = ninjaone(*command, *yes)
    assert "already exists; use --restart to overwrite it, which runs all rows again" in exists.stderr
    assert ninjaone(*command, *yes, "--restart").returncode == 0
    ended, screen = on_terminal((*command, "--restart"), [(QUESTION, "n")], tmp_path)
    assert (ended, writes(sandbox)) == (2, 4), screen
    assert OVERWRITES in screen
    assert on_terminal((*command, "--restart"), [(QUESTION, "y")], tmp_path)[0] == 0
    assert writes(sandbox) == 6


def test_over_the_finished_output_of_a_read_it_does_not_ask(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"n": 1}])
    assert ninjaone(*READ).returncode == 0
    ended, screen = on_terminal((*READ, "--restart"), [], tmp_path)
    assert ended == 0, screen


def test_the_steps_of_a_job_and_the_tenants_of_a_run_count_too(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "job.yaml").write_text(
        "connection: connection.yaml\ninput: rows.jsonl\noutput: out\ndelay_ms: 0\non_error: stop\nsteps:\n"
        "  - {name: read, action: get_device, templates: {device_id: '1'}}\n"
        "  - name: ticket\n    action: create_ticket\n"
        "    templates: {client_id: '1', ticket_form_id: '1', subject: 'T {{ n }}'}\n"
    )
    tenants = (*TICKET, "-c", "{{ 'connection.yaml' }}", "--allow-connections", "connection.yaml")
    for command in (("run", "job.yaml"), tenants):
        before = writes(sandbox)
        assert ninjaone(*command).returncode == 3
        assert writes(sandbox) == before + 2
        refused = ninjaone(*command, "--restart")
        assert (refused.returncode, writes(sandbox)) == (2, before + 2)
        assert "the unfinished run has sent 2 requests of 2 rows" in refused.stderr


def test_a_journal_of_the_version_before_is_resumed(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    """There, a request's step counted the row's reads, too."""
    assert ninjaone(*TICKET).returncode == 3
    work = tmp_path / "out.jsonl.run"
    journal, partial = work / "journal.jsonl", work / "envelopes.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert lines[0].pop("journal") == 2
    lines[0]["journal"] = 1
    for line in lines[1:]:
        line["step"] += 3
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    partial.write_text("")  # no envelope was written: the responses are in the journal alone
    resumed = ninjaone(*TICKET, "--resume", "--max-errors", "4")
    assert resumed.returncode == 1, resumed.stderr
    envelopes = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [envelope["has_error"] for envelope in envelopes] == [False, False, True, False]
    assert writes(sandbox) == 3


@pytest.mark.parametrize("version", [2, 9])
def test_an_unfinished_run_is_exported_and_the_rest_of_it_rerun(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, version: int
) -> None:
    """Row 1 is finished, row 2 was sent, rows 3 and 4 were not: with any version of the journal."""
    assert ninjaone(*TICKET).returncode == 3
    work = tmp_path / "out.jsonl.run"
    journal, partial = work / "journal.jsonl", work / "envelopes.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    lines = [lines[0].replace('"journal":2', f'"journal":{version}'), *lines[1:4]]
    journal.write_text("".join(lines))
    rows_left = 2 if version == 2 else 0  # what else a journal of another version may say cannot be known
    partial.write_text(partial.read_text().splitlines(keepends=True)[0])
    done = ninjaone("rerun", "out.jsonl", "--export", "kept.jsonl")
    assert done.returncode == 0, done.stderr
    kept = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_text().splitlines()]
    assert [envelope["row"] for envelope in kept] == [1, 2, 3, 4]
    codes = [envelope["meta"]["code"] for envelope in kept]
    assert codes == [None, "outcome_unknown", *(["cancelled"] * 2 if rows_left else ["outcome_unknown"] * 2)]
    assert [envelope["meta"].get("repeatable") for envelope in kept[1:]] == [False] + [bool(rows_left)] * 2
    again = ninjaone("rerun", "kept.jsonl", "--max-errors", "9")
    assert (again.returncode, writes(sandbox)) == (1, 3 if rows_left else 2), again.stderr
    twice = ninjaone("rerun", "out.jsonl", "--export", "kept.jsonl")
    assert (twice.returncode, "kept.jsonl: already exists" in twice.stderr) == (2, True)
    nothing = ninjaone("rerun", "kept.jsonl", "--export", "other.jsonl")
    assert (nothing.returncode, "there is no unfinished run to export" in nothing.stderr) == (2, True)


@pytest.mark.usefixtures("both_states")
def test_an_unfinished_run_is_removed_and_with_what_it_sent_only_after_a_yes(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    assert ninjaone(*TICKET).returncode == 3
    discard = ("rerun", "out.jsonl", "--discard")
    refused = ninjaone(*discard)
    assert (refused.returncode, "has sent 2 requests not safe to repeat" in refused.stderr) == (2, True)
    assert ninjaone(*TICKET).returncode == 2
    done = ninjaone(*discard, "--yes")
    assert (done.returncode, done.stderr) == (0, "out.jsonl: the unfinished run was removed\n")
    assert not (tmp_path / "out.jsonl.run").exists()
    again = ninjaone(*discard, "--yes")
    assert (again.returncode, "out.jsonl: there is no unfinished run" in again.stderr) == (2, True)
    assert "no unfinished run to resume" in ninjaone(*TICKET, "--resume").stderr
    assert ninjaone(*READ).returncode == 3
    (tmp_path / "out.jsonl").write_text("of an earlier run")
    assert ninjaone(*discard).returncode == 0
    assert (tmp_path / "out.jsonl").read_text() == "of an earlier run"


def test_in_a_database_only_the_run_that_is_recorded_for_this_file_is_removed(
    postgres: str, ninjaone: Ninjaone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two folders have an output of the same name, whose run the second one has replaced."""
    monkeypatch.setenv("NINJAONE_STATE", postgres)
    here, other = tmp_path / "out.jsonl", tmp_path / "other" / "out.jsonl"
    other.parent.mkdir()
    discard = ("rerun", "out.jsonl", "--discard", "--yes")
    assert ninjaone(*TICKET).returncode == 3
    for name in ("connection.yaml", "rows.jsonl"):
        (other.parent / name).write_bytes((tmp_path / name).read_bytes())

    def refused(command: Sequence[str], folder: Path, which: Path | None) -> None:
        done = ninjaone(*command, folder=folder)
        advice = f"rerun {which} --discard` removes it" if which else "has no record; run its job"
        assert (done.returncode, advice in done.stderr) == (2, True), done.stderr
        assert re.search("the unfinished run (of out.jsonl|with this name) in", done.stderr)
        assert len(open_database(postgres).run("SELECT 1 FROM connector_journal")) == 2

    refused(discard, other.parent, here)
    refused((*TICKET, "--restart", "--yes", "--limit", "3"), other.parent, here)
    export = ("rerun", "out.jsonl", "job.yaml", "--export", "kept.jsonl")
    settings = {"connection": "connection.yaml", "input": "rows.jsonl", "output": "out.jsonl"}
    templates = {"client_id": "1", "ticket_form_id": "1", "subject": "T {{ n }}"}
    job = {"action": "create_ticket", **settings, "templates": templates}
    (other.parent / "job.yaml").write_text(json.dumps({**job, "keep_row": True}))
    refused(export, other.parent, here)
    (other.parent / "job.yaml").write_text(json.dumps(job))
    assert ninjaone(*export, folder=other.parent).returncode == 0  # The same job can be exported elsewhere.
    assert ninjaone(*TICKET, "--restart", "--yes", folder=other.parent).returncode == 3
    refused(discard, tmp_path, other)
    database = open_database(postgres)
    ((before,),) = database.run("SELECT fingerprint FROM connector_run")
    change = "UPDATE connector_run SET fingerprint = %s::jsonb"
    database.run(f"{change} RETURNING 1", [json.dumps({**before, "action": "another"})])
    refused(discard, other.parent, None)  # another database has another run with this id
    database.run(f"{change} RETURNING 1", [json.dumps(before)])
    database.run("INSERT INTO connector_shared_run (run, settings) SELECT id, '{}' FROM connector_run")
    done = ninjaone("rerun", str(other), "--discard", "--yes")
    assert (done.returncode, "temporal workflow cancel --workflow-id run-" in done.stderr) == (0, True)
    assert (database.run("SELECT 1 FROM connector_run"), other.with_name("out.jsonl.run").exists()) == (
        [],
        False,
    )


def test_an_exported_run_is_not_the_unfinished_one(
    postgres: str, ninjaone: Ninjaone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NINJAONE_STATE", postgres)
    assert ninjaone(*TICKET).returncode == 3
    assert ninjaone("rerun", "out.jsonl", "--export", "kept.jsonl").returncode == 0
    done = ninjaone("rerun", "kept.jsonl", "--discard", "--yes")
    assert (done.returncode, "kept.jsonl: there is no unfinished run" in done.stderr) == (2, True), (
        done.stderr
    )


@pytest.mark.usefixtures("each_state")
def test_tenants_are_exported_in_the_order_of_the_rows(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    tenants = (*TICKET, "-c", "{{ 'connection.yaml' }}", "--allow-connections", "connection.yaml")
    assert ninjaone(*tenants).returncode == 3
    done = ninjaone("rerun", "out.jsonl", "--export", "kept.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    counts = {"finished": 3, "in_doubt": 0, "not_run": 1}
    assert json.loads(done.stderr) == {"exported": "kept.jsonl", **counts}
    assert ninjaone("rerun", "kept.jsonl", "--max-errors", "9").returncode == 1
    assert writes(sandbox) == 3
