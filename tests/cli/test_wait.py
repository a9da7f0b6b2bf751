"""`--wait`: the outcome of queued work, by the command line."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import yaml

from connector.runs import wait
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.waiting import (
    SCRIPT,
    connect,
    envelopes,
    online,
    requests,
)
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process("patched")


def test_rows_get_their_outcomes(
    ninjaone: Ninjaone, slow: Sandbox, quick_polls: None, tmp_path: Path
) -> None:
    ids = [id for id in online(slow) if id < 10]
    assert {7, 9} < set(ids)
    write_lines(tmp_path / "rows.jsonl", [{"id": id} for id in ids])
    done = ninjaone(
        *("run", "run_script", "-i", "rows.jsonl", *SCRIPT, "-c", connect(slow, tmp_path), "-o", "out.jsonl"),
        *("--delay-ms", 0, "--wait", "2s", "--yes"),
    )
    assert done.returncode == 1, done.stderr
    found = {id: e["meta"] for id, e in zip(ids, envelopes(tmp_path / "out.jsonl"), strict=True)}
    states = {7: ("execution_failed", "failed"), 9: ("execution_timeout", "timed_out")}
    for id, meta in found.items():
        assert (meta["code"], meta["outcome"]["state"]) == states.get(id, (None, "completed"))
        assert "order" not in meta
        assert "transient" not in meta
    assert "to check first" in done.stderr
    assert "accepted" not in done.stderr


def test_200_rows_are_followed_by_one_list(ninjaone: Ninjaone, tmp_path: Path) -> None:
    with Sandbox(devices=400) as sandbox:
        write_lines(tmp_path / "rows.jsonl", [{"id": id} for id in range(1, 201)])
        done = ninjaone(
            *("run", "run_script", "-i", "rows.jsonl", *SCRIPT, "-c", connect(sandbox, tmp_path)),
            *("-o", "out.jsonl", "--delay-ms", 0, "--concurrency", 4, "--wait", "--yes"),
        )
        assert done.returncode == 0, done.stderr
        assert {e["meta"]["outcome"]["state"] for e in envelopes(tmp_path / "out.jsonl")} == {"completed"}
        # One request for the newest activity before the run, one for those of all rows after it.
        assert requests(sandbox) == {
            "POST": 200, "/v2/activities": 2, "/v2/devices": 1, "/v2/automation/scripts": 1,
        }  # fmt: skip


def test_offline_devices_are_named_at_once(ninjaone: Ninjaone, slow: Sandbox, tmp_path: Path) -> None:
    offline = next(id for id in range(1, 24) if slow.state.fleet.facts(id).offline)
    done = ninjaone(
        *("call", "run_script", f"device_id={offline}", "type=SCRIPT", "script_id=1"),
        *("-c", connect(slow, tmp_path), "--wait", "1s"),
    )
    envelope = json.loads(done.stdout)
    assert envelope["meta"]["code"] == "execution_timeout"
    assert "(the device is offline)" in envelope["error"]
    assert "offline devices: 1; they may not do the work before the timeout: " in done.stderr


@pytest.mark.parametrize(
    ("action", "inputs", "outcome"),
    [
        ("reboot_device", ("device_id=1", "mode=NORMAL"), {"state", "at", "activity_id"}),
        ("scan_os_patches", ("device_id=1",), {"state", "at", "activity_id"}),
        ("apply_os_patches", ("device_id=1",), {"state", "at", "activity_id"}),
        ("scan_software_patches", ("device_id=1",), {"state", "at", "activity_id"}),
        ("apply_software_patches", ("device_id=1",), {"state", "at", "activity_id"}),
        (
            "control_windows_service",
            ("device_id=1", "service_id=Spooler", "action=RESTART"),
            {"state", "at", "activity_id"},
        ),
        (
            "configure_windows_service",
            ("device_id=1", "service_id=Spooler", "start_type=DEMAND_START"),
            {"state", "at", "activity_id"},
        ),
        (
            "schedule_maintenance",
            ("device_id=1", 'disabled_features=["ALERTS"]', "end=2036-12-01"),
            {"state"},
        ),
    ],
)
def test_every_kind_of_work(
    ninjaone: Ninjaone,
    sandbox: Sandbox,
    tmp_path: Path,
    action: str,
    inputs: tuple[str, ...],
    outcome: set[str],
) -> None:
    done = ninjaone("call", action, *inputs, "-c", connect(sandbox, tmp_path), "--wait", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)["meta"]["outcome"]
    assert found["state"] == "completed"
    assert found.keys() == outcome


def test_an_upload_is_processed(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    group = next(iter(sandbox.state.scan_groups.values()))
    (tmp_path / "good.csv").write_text(f"{group['deviceIdHeader']},{group['cveIdHeader']}\nA,CVE-1\n")
    (tmp_path / "bad.csv").write_text("x,y\n1,2\n")
    rows = [{"scan_group_id": group["id"], "csv": name} for name in ("good.csv", "bad.csv")]
    for row, (code, state) in zip(rows, [(None, "completed"), ("execution_failed", "failed")], strict=True):
        values = [f"{name}={value}" for name, value in row.items()]
        done = ninjaone(
            *(
                "call",
                "upload_scan_group_csv",
                *values,
                "-c",
                connect(sandbox, tmp_path),
                "--wait",
                "--uploads",
                ".",
            )
        )
        meta = json.loads(done.stdout)["meta"]
        assert (meta["code"], meta["outcome"]["state"]) == (code, state)


def test_a_pause_is_not_waited_for(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    inputs = ("device_id=1", "service_id=Spooler", "action=PAUSE")
    done = ninjaone(
        "call", "control_windows_service", *inputs, "-c", connect(sandbox, tmp_path), "--wait", "--yes"
    )
    meta = json.loads(done.stdout)["meta"]
    assert (done.returncode, meta["outcome"]) == (0, {"state": "unknown"})
    assert meta["warnings"] == ["outcome unknown: the API does not show it"]


def test_only_queued_work_can_be_waited_for(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    done = ninjaone("call", "get_device", "device_id=1", "-c", connect(sandbox, tmp_path), "--wait")
    assert (done.returncode, done.stdout) == (2, "")
    assert "get_device queues no work, so there is nothing to wait for; omit --wait" in done.stderr
    assert not sandbox.log.requests()
    done = ninjaone("call", "get_device", "device_id=1", "--wait", "soon")
    assert done.returncode == 2
    assert '"soon" is not a duration; write 90s, 30m, 2h or 1d' in done.stderr


def test_a_step_after_failed_work_gets_only_the_rows_that_succeeded(
    ninjaone: Ninjaone, slow: Sandbox, quick_polls: None, tmp_path: Path
) -> None:
    ids = [id for id in online(slow) if id % 10 not in (7, 9)][:1] + [
        id for id in online(slow) if id % 10 == 7
    ]
    write_lines(tmp_path / "rows.jsonl", [{"id": id} for id in ids])
    script = {"device_id": "{{ id }}", "type": "SCRIPT", "script_id": "1"}
    rename = {"device_id": "{{ id }}", "display_name": "done {{ id }}"}
    steps = [
        {"name": "script", "action": "run_script", "wait": "3s", "templates": script},
        {"name": "rename", "action": "update_device", "input": {"step": "script"}, "templates": rename},
    ]
    job = {"input": "rows.jsonl", "output": "out", "delay_ms": 0, "connection": connect(slow, tmp_path)}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump({**job, "steps": steps}))
    done = ninjaone("run", "job.yaml", "--yes")
    assert done.returncode == 1, done.stderr
    assert [r["body"]["displayName"] for r in slow.log.requests() if r["method"] == "PATCH"] == [
        f"done {ids[0]}"
    ]


def test_the_results_on_standard_output(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"id": 1}, {"id": "x"}])
    done = ninjaone(
        *("run", "run_script", "-i", "rows.jsonl", *SCRIPT, "-c", connect(sandbox, tmp_path), "-o", "-"),
        *("--delay-ms", 0, "--wait", "--yes"),
    )
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["meta"]["outcome"]["exit_code"] == 0
    assert second["meta"]["code"] == "not_found"


def test_a_stop_while_it_waits_is_an_interrupted_run(
    ninjaone: Ninjaone, slow: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"id": 7}])
    command = ("run", "run_script", "-i", "rows.jsonl", *SCRIPT, "-c", connect(slow, tmp_path))
    command += ("--delay-ms", 0, "--wait", "10m", "--yes")

    def stop(waiter: wait.Waiter, *_: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        waiter._clock.sleep(600)

    monkeypatch.setattr(wait.Waiter, "wait", stop)
    done = ninjaone(*command, "-o", "-")
    assert done.returncode == 130, done.stderr
    meta = json.loads(done.stdout)["meta"]
    assert (meta["code"], meta["outcome"]) == ("outcome_unknown", {"state": "unknown"})
    assert "0 accepted, 1 failed" in done.stderr
    done = ninjaone(*command, "-o", "out.jsonl")
    assert done.returncode == 130, done.stderr
    assert "1 accepted, 0 failed" in done.stderr
    assert "use --resume to continue" in done.stderr


def test_rows_that_share_a_request_share_its_outcome(
    ninjaone: Ninjaone, slow: Sandbox, quick_polls: None, tmp_path: Path
) -> None:
    failing = next(id for id in online(slow) if id % 10 == 7)
    well = next(id for id in online(slow) if id % 10 not in (7, 9))
    (tmp_path / "job.yaml").write_text(
        yaml.safe_dump(
            {
                **{"action": "run_script", "connection": connect(slow, tmp_path), "input": "rows.jsonl"},
                **{"output": "out.jsonl", "delay_ms": 0, "wait": "5s", "distinct": "{{ id }}"},
                "templates": {"device_id": "{{ id }}", "type": "SCRIPT", "script_id": "1"},
            }
        )
    )
    write_lines(tmp_path / "rows.jsonl", [{"id": id} for id in (failing, well, failing, well)])
    done = ninjaone("run", "job.yaml", "--yes")
    assert done.returncode == 1, done.stderr
    found = envelopes(tmp_path / "out.jsonl")
    assert [e["meta"]["code"] for e in found] == ["execution_failed", None] * 2
    assert [e["meta"]["outcome"] for e in found[:2]] == [e["meta"]["outcome"] for e in found[2:]]
    assert found[2]["error"] == f"row 1, which has the same value of distinct, failed: {found[0]['error']}"
    assert requests(slow)["POST"] == 2


def test_a_device_and_a_script_given_by_name(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    name = sandbox.state.node(sandbox.state.device(1))["systemName"]
    inputs = (f"device_id={name}", "type=SCRIPT", "script_id=Clear temporary files")
    done = ninjaone("call", "run_script", *inputs, "-c", connect(sandbox, tmp_path), "--wait", "10s")
    meta = json.loads(done.stdout)["meta"]
    assert meta["outcome"]["exit_code"] == 0
    assert meta["status"] == 204


def test_a_script_with_a_list_of_parameters_and_a_result_in_a_field(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    row = {"id": 1, "parameters": ["-Drive", "C:", "-Label", "Disk of Ann", ""]}
    write_lines(tmp_path / "rows.jsonl", [row])
    script = ("-t", "device_id={{ id }}", "-t", "type=SCRIPT", "-t", "script_id=Report disk usage")
    more = ("-t", "parameter_list={{ parameters }}", "-t", "result_field=lastCheck")
    done = ninjaone(
        *("run", "run_script", "-i", "rows.jsonl", *script, *more, "-c", connect(sandbox, tmp_path)),
        *("-o", "out.jsonl", "--delay-ms", 0, "--wait", "10s"),
    )
    assert done.returncode == 0, done.stderr
    (sent,) = (r["body"] for r in sandbox.log.requests() if r["method"] == "POST")
    assert sent["parameters"] == '-Drive C: -Label "Disk of Ann" ""'
    assert "result_field" not in sent
    (envelope,) = envelopes(tmp_path / "out.jsonl")
    assert envelope["result"].keys() == {"field", "before", "after"}
    assert envelope["result"]["before"] is None
    assert envelope["result"]["after"] > 1_700_000_000_000


def test_a_parameter_that_cannot_be_quoted(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    inputs = ("device_id=1", "type=SCRIPT", "script_id=1", """parameter_list=["a \\" b"]""")
    done = ninjaone("call", "run_script", *inputs, "-c", connect(sandbox, tmp_path))
    assert "a parameter contains a double quote" in json.loads(done.stdout)["error"]
    assert not [r for r in sandbox.log.requests() if r["method"] == "POST"]
