"""`--wait`: outcomes that cannot be read, or cannot be assigned to a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.errors import RowError
from connector.runs import wait
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.waiting import (
    SCRIPT,
    connect,
    envelopes,
    online,
    requests,
    run_scripts,
    series_of,
)
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process("patched")


def test_a_failed_last_poll_is_not_a_success(
    ninjaone: Ninjaone, slow: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poll(*_: object) -> None:
        raise RowError("api_error", "the API answered 503", status=503)

    monkeypatch.setattr(wait.Waiter, "_poll", poll)
    write_lines(tmp_path / "rows.jsonl", [{"id": 7}])
    done = ninjaone(
        *("run", "run_script", "-i", "rows.jsonl", *SCRIPT, "-c", connect(slow, tmp_path), "-o", "-"),
        *("--delay-ms", 0, "--wait", "1s", "--yes"),
    )
    assert done.returncode == 1, done.stderr
    envelope = json.loads(done.stdout)
    assert envelope["meta"]["code"] == "execution_timeout"
    assert "the last poll failed: the API answered 503" in envelope["error"]


def test_a_row_with_a_lost_response_keeps_its_place(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_faults(queue=[None, "reset_after"])  # The first request reads the newest activity.
    done = run_scripts(ninjaone, sandbox, tmp_path, [1, 1, 1], "--wait", "10s")
    assert done.returncode == 1, done.stderr
    lost, *others = (e["meta"] for e in envelopes(tmp_path / "out.jsonl"))
    assert (lost["code"], "order" in lost, "outcome" in lost) == ("outcome_unknown", False, False)
    ended = [meta["outcome"]["activity_id"] for meta in others]
    assert ended == series_of(sandbox, 1)[1:]
    assert len(ended) == 2


def test_an_outcome_that_can_be_that_of_several_rows_is_unknown(
    ninjaone: Ninjaone, sandbox: Sandbox, quick_polls: None, tmp_path: Path
) -> None:
    sandbox.set_faults(queue=[None, "reset"])
    done = run_scripts(ninjaone, sandbox, tmp_path, [1, 1, 1], "--wait", "1s")
    assert done.returncode == 1, done.stderr
    first, second, third = envelopes(tmp_path / "out.jsonl")
    assert first["meta"]["code"] == "outcome_unknown"
    assert second["meta"]["outcome"] == {"state": "completed", "exit_code": 0}
    assert (third["meta"]["code"], third["meta"]["outcome"]) == ("outcome_unknown", {"state": "unknown"})
    assert third["error"] == (
        "the reports of the device do not show which of the rows 1, 2, 3 they belong to: the request was "
        "sent; check in NinjaOne before you send it again"
    )


def refuse_polls(monkeypatch: pytest.MonkeyPatch, account: str = "") -> None:
    """Let all polls fail, or those of an account."""
    poll = wait.Waiter._poll

    def refused(waiter: wait.Waiter, *rest: Any) -> Any:
        if account in waiter._client.connection.base_url:
            raise RowError("forbidden", "the API answered 403: no permission", status=403)
        return poll(waiter, *rest)

    monkeypatch.setattr(wait.Waiter, "_poll", refused)


def test_outcomes_that_cannot_be_read_are_read_by_the_resumed_run(
    ninjaone: Ninjaone, sandbox: Sandbox, quick_polls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        refuse_polls(patched)
        done = run_scripts(ninjaone, sandbox, tmp_path, [1, 2], "--wait")
        assert done.returncode == 3, done.stderr
        assert (
            "ninjaone: stopped: the outcomes cannot be read: the API answered 403: no permission. All "
            "requests of the rows were sent; after you have fixed this, --resume continues to wait, and "
            "sends none of them again\n"
        ) in done.stderr
        again = run_scripts(ninjaone, sandbox, tmp_path, [1, 2], "--wait", "--resume")
        assert again.returncode == 3, again.stderr
    partial = tmp_path / "out.jsonl.run/envelopes.jsonl"
    first, second = partial.read_text().splitlines(keepends=True)
    older = json.loads(first)
    older["meta"]["order"] = older["meta"]["order"]["inputs"]  # as an older version wrote it
    partial.write_text(json.dumps(older) + "\n" + second)
    assert not (tmp_path / "out.jsonl").exists()
    done = run_scripts(ninjaone, sandbox, tmp_path, [1, 2], "--wait", "--resume")
    assert done.returncode == 0, done.stderr
    assert [e["meta"]["outcome"]["state"] for e in envelopes(tmp_path / "out.jsonl")] == ["completed"] * 2
    assert requests(sandbox)["POST"] == 2


def test_names_of_scripts_that_cannot_be_read_are_reported(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_faults(queue=[None, None, {"fault": "answer", "status": 403, "body": "{}"}])
    done = run_scripts(ninjaone, sandbox, tmp_path, [1], "--wait", "10s")
    assert done.returncode == 0, done.stderr
    assert "list_automation_scripts: GET /v2/automation/scripts: the API answered 403" in done.stderr
    assert "other work that a device does at the same time can be taken for that of a row" in done.stderr


def test_outcomes_that_cannot_be_read_fail_the_rows_of_a_run_that_cannot_be_resumed(
    ninjaone: Ninjaone, sandbox: Sandbox, quick_polls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_polls(monkeypatch)
    done = run_scripts(ninjaone, sandbox, tmp_path, [1], "--wait", "-o", "-")
    assert done.returncode == 1, done.stderr
    envelope = json.loads(done.stdout)
    assert (envelope["meta"]["code"], envelope["meta"]["repeatable"]) == ("outcome_unknown", False)
    assert envelope["error"].startswith("the outcome cannot be read: the API answered 403: no permission: ")
    assert envelope["meta"]["outcome"] == {"state": "unknown"}
    assert "1 failed row to check first" in done.stderr


def test_a_tenant_whose_outcomes_cannot_be_read_does_not_stop_the_others(
    ninjaone: Ninjaone, sandbox: Sandbox, quick_polls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.common.clock.PATIENCE_S", 0.0)
    with Sandbox(devices=25, order_s=1.5) as other:
        write_lines(
            tmp_path / "rows.jsonl", [{"id": 1, "of": "a.yaml"}, {"id": online(other)[0], "of": "b.yaml"}]
        )
        for name, its in (("a.yaml", sandbox), ("b.yaml", other)):
            (tmp_path / name).write_text(yaml.safe_dump(its.connection))
        command = [
            *("run", "run_script", "-i", "rows.jsonl", *SCRIPT, "-c", "{{ of }}", "-o", "out.jsonl"),
            *("--allow-connections", "a.yaml,b.yaml", "--delay-ms", "0", "--wait", "20s", "--yes"),
        ]
        with monkeypatch.context() as patched:
            refuse_polls(patched, account=sandbox.connection["base_url"])
            done = ninjaone(*command)
            assert done.returncode == 3, done.stderr
            assert "the outcomes cannot be read" in done.stderr
        polls = requests(other)["/v2/activities"]
        done = ninjaone(*command, "--resume")
        assert done.returncode == 0, done.stderr
        assert [e["meta"]["outcome"]["state"] for e in envelopes(tmp_path / "out.jsonl")] == ["completed"] * 2
        assert (requests(sandbox)["POST"], requests(other)["POST"]) == (1, 1)
        assert requests(other)["/v2/activities"] == polls
