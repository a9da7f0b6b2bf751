"""The setting of the shared state: where it can be set, and that its password is not shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.cli.main import main
from connector.common.redaction import Redactor
from connector.connections.connection import load_connection, state_of
from connector.errors import RunError
from connector.files.file_output import OutputSettings
from connector.files.output_formats import OutputForm
from connector.runs.job import Job
from connector.runs.prepared import with_one_state
from connector.sandbox.ninjaone.server import Sandbox
from connector.state.databases import open_database
from connector.state.runs import DatabaseRunStore
from connector.state.setting import VARIABLE, find_state, without_passwords
from tests.fakes import write_lines
from tests.postgres import PASSWORD

JOB = "action: get_device\nmatch_fields: true\ninput: rows.jsonl\noutput: out.jsonl\ndelay_ms: 0\n"


@pytest.fixture
def folder(tmp_path: Path, connection_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}])
    (tmp_path / "job.yaml").write_text(JOB + "connection: connection.yaml\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def outputs(url: str) -> list[str]:
    return [output for (output,) in open_database(url).run("SELECT output FROM connector_run")]


@pytest.mark.parametrize("place", ["option", "job", "connection", "environment"])
def test_the_state_is_where_it_is_set(
    folder: Path, postgres: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "postgresql://127.0.0.1:9/other"
    arguments = ["run", "job.yaml"]
    if place == "option":
        arguments += ["--state", postgres]
        (folder / "job.yaml").write_text(f"{JOB}connection: connection.yaml\nstate: {other}\n")
    elif place == "job":
        (folder / "job.yaml").write_text(f"{JOB}connection: connection.yaml\nstate: {postgres}\n")
        with (folder / "connection.yaml").open("a") as file:
            file.write(f"state: {other}\n")
    elif place == "connection":
        with (folder / "connection.yaml").open("a") as file:
            file.write(f"state: {postgres}\n")
        monkeypatch.setenv(VARIABLE, other)
    else:
        monkeypatch.setenv(VARIABLE, postgres)
    assert main(arguments) == 0
    assert outputs(postgres) == ["out.jsonl"]


@pytest.mark.skipif(sys.platform == "win32", reason="the command is for sh")
def test_the_url_of_an_option_is_not_passed_on_to_other_commands(folder: Path, postgres: str) -> None:
    options = ["--state", postgres, "--notify-on", "always", "--notify-command", "env > environment"]
    assert main(["run", "job.yaml", *options]) == 0
    given = (folder / "environment").read_text()
    assert "NINJAONE_RUN_JOB=" in given
    assert PASSWORD not in given
    assert find_state() == ""


def test_the_steps_of_a_job_have_one_database(folder: Path, catalog: Catalog) -> None:
    first, second = folder / "connection.yaml", folder / "second.yaml"
    second.write_text(f"{first.read_text()}state: postgresql://me:{PASSWORD}@b/state\n")
    jobs = [Job("get_device", step=path.stem, connection=str(path)) for path in (first, second)]
    assert [job.state for job in with_one_state(jobs, catalog)] == [f"postgresql://me:{PASSWORD}@b/state"] * 2
    with first.open("a") as file:
        file.write("state: postgresql://a/state\n")
    with pytest.raises(
        RunError, match=r"different databases \(postgresql://a/state and postgresql://b/state\)"
    ):
        with_one_state(jobs, catalog)


def test_a_run_with_the_state_of_its_connection_is_found_by_the_time_in_its_name(
    folder: Path, postgres: str, sandbox: Sandbox
) -> None:
    (folder / "job.yaml").write_text(
        JOB.replace("out.jsonl", "\"out-{{ now | format_datetime('%H%M%S%f') }}.jsonl\"")
        + "connection: connection.yaml\n"
    )
    with (folder / "connection.yaml").open("a") as file:
        file.write(f"state: {postgres}\n")
    assert main(["run", "job.yaml"]) == 0
    (before,) = folder.glob("out-*.jsonl")
    content = before.read_bytes()
    before.unlink()
    sent = len(sandbox.log.requests())
    assert main(["run", "job.yaml", "--resume"]) == 0
    assert before.read_bytes() == content
    assert len(sandbox.log.requests()) == sent


@pytest.mark.parametrize("place", ["record", "option", "connection"])
def test_a_rerun_regards_unfinished_reruns_in_the_database_of_the_run(
    folder: Path,
    postgres: str,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    options = ["--state", postgres]
    if place == "record":
        options = ["--state", postgres.replace(f":{PASSWORD}", "")]
    elif place == "connection":
        options = []
        with (folder / "connection.yaml").open("a") as file:
            file.write(f"state: {postgres}\n")
    write_lines(folder / "rows.jsonl", [{"device_id": 999_999_999}])
    assert main(["run", "job.yaml", *options]) == 1
    other = Path("out.rerun.jsonl")
    DatabaseRunStore(postgres).open(OutputSettings(other, OutputForm(), {}, "new", Redactor())).close()
    monkeypatch.delenv(VARIABLE, raising=False)  # `--state` sets it for its process
    again = options if place == "option" else []
    assert main(["rerun", "out.jsonl", "-o", "other.jsonl", *again]) == 2
    assert f"{other}: another rerun of these rows is running or unfinished" in capsys.readouterr().err
    assert main(["rerun", str(other), *again]) == 2
    assert outputs(postgres) == ["out.jsonl", str(other)]


def test_the_variable_is_not_a_connection(
    service: Service, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "postgresql://host/state")
    with pytest.raises(RunError, match="no connection: save one"):
        load_connection(service, None)
    assert state_of(service, None) == ""


def test_no_file_and_no_message_has_the_password(folder: Path, postgres: str) -> None:
    program = [sys.executable, "-m", "connector"]
    environment = {
        **os.environ,
        "XDG_STATE_HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    done = subprocess.run(
        [*program, "run", "job.yaml", "--state", postgres, "--log-file", "log", "-vv"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    away = postgres.replace("127.0.0.1:", "127.0.0.1:1")
    lost = subprocess.run(
        [*program, "run", "job.yaml", "--state", away], capture_output=True, text=True, env=environment
    )
    assert lost.returncode == 2
    said = [done.stdout, done.stderr, lost.stdout, lost.stderr]
    said += [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]
    rows = [
        row
        for (table,) in open_database(postgres).run(
            "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'connector_%%'"
        )
        for row in open_database(postgres).run(f"SELECT * FROM {table}")
    ]
    assert PASSWORD not in "\n".join([*said, json.dumps(rows, default=str)])


def test_a_password_in_a_schedule_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"postgresql://me:{PASSWORD}@host/state"
    assert main(["schedule", "job.yaml", "--daily", "02:00", "--state", url]) == 2
    said = capsys.readouterr()
    assert "put the password in ~/.pgpass" in said.err
    assert main(["schedule", "job.yaml", "--daily", "02:00", "--state", "postgresql://me@host/state"]) == 0
    assert "--state postgresql://me@host/state" in capsys.readouterr().out
    assert PASSWORD not in said.out + said.err


def test_after_the_tables_are_made_a_worker_requires_no_rights_but_those_on_them(
    folder: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(postgres)
    database.run(f"CREATE ROLE worker_of_test LOGIN PASSWORD '{PASSWORD}'")
    try:
        database.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO worker_of_test")
        monkeypatch.setenv(VARIABLE, postgres.replace("tester:", "worker_of_test:"))
        assert main(["run", "job.yaml"]) == 0
        assert outputs(postgres) == ["out.jsonl"]
    finally:
        database.run("DROP OWNED BY worker_of_test")
        database.run("DROP ROLE worker_of_test")


@pytest.mark.parametrize(
    ("url", "without"),
    [
        ("postgresql://me:a@one:1,two/s?sslmode=prefer", "postgresql://me@one:1,two/s?sslmode=prefer"),
        ("postgres:///state?user=me&password=a&pass%77ord=b&sslpassword=c", "postgres:///state?user=me"),
        ("postgresql://host/state?password=a", "postgresql://host/state"),
    ],
)
def test_a_command_has_the_url_without_its_passwords(url: str, without: str) -> None:
    assert without_passwords(url) == without
