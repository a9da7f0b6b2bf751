"""The provider in a real Airflow: its connection is tested, and DAGs run calls and a batch that is killed."""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import wait_until
from tests.hosts.airflow.conftest import PATIENCE_S, Airflow
from tests.postgres import PASSWORD

pytestmark = pytest.mark.slow

ROWS = 12
RUN = "manual__2026-07-01T00:00:00+00:00"


def test_it_is_listed_and_its_connection_is_tested(airflow: Airflow) -> None:
    assert re.search(r"^airflow-provider-ninjaone .* 1\.", airflow.run("airflow", "providers", "list"), re.M)
    assert "Connection success" in airflow.run("airflow", "connections", "test", "ninjaone_default")
    with airflow.start("airflow", "connections", "test", "ninjaone_wrong") as process:
        printed, _ = process.communicate(timeout=PATIENCE_S)
    assert "invalid_client" in printed
    assert "Connection success" not in printed


def test_calls_are_mapped_rendered_retried_or_final(airflow: Airflow) -> None:
    shutil.rmtree(airflow.home / "CACHE", ignore_errors=True)  # the token of the test before
    airflow.sandbox.set_faults(rates={"token": 1})
    result, printed = airflow.drive("calls:0")
    tasks = result["calls"]
    states = {name: [one[:3] for one in its] for name, its in tasks.items()}
    assert states == {
        "list": [[-1, "success", 2]],
        "map": [[0, "success", 1], [1, "success", 1], [2, "success", 1]],
        "template": [[-1, "success", 1]],
        "rename": [[-1, "success", 1]],
        "gone": [[-1, "failed", 1]],
        "lost": [[-1, "failed", 1]],
        "large": [[-1, "failed", 1]],
        "file": [[-1, "success", 1]],
        "refused": [[-1, "failed", 1]],
    }
    assert [one[3]["id"] for one in tasks["map"]] == [one["id"] for one in tasks["list"][0][3]]
    assert tasks["template"][0][3]["id"] == 12
    assert airflow.created("Lost") == ["Lost"]
    (renamed,) = [r for r in airflow.sandbox.log.requests() if r["method"] == "PATCH"]
    assert (renamed["path"], renamed["body"]) == ("/v2/device/12", {"displayName": "calls desk"})
    for message in ("code not_found", "code outcome_unknown", "XCom is for at most 1,000", "confirm=True"):
        assert message in printed
    written = tasks["file"][0][3]
    assert len(json.loads(Path(written["output_file"]).read_bytes())) == written["items"] > 20

    assert result["loaded"] == []
    assert result["parsed_s"] < 0.5
    assert "***" in result["secret"]
    kept = b"".join(path.read_bytes() for path in airflow.home.rglob("*") if path.is_file())
    assert airflow.sandbox.client_secret not in printed
    assert airflow.sandbox.client_secret.encode() not in kept


def test_a_batch_that_is_killed_twice_sends_no_row_twice(airflow: Airflow) -> None:
    lines = ["name", *(f"Acme {number}" for number in range(ROWS))]
    (airflow.work / "rows.csv").write_text("\n".join(lines) + "\n")
    with airflow.start("python", "drive.py", "batch:0") as process:
        wait_until(lambda: len(airflow.created("Acme")) >= 3, PATIENCE_S)
        process.send_signal(signal.SIGKILL)
    assert 3 <= len(airflow.created("Acme")) < ROWS

    result, printed = airflow.drive(f"batch:{len(airflow.created()) + 4}")
    ((_, state, number, summary),) = result["batch"]["create"]
    assert (state, number) == ("success", 2)
    assert "stopped before the end; a retry continues" in printed
    (run,) = summary["runs"]
    assert (run["rows"], run["stopped"]) == (ROWS, False)
    check_rows(airflow, airflow.work / RUN / "out.jsonl", lines[1:], run["failed"])


def test_a_batch_with_shared_state_moves_to_other_machines(airflow: Airflow, postgres: str) -> None:
    lines = ["name", *(f"Moved {number}" for number in range(ROWS))]
    disk = airflow.work / "disk"
    for machine in ("one", "two", "three"):
        (airflow.work / machine).mkdir()
        (airflow.work / machine / "rows.csv").write_text("\n".join(lines) + "\n")
    disk.symlink_to(airflow.work / "one")
    with on_machine(airflow, "one", postgres).start("python", "drive.py", "shared:0") as process:
        wait_until(lambda: len(airflow.created("Moved")) >= 3, PATIENCE_S)
        process.send_signal(signal.SIGKILL)
    assert 3 <= len(airflow.created("Moved")) < ROWS

    disk.unlink()
    disk.symlink_to(airflow.work / "two")
    result, printed = on_machine(airflow, "two", postgres).drive(f"shared:{len(airflow.created()) + 4}")
    ((_, state, number, summary),) = result["shared"]["create"]
    assert state == "success"
    # A first try that begins before the lease of the killed process has ended is retried on machine three.
    first, last = {2: ("two", "three"), 3: ("three", "two")}[number]
    assert "stopped before the end; a retry continues" in printed
    assert PASSWORD not in printed
    (run,) = summary["runs"]
    assert (run["rows"], run["stopped"]) == (ROWS, False)
    assert not (airflow.work / first / RUN / "out.jsonl").exists()
    check_rows(airflow, airflow.work / last / RUN / "out.jsonl", lines[1:], run["failed"])


def on_machine(airflow: Airflow, name: str, state: str) -> Airflow:
    """Return Airflow with a user's folders of a machine's own, and the connection of the state."""
    folders = {
        f"XDG_{kind}_HOME": str(airflow.work / name / kind) for kind in ("CACHE", "STATE", "CONFIG", "DATA")
    }
    return replace(
        airflow, environment={**airflow.environment, **folders, "AIRFLOW_CONN_SHARED_STATE": state}
    )


def check_rows(airflow: Airflow, output: Path, names: Sequence[str], failed: int) -> None:
    """Check that each row has an envelope and was received once, except the one of a killed process."""
    codes = [json.loads(line)["meta"]["code"] for line in output.read_text().splitlines()]
    assert len(codes) == ROWS
    # The row that was in progress at the SIGKILL was received or not; it is not sent again.
    unclear = {name for name, code in zip(names, codes, strict=True) if code == "outcome_unknown"}
    assert len(unclear) == failed <= 1
    received = Counter(name.removesuffix(" 20260701") for name in airflow.created(names[0].split()[0]))
    assert max(received.values()) == 1
    assert {*names} - unclear <= received.keys()
