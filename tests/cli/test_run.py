"""`ninjaone run`: input and output files, exit codes and messages."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from connector.files.journal import VERSION
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines
from tests.interruption import hold_from, interrupt, wait_for_requests

pytestmark = pytest.mark.in_process


def envelopes(path: Path) -> list[dict[str, Any]]:
    """Read a JSON Lines output; every envelope must be what its schema says."""
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    check = validator(schema("envelope.schema.json"))
    for envelope in found:
        check.validate(envelope)
    return found


def test_rows_become_envelopes_in_order(ninjaone: Ninjaone, connection_file: Path, tmp_path: Path) -> None:
    rows = write_lines(
        tmp_path / "rows.jsonl", [{"d": 1}, {"d": "2"}, {"d": 0}, {"e": 1}, "{broken", {"d": 999}]
    )
    done = ninjaone(
        "run", "get_device_link", "-c", connection_file, "-i", rows, "-o", "out.jsonl",
        "-t", "device_id={{ d }}", "--delay-ms", 0,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    found = envelopes(tmp_path / "out.jsonl")
    assert [e["row"] for e in found] == [1, 2, 3, 4, 5, 6]
    codes = [e["meta"]["code"] for e in found]
    assert codes == [None, None, "input_invalid", "template_error", "input_invalid", "not_found"]
    assert "6 rows, 2 succeeded, 4 failed" in done.stderr
    assert "2 input_invalid, for example row 3" in done.stderr
    assert not (tmp_path / "out.jsonl.run").exists()
    assert done.stdout == ""


def test_a_quote_that_is_not_closed_stops_the_run_before_anything_is_sent(
    ninjaone: Ninjaone, sandbox: Sandbox, connection_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text('device_id,display_name\n1,PC\n2,"PC\n3,PC\n')
    arguments = ("update_device", "-c", connection_file, "-i", "rows.csv", "--match-fields")
    for command in (("run", *arguments, "-o", "out.jsonl", "--delay-ms", 0), ("preview", *arguments)):
        done = ninjaone(*command)
        assert done.returncode == 2, done.stderr
        assert 'rows.csv, line 3: the quote at "PC is not closed, so that the next line is' in done.stderr
    assert sandbox.log.requests() == []
    assert not (tmp_path / "out.jsonl").exists()


def test_all_rows_succeeding_exits_0(ninjaone: Ninjaone, connection_file: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("device_id,reason\n1,patching\n2,\n", encoding="utf-8")
    done = ninjaone(
        "run", "reboot_device", "--yes", "-c", connection_file, "-i", "rows.csv", "-t", "mode=NORMAL",
        "--match-fields", "-o", "out.json", "--keep-row", "--delay-ms", 0,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    assert [e["input"] for e in found] == [
        {"device_id": "1", "reason": "patching"},
        {"device_id": "2", "reason": ""},
    ]


def test_standard_input_to_standard_output(ninjaone: Ninjaone, connection_file: Path) -> None:
    done = ninjaone(
        "run", "cancel_maintenance", "-c", connection_file, "--delay-ms", 0, stdin='{"device_id": 3}\n'
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["meta"]["action"] == "cancel_maintenance"


def test_a_column_with_the_name_of_the_delay_is_an_ordinary_column(
    ninjaone: Ninjaone, connection_file: Path, sandbox: Sandbox
) -> None:
    row = '{"device_id": 3, "display_name": "PC", "delay_ms": "3600000"}'
    run = ("run", "update_device", "-c", connection_file, "--delay-ms", 0)
    assert ninjaone(*run, stdin=f"{row}\n{row}\n").returncode == 0
    named = ("-t", "device_id={{ device_id }}", "-t", "display_name={{ delay_ms }}")
    assert ninjaone(*run, *named, stdin=row).returncode == 0
    assert [r["body"]["displayName"] for r in sandbox.log.requests()] == ["PC", "PC", "3600000"]
    for refused in (
        ninjaone("call", "get_device", "device_id=1", "delay_ms=0", "-c", connection_file),
        ninjaone(*run, *named, "-t", "delay_ms=0", stdin=row),
    ):
        assert refused.returncode == 2
        assert 'no input "delay_ms": it is a setting of the whole run; set it with' in refused.stderr


def test_a_list_as_a_table_of_its_items(ninjaone: Ninjaone, connection_file: Path, tmp_path: Path) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"limit": 3}])
    done = ninjaone(
        "run", "list_devices", "-c", connection_file, "-i", rows, "--rows", "each", "-o", "devices.csv"
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "devices.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["id"] for line in table] == ["1", "2", "3"]
    assert list(table[0])[:3] == ["row", "has_error", "error"]


def test_a_job_file_with_paths_of_its_own(ninjaone: Ninjaone, connection_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "jobs"
    folder.mkdir()
    with gzip.open(folder / "rows.jsonl.gz", "wt") as file:
        file.write('{"n": 4}\n')
    (folder / "job.yaml").write_text(
        "action: update_device\nconnection: ../connection.yaml\ninput: rows.jsonl.gz\noutput: out.jsonl\n"
        "delay_ms: 0\ntemplates:\n  device_id: '{{ n }}'\n  display_name: Kiosk {{ n }}\n"
    )
    done = ninjaone("run", "jobs/job.yaml")
    assert done.returncode == 0, done.stderr
    assert envelopes(folder / "out.jsonl")[0]["has_error"] is False


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "reboot_devise"], 'no action "reboot_devise" (did you mean "reboot_device"?)'),
        (
            ["run", "reboot_device", "--yes", "-t", "devise_id=1"],
            'no input "devise_id" (did you mean "device_id"?)',
        ),
        (["run", "reboot_device", "--yes", "-t", "device_id={{ x"], "device_id: template, line 1"),
        (["run", "reboot_device", "--yes", "-t", "device_id={{ x | nope }}"], "nope"),
        (["run", "reboot_device", "--yes", "-t", "device_id=1"], "requires mode"),
        (["run", "reboot_device", "--yes", "-i", "nowhere.jsonl"], "nowhere.jsonl: no such file or folder"),
        (["run", "reboot_device", "--yes", "-i", "folder"], "the folder has no part-* files"),
        (
            ["run", "reboot_device", "--yes", "-i", "rows.jsonl", "-o", "missing/out"],
            "the folder missing does not exist",
        ),
        (["run", "reboot_device", "--yes", "-i", "rows.jsonl", "-o", "folder"], "is a folder"),
        (["run", "reboot_device", "--yes", "-i", "twice.csv"], 'has the column "a" twice'),
        (["run", "job.yaml"], "job.yaml, line 2: actoin"),
        (
            ["run", "reboot_device", "--yes", "-i", "rows.jsonl", "-c", "none.yaml"],
            "none.yaml: cannot be read",
        ),
        (
            ["run", "reboot_device", "--yes", "-i", "rows.jsonl", "-c", "wrong.yaml"],
            'no region "eu1" (did you mean "eu"?)',
        ),
        (
            ["run", "reboot_device", "--yes", "-i", "rows.jsonl", "--resume"],
            "cannot be resumed or restarted",
        ),
        (["rnu", "reboot_device"], 'no command "rnu" (did you mean "run"?)'),
        (
            ["list_devices"],
            'no command "list_devices"; to run this action, use `ninjaone call list_devices`, or `ninjaone '
            "run list_devices` for the rows of a file",
        ),
        (["halopsa.list_tickets"], "use `ninjaone call halopsa.list_tickets`"),
        (["list_devcies"], 'no command "list_devcies" (did you mean "call list_devices"?)'),
        (["My job.yaml"], "; to run a job: ninjaone run 'My job.yaml'"),
        (["xyzzy"], 'no command "xyzzy"; `ninjaone --help` lists the commands'),
    ],
)
def test_a_fault_of_the_run_sends_nothing_and_writes_nothing(
    ninjaone: Ninjaone,
    sandbox: Sandbox,
    connection_file: Path,
    tmp_path: Path,
    arguments: list[str],
    says: str,
) -> None:
    (tmp_path / "folder").mkdir()
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1, "mode": "NORMAL"}])
    (tmp_path / "twice.csv").write_text("a,a\n1,2\n")
    (tmp_path / "job.yaml").write_text("action: reboot_device\nactoin: reboot_device\n")
    (tmp_path / "wrong.yaml").write_text("region: eu1\nclient_id: a\nclient_secret: b\n")
    before = set(tmp_path.iterdir())
    environment = {f"NINJAONE_{n.upper()}": v for n, v in sandbox.connection.items()}
    done = ninjaone(*arguments, **environment)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert set(tmp_path.iterdir()) == before
    assert sandbox.log.requests() == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"NINJAONE_CLIENT_ID": "someone-else"},
            "the client id is wrong, or the app belongs to another region",
        ),
        ({"NINJAONE_CLIENT_SECRET": "wrong-secret"}, "refuses the client secret"),
        ({"NINJAONE_SCOPE": "offline_access"}, "lacks a scope"),
        ({"NINJAONE_BASE_URL": "http://127.0.0.1:9"}, "no connection"),
    ],
)
def test_a_sign_in_that_fails_is_a_fault_of_the_run(
    ninjaone: Ninjaone, sandbox: Sandbox, change: dict[str, str], says: str
) -> None:
    environment = {f"NINJAONE_{n.upper()}": v for n, v in sandbox.connection.items()}
    done = ninjaone("run", "list_devices", "-o", "out.jsonl", stdin="{}\n", **{**environment, **change})
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert sandbox.client_secret not in done.stderr
    assert "wrong-secret" not in done.stderr
    assert sandbox.log.requests() == []


def test_an_existing_output_is_not_overwritten(
    ninjaone: Ninjaone, connection_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "out.jsonl").write_text("precious\n")
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}])
    arguments = (
        "run",
        "cancel_maintenance",
        "-c",
        connection_file,
        "-i",
        rows,
        "-o",
        "out.jsonl",
        "--delay-ms",
        0,
    )
    assert ninjaone(*arguments).returncode == 2
    assert (tmp_path / "out.jsonl").read_text() == "precious\n"
    assert ninjaone(*arguments, "--restart").returncode == 0
    assert len(envelopes(tmp_path / "out.jsonl")) == 1


def test_ctrl_c_finishes_the_row_and_the_run_can_be_resumed(
    sandbox: Sandbox, connection_file: Path, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": n, "mode": "NORMAL"} for n in range(1, 21)])
    command = [sys.executable, "-m", "connector", "run", "reboot_device", "--yes", "-c", str(connection_file),
               "-i", str(rows), "-o", str(tmp_path / "out.jsonl"), "--delay-ms", "0"]  # fmt: skip
    hold_from(sandbox, 3)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
    wait_for_requests(process, 3, sandbox)
    message = interrupt(process, sandbox)
    assert process.returncode == 130, message
    assert "--resume" in message
    assert not (tmp_path / "out.jsonl").exists()
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 2
    assert "an unfinished run is in" in found.stderr
    resumed = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert [e["row"] for e in envelopes(tmp_path / "out.jsonl")] == list(range(1, 21))
    assert len(sandbox.log.requests()) == 20


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full there")
@pytest.mark.parametrize("errors", ["2>/dev/full", "2>&-"])
def test_standard_error_that_takes_nothing_costs_nothing_else(
    connection_file: Path, tmp_path: Path, errors: str
) -> None:
    """A log on a full disk, or none at all: the run and its exit code are what they would be."""
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": n} for n in (1, 2)])
    command = f"{sys.executable} -m connector run get_device -c {connection_file} -i {rows} --delay-ms 0"
    done = subprocess.run(f"{command} -o out.jsonl {errors}", shell=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2
    again = subprocess.run(f"{command} -o out.jsonl {errors}", shell=True, cwd=tmp_path, timeout=60)
    assert again.returncode == 2


def test_another_run_is_not_resumed(ninjaone: Ninjaone, connection_file: Path, tmp_path: Path) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": 1, "mode": "NORMAL"}])
    folder = tmp_path / "out.jsonl.run"
    folder.mkdir()
    names = ("action", "templates", "connection", "input", "settings")
    write_lines(folder / "journal.jsonl", [{"journal": VERSION, "run": dict.fromkeys(names, "other")}])
    done = ninjaone(
        "run", "reboot_device", "--yes", "-c", connection_file, "-i", rows, "-o", "out.jsonl", "--resume"
    )
    assert done.returncode == 2
    assert "action, templates, connection, input, settings" in done.stderr


# --- how a run goes through its rows -----------------------------------------------------------------------


@pytest.mark.parametrize("limit", [("--on-error", "stop"), ("--max-errors", 0)])
def test_errors_can_stop_a_run_which_goes_on_behind_them(
    ninjaone: Ninjaone, connection_file: Path, sandbox: Sandbox, tmp_path: Path, limit: tuple[object, ...]
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": n} for n in (1, 999, 3, 998, 5)])
    run = ("run", "get_device", "-c", connection_file, "-i", rows, "-o", "out.jsonl", "--delay-ms", 0)
    done = ninjaone(*run, *limit)
    assert done.returncode == 3, done.stderr
    assert "get_device: 2 rows, 1 succeeded, 1 failed" in done.stderr
    assert "ninjaone: stopped: get_device: 1 row failed, more than the run allows" in done.stderr
    assert "use --resume to continue after the finished rows" in done.stderr
    assert ninjaone(*run, *limit, "--resume").returncode == 3
    done = ninjaone(*run, *limit, "--resume")
    assert done.returncode == 1, done.stderr
    assert "5 rows (4 of them before it was interrupted), 3 succeeded, 2 failed" in done.stderr
    assert [e["row"] for e in envelopes(tmp_path / "out.jsonl")] == [1, 2, 3, 4, 5]
    assert len(sandbox.log.requests()) == 5


def test_fewer_errors_than_are_allowed_stop_nothing(
    ninjaone: Ninjaone, connection_file: Path, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": n} for n in (1, 999, 3)])
    done = ninjaone("run", "get_device", "-c", connection_file, "-i", rows, "-o", "out.jsonl",
                    "--max-errors", 1, "--delay-ms", 0)  # fmt: skip
    assert done.returncode == 1, done.stderr


def test_to_standard_output_errors_stop_a_run_for_good(ninjaone: Ninjaone, connection_file: Path) -> None:
    done = ninjaone("run", "get_device", "-c", connection_file, "--on-error", "stop", "--delay-ms", 0,
                    stdin='{"device_id": 999}\n{"device_id": 1}\n')  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "--resume" not in done.stderr


def test_the_keys_of_a_job_are_options_too(
    ninjaone: Ninjaone, connection_file: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": n} for n in (1, 2, 999, 3, 998)])
    (tmp_path / "job.yaml").write_text(
        "action: get_device\nconnection: connection.yaml\ninput: rows.jsonl\noutput: out.jsonl\n"
        "delay_ms: 0\nconcurrency: 3\non_error: stop\nfsync: true\n"
    )
    assert ninjaone("run", "job.yaml", "--concurrency", 1).returncode == 3
    assert len(sandbox.log.requests()) == 3
    head = json.loads((tmp_path / "out.jsonl.run" / "journal.jsonl").read_text().splitlines()[0])
    assert head["fsync"] is True
    done = ninjaone("run", "job.yaml", "--on-error", "continue", "--max-errors", 2, "--resume")
    assert done.returncode == 1, done.stderr
    assert len(sandbox.log.requests()) == 5


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--concurrency", 0), "argument --concurrency: 1 to 256 rows can run in parallel"),
        (("--concurrency", 257), "argument --concurrency: 1 to 256 rows can run in parallel"),
        (("--concurrency", "many"), "argument --concurrency: 'many' is not a whole number"),
        (("--max-errors", -1), "argument --max-errors: the number of rows cannot be negative"),
        (("--on-error", "ignore"), "argument --on-error: invalid choice"),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    ninjaone: Ninjaone, option: tuple[object, ...], says: str
) -> None:
    done = ninjaone("run", "get_device", *option)
    assert done.returncode == 2
    assert says in done.stderr
