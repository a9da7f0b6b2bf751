"""`ninjaone rerun`: failed rows that can be retried are sent again, once; no other row is."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from filelock import BaseFileLock

from connector.common import kept_lock, user_folders
from connector.runs.records import find
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_run import envelopes
from tests.fakes import wait_until, write_lines

pytestmark = pytest.mark.in_process


REFUSED = {"fault": "answer", "status": 409, "body": {"resultCode": "conflict"}}
"""A fault that certainly carried nothing out."""
JOB = """\
action: create_organization
connection: connection.yaml
input: rows.jsonl
output: out.jsonl
delay_ms: 0
templates: {name: "Client {{ n }}"}
"""


@pytest.fixture
def night(connection_file: Path, sandbox: Sandbox, ninjaone: Ninjaone, tmp_path: Path) -> Path:
    """A folder with the output of ten writes: rows 2, 5 and 9 were refused, and of row 7 nobody knows."""
    write_lines(tmp_path / "rows.jsonl", [{"n": n} for n in range(1, 11)])
    (tmp_path / "job.yaml").write_text(JOB)
    faults = {2: REFUSED, 5: REFUSED, 7: "reset_after", 9: REFUSED}
    sandbox.set_faults(queue=[faults.get(n) for n in range(1, 11)])
    done = ninjaone("run", "job.yaml")
    assert done.returncode == 1, done.stderr
    assert "3 failed rows to fix first: ninjaone failed " in done.stderr
    return tmp_path


def created(sandbox: Sandbox, *, executed: bool = False) -> list[str]:
    """The names of all that the sandbox was asked to make, or made, one for each request."""
    posts = [r for r in sandbox.log.requests() if r["method"] == "POST"]
    return [r["body"]["name"] for r in posts if r["executed"] or not executed]


def rows_of(path: Path) -> dict[int, str | None]:
    """A file's rows with their codes; all of its envelopes are what the schema says."""
    return {e["row"]: e["meta"]["code"] for e in envelopes(path)}


def test_only_what_failed_and_may_be_repeated_is_sent_again(
    ninjaone: Ninjaone, night: Path, sandbox: Sandbox
) -> None:
    before = created(sandbox)
    done = ninjaone("rerun", "out.jsonl", "--summary", "sum.json")
    assert done.returncode == 1, done.stderr
    assert created(sandbox)[len(before) :] == ["Client 2", "Client 5", "Client 9"]
    assert rows_of(night / "out.rerun.jsonl") == {2: None, 5: None, 9: None}
    assert "out.jsonl: 3 rows to run again; 1 to check first (1 outcome_unknown), not run\n" in done.stderr
    left = (
        "out.jsonl: 1 failed row left to check first (1 outcome_unknown): may have taken effect, completely "
        "or in part. `ninjaone failed out.jsonl --code outcome_unknown --output FILE` writes them to a file; "
        "check them in NinjaOne, remove those that took effect from the file, and send the others again: "
        "ninjaone rerun out.jsonl --input FILE --checked all"
    )
    assert done.stderr.endswith(f"{left}\n")
    assert "create_organization: 3 rows, 3 succeeded, 0 failed" in done.stderr
    summary = json.loads((night / "sum.json").read_text())
    assert (summary["exit_code"], summary["message"]) == (1, left)
    (run,) = summary["runs"]
    assert (run["rows"], run["output"]) == (3, "out.rerun.jsonl")
    assert set(Counter(created(sandbox, executed=True)).values()) == {1}
    record = find(night / "out.rerun.jsonl")
    assert record is not None
    assert record.rerun_of == night / "out.jsonl"


def test_a_rerun_does_not_need_a_file_system_with_locks(
    in_process: Ninjaone, night: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(error: Exception) -> Callable[..., NoReturn]:
        def without_locks(*_: object, **__: object) -> NoReturn:
            raise error

        return without_locks

    with monkeypatch.context() as patched:
        patched.setattr(kept_lock, "_try", raising(OSError(errno.ENOLCK, "No locks available")))
        refused = in_process("rerun", "out.jsonl")
        assert refused.returncode == 2
        assert "out.rerun.jsonl: cannot be written: No locks available" in refused.stderr
    monkeypatch.setattr(BaseFileLock, "acquire", raising(NotImplementedError()))
    assert in_process("rerun", "out.jsonl").returncode == 1
    assert rows_of(night / "out.rerun.jsonl") == {2: None, 5: None, 9: None}


def test_what_a_rerun_has_done_is_not_done_again(ninjaone: Ninjaone, night: Path, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=[None, REFUSED, "reset_after"])
    assert ninjaone("rerun", "out.jsonl").returncode == 1
    assert rows_of(night / "out.rerun.jsonl") == {2: None, 5: "conflict", 9: "outcome_unknown"}
    before = len(created(sandbox))
    again = ninjaone("rerun", "out.jsonl")
    assert again.returncode == 1, again.stderr
    assert "1 row to run again; 1 succeeded in an earlier rerun; 2 to check first" in again.stderr
    assert created(sandbox)[before:] == ["Client 5"]
    assert rows_of(night / "out.rerun-2.jsonl") == {5: None}

    for output, code in (("out.jsonl", 1), ("out.rerun.jsonl", 1), ("out.rerun-2.jsonl", 0)):
        nothing = ninjaone("rerun", output, "--summary", "sum.json")
        assert nothing.returncode == code, nothing.stderr
        assert f"{output}: no rows to rerun" in nothing.stderr
        summary = json.loads((night / "sum.json").read_text())
        assert (summary["state"], summary["exit_code"], summary["runs"]) == ("finished", code, [])
    assert len(created(sandbox)) == before + 1


def test_the_rerun_of_a_rerun(ninjaone: Ninjaone, night: Path, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=[REFUSED, None, REFUSED])
    assert ninjaone("rerun", "out.jsonl", "-o", "second.jsonl").returncode == 1
    sandbox.set_faults(queue=[REFUSED])
    assert ninjaone("rerun", "second.jsonl").returncode == 1
    assert rows_of(night / "second.rerun.jsonl") == {2: "conflict", 9: None}
    last = ninjaone("rerun", "out.jsonl", "--json")
    assert last.returncode == 1, last.stderr
    assert rows_of(night / "out.rerun.jsonl") == {2: None}
    plan, run = map(json.loads, last.stderr.splitlines())
    assert plan == {"rerun_of": "out.jsonl", "rows": 1, "succeeded": 2, "in_doubt": {"outcome_unknown": 1}}
    assert run["succeeded"] == 1
    assert Counter(created(sandbox))["Client 2"] == 4


@pytest.mark.parametrize("concurrency", [1, 4])
def test_reruns_until_nothing_is_left_send_every_write_that_is_done_once(
    ninjaone: Ninjaone, connection_file: Path, sandbox: Sandbox, tmp_path: Path, concurrency: int
) -> None:
    draw = random.Random(concurrency)
    rows = range(1, 41)
    write_lines(tmp_path / "rows.jsonl", [{"n": n} for n in rows])
    (tmp_path / "job.yaml").write_text(JOB)
    sandbox.set_faults(
        queue=[draw.choice([None, REFUSED, REFUSED, "500", "reset_after", "truncate"]) for _ in range(200)]
    )
    done = ninjaone("run", "job.yaml", "--concurrency", concurrency)
    message = ""
    while "no rows to rerun" not in message:
        assert done.returncode == 1, done.stderr
        done = ninjaone("rerun", "out.jsonl", "--concurrency", concurrency)
        message = done.stderr
    asked, executed = Counter(created(sandbox)), Counter(created(sandbox, executed=True))
    assert set(executed.values()) == {1}
    last = {
        row: code
        for output in sorted(tmp_path.glob("out*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
        for row, code in rows_of(output).items()
    }
    assert last.keys() == set(rows)
    assert None in last.values()
    for row, code in last.items():
        name = f"Client {row}"
        assert code in (None, "outcome_unknown", "api_error")
        assert code is not None or executed[name] == 1
    assert asked.total() > len(rows) + 10
    in_doubt = sum(code is not None for code in last.values())
    assert f"{in_doubt} to check first (" in message


def test_a_new_run_to_the_same_output_has_no_reruns_yet(
    ninjaone: Ninjaone, night: Path, sandbox: Sandbox
) -> None:
    """The job of every night: what yesterday's rerun mended has failed again today."""
    assert ninjaone("rerun", "out.jsonl").returncode == 1
    (night / "job.yaml").write_text(JOB.replace("Client", "Second night's client"))
    sandbox.set_faults(queue=[None, REFUSED])
    assert ninjaone("run", "job.yaml", "--restart").returncode == 1
    done = ninjaone("rerun", "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert rows_of(night / "out.rerun-2.jsonl") == {2: None}


def test_with_one_envelope_an_item_the_last_one_decides(
    ninjaone: Ninjaone, connection_file: Path, tmp_path: Path
) -> None:
    with Sandbox(devices=1100) as sandbox:
        settings = "".join(f"{name}: {value}\n" for name, value in sandbox.connection.items())
        connection_file.write_text(settings)
        write_lines(tmp_path / "rows.jsonl", [{"limit": 3}, {"limit": 1050}, {"limit": 2}])
        sandbox.set_faults(queue=[None, None, REFUSED])
        done = ninjaone("run", "list_devices", "-c", connection_file, "-i", "rows.jsonl", "-o", "out.jsonl",
                        "--rows", "each", "--delay-ms", 0)  # fmt: skip
        assert done.returncode == 1, done.stderr
        ends = [e for e in envelopes(tmp_path / "out.jsonl") if e["meta"]["last"]]
        assert [(e["row"], e["meta"]["code"], e["meta"]["item"]) for e in ends] == [
            (1, None, 3), (2, "conflict", 1001), (3, None, 2)
        ]  # fmt: skip
        assert ninjaone("rerun", "out.jsonl").returncode == 0
    again = envelopes(tmp_path / "out.rerun.jsonl")
    assert {e["row"] for e in again} == {2}
    assert len(again) > 1001


def test_an_interrupted_rerun_is_resumed(night: Path, sandbox: Sandbox, ninjaone: Ninjaone) -> None:
    sandbox.set_faults(queue=[None, {"fault": "slow", "seconds": 60}])
    before = len(created(sandbox))
    command = [sys.executable, "-m", "connector", "rerun", "out.jsonl"]
    process = subprocess.Popen(command, cwd=night, stderr=subprocess.DEVNULL, env=os.environ)
    wait_until(lambda: len(created(sandbox)) == before + 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    sandbox.set_faults(queue=[])

    found = ninjaone("rerun", "out.jsonl")
    assert found.returncode == 2
    assert "an unfinished run is in out.rerun.jsonl.run: use --resume to continue it" in found.stderr
    other = ninjaone("rerun", "out.jsonl", "-o", "other.jsonl")
    assert other.returncode == 2
    assert "out.rerun.jsonl: another rerun of these rows is running or unfinished" in other.stderr
    incomplete = ninjaone("rerun", "out.rerun.jsonl")
    assert incomplete.returncode == 2
    assert "the run is unfinished" in incomplete.stderr
    whole = ninjaone("run", "job.yaml", "-o", "out.rerun.jsonl", "--resume")
    assert whole.returncode == 2
    assert "differs from the unfinished one in its rows" in whole.stderr
    assert len(created(sandbox)) == before + 2

    resumed = ninjaone("rerun", "out.jsonl", "--resume")
    assert resumed.returncode == 1, resumed.stderr
    assert rows_of(night / "out.rerun.jsonl") == {2: None, 5: "outcome_unknown", 9: None}
    assert created(sandbox)[before:] == ["Client 2", "Client 5", "Client 9"]
    assert "3 rows (1 of them before it was interrupted)" in resumed.stderr

    # As if it had been killed once more, when its output had its name and the work folder was still there.
    work = night / "out.rerun.jsonl.run"
    work.mkdir()
    write_lines(work / "journal.jsonl", [{"journal": 1, "run": {}}])
    last = ninjaone("rerun", "out.jsonl")
    assert last.returncode == 2
    assert "an unfinished run is in out.rerun.jsonl.run" in last.stderr


def test_a_restart_replaces_an_interrupted_rerun_alone(night: Path, ninjaone: Ninjaone) -> None:
    write_lines(night / "precious.jsonl", [])
    refused = ninjaone("rerun", "out.jsonl", "-o", "precious.jsonl")
    assert (refused.returncode, "already exists" in refused.stderr) == (2, True)
    assert ninjaone("rerun", "out.jsonl", "-o", "out.jsonl", "--restart").returncode == 2
    assert len(rows_of(night / "out.jsonl")) == 10
    resumed = ninjaone("rerun", "out.jsonl", "--resume")
    assert (resumed.returncode, "there is no unfinished run to resume" in resumed.stderr) == (2, True)
    assert ninjaone("rerun", "out.jsonl", "--restart").returncode == 1
    assert rows_of(night / "out.rerun.jsonl").keys() == {2, 5, 9}


@pytest.fixture
def forgotten(night: Path) -> Path:
    """The same folder on a machine that has no record of the run."""
    shutil.rmtree(user_folders.records_folder())
    user_folders.records_folder.cache_clear()
    return night


def test_without_a_record_the_job_says_what_the_run_was(
    ninjaone: Ninjaone, forgotten: Path, sandbox: Sandbox
) -> None:
    unknown = ninjaone("rerun", "out.jsonl")
    assert unknown.returncode == 2
    assert (
        "no record of the run on this machine; add the job file to the command: ninjaone rerun OUT JOB.yaml"
        in unknown.stderr
    )
    done = ninjaone("rerun", "out.jsonl", "job.yaml")
    assert done.returncode == 1, done.stderr
    assert rows_of(forgotten / "out.rerun.jsonl").keys() == {2, 5, 9}
    assert "no rows to rerun" in ninjaone("rerun", "out.jsonl", "job.yaml").stderr

    user_folders.records_folder.cache_clear()
    shutil.rmtree(user_folders.records_folder())
    user_folders.records_folder.cache_clear()
    assert "no rows to rerun" in ninjaone("rerun", "out.jsonl", "job.yaml").stderr


def test_a_job_file_that_is_given_holds(ninjaone: Ninjaone, night: Path, sandbox: Sandbox) -> None:
    """So the templates can be mended for the rows that failed for them."""
    (night / "job.yaml").write_text(JOB.replace("Client {{ n }}", "Customer {{ n }}"))
    assert ninjaone("rerun", "out.jsonl", "job.yaml").returncode == 1
    assert created(sandbox)[-3:] == ["Customer 2", "Customer 5", "Customer 9"]
    (night / "job.yaml").write_text("action: list_devices\nconnection: connection.yaml\ninput: rows.jsonl\n")
    other = ninjaone("rerun", "out.jsonl", "job.yaml")
    assert other.returncode == 2
    assert "is the output of the action create_organization, but the job runs list_devices" in other.stderr


def test_the_folder_from_which_it_is_called_does_not_matter(
    ninjaone: Ninjaone, night: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    command = [sys.executable, "-m", "connector", "rerun", str(night / "out.jsonl")]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 1, done.stderr
    assert rows_of(night / "out.rerun.jsonl").keys() == {2, 5, 9}
    assert list(elsewhere.iterdir()) == []


def refuses(done: subprocess.CompletedProcess[str], says: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_it_refuses_what_would_not_be_the_same_rows(
    ninjaone: Ninjaone, night: Path, sandbox: Sandbox
) -> None:
    before = len(created(sandbox))
    whole = (night / "rows.jsonl").read_text()
    (night / "rows.jsonl").write_text('{"n": 0}\n' + whole)
    for arguments in (["out.jsonl"], ["out.jsonl", "job.yaml"]):
        refuses(ninjaone("rerun", *arguments), "rows.jsonl: the file has changed since the run")
    (night / "rows.jsonl").unlink()
    refuses(ninjaone("rerun", "out.jsonl"), "rows.jsonl: no such file or folder")
    write_lines(night / "rows.jsonl", [{"n": 1}])
    shutil.rmtree(user_folders.records_folder())
    refuses(ninjaone("rerun", "out.jsonl", "job.yaml"), "has 1 row, but the run had 10: it is not the")
    assert len(created(sandbox)) == before
    assert not (night / "out.rerun.jsonl").exists()


def test_it_refuses_another_account_unless_that_is_meant(
    ninjaone: Ninjaone, night: Path, sandbox: Sandbox
) -> None:
    with Sandbox() as other:
        settings = "".join(f"{name}: {value}\n" for name, value in other.connection.items())
        (night / "connection.yaml").write_text(settings)
        refuses(ninjaone("rerun", "out.jsonl"), "the connection uses another account than the run")
        assert created(other) == []
        done = ninjaone("rerun", "out.jsonl", "-c", "connection.yaml", "--delay-ms", 1)
        assert done.returncode == 1, done.stderr
        assert created(other) == ["Client 2", "Client 5", "Client 9"]


def test_it_refuses_what_cannot_be_rerun(ninjaone: Ninjaone, night: Path, tmp_path: Path) -> None:
    refuses(ninjaone("rerun", "nowhere.jsonl"), "nowhere.jsonl: no such output file")
    refuses(ninjaone("rerun", "."), "no record of a job with steps with this output folder")
    refuses(ninjaone("rerun", "rows.jsonl", "job.yaml"), "not the output of a run")
    refuses(
        ninjaone("rerun", "out.jsonl", "-o", "again.csv"),
        "the output of a rerun must be a JSON Lines or JSON file",
    )
    refuses(
        ninjaone("rerun", "out.jsonl", "-o", "-"), "the output of a rerun must be a JSON Lines or JSON file"
    )
    assert ninjaone("run", "job.yaml", "-o", "out.csv").returncode == 1
    refuses(ninjaone("rerun", "out.csv"), "this format does not record which rows can be retried")
    piped = ninjaone("run", "job.yaml", "-i", "-", "-o", "piped.jsonl", stdin='{"m": 1}\n')
    assert piped.returncode == 1
    refuses(ninjaone("rerun", "piped.jsonl"), "the run read standard input; only a run with an input file")


def test_a_step_of_a_job_is_rerun_as_a_run_of_its_own(
    ninjaone: Ninjaone, connection_file: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"n": n} for n in (1, 2, 3, 4)])
    (tmp_path / "job.yaml").write_text(
        "connection: connection.yaml\ninput: rows.jsonl\noutput: out\ndelay_ms: 0\nsteps:\n"
        "  - {name: read, action: get_device, templates: {device_id: '{{ n }}'}}\n"
        "  - name: made\n    action: create_organization\n    input: {step: read, only: '{{ n != 2 }}'}\n"
        "    templates: {name: 'Client {{ n }} of {{ read.id }}'}\n"
    )
    refused = {"fault": "answer", "status": 404, "body": {"resultCode": "device_not_found"}}
    sandbox.set_faults(queue=[refused, None, None, None, REFUSED, None])
    done = ninjaone("run", "job.yaml")
    assert done.returncode == 1, done.stderr
    assert rows_of(tmp_path / "out/made.jsonl") == {3: "conflict", 4: None}
    made = ninjaone("rerun", "out/made.jsonl")
    assert made.returncode == 0, made.stderr
    assert created(sandbox)[-1] == "Client 3 of 3"
    assert rows_of(tmp_path / "out/made.rerun.jsonl") == {3: None}
    assert "left out" not in made.stderr

    shutil.rmtree(user_folders.records_folder())
    read = ninjaone("rerun", "out/read.jsonl", "job.yaml")
    assert read.returncode == 0, read.stderr
    assert rows_of(tmp_path / "out/read.rerun.jsonl") == {1: None}
    refuses(ninjaone("rerun", "out/x.jsonl", "job.yaml"), "no such output")
    shutil.copy(tmp_path / "out/read.jsonl", tmp_path / "out/x.jsonl")
    refuses(ninjaone("rerun", "out/x.jsonl", "job.yaml"), "job.yaml: no step writes out/x.jsonl")


def test_a_record_says_nothing_that_is_secret(night: Path, sandbox: Sandbox) -> None:
    (path,) = (p for p in user_folders.records_folder().iterdir())
    text = path.read_text()
    job: dict[str, Any] = json.loads(text)["job"]
    assert job["connection"] == str(night / "connection.yaml")
    for secret in (sandbox.client_secret, sandbox.connection["client_id"]):
        assert secret not in text
