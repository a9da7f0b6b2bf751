"""Our actions run by the SDK's own `shim_exec`, through files and through pipes, against the sandbox."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.hosts.lhub_build import build
from connector.sandbox.ninjaone.server import Sandbox
from tests.hosts.conftest import ByHand
from tests.hosts.logichub import DELAY, MODES, RESULTS_FILE, ROWS_FOLDER, LogicHub, Mode, line, settings
from tests.interruption import wait_for_requests

REBOOT = {"device_id": "{{ device }}", "mode": "{{ how }}", "reason": "row {{ lhub_id }}"}


def paths(sandbox: Sandbox) -> list[str]:
    return [request["path"] for request in sandbox.log.requests()]


@pytest.mark.parametrize("mode", MODES)
def test_every_row_is_answered_under_its_id(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    rows = [
        {"lhub_id": 7, "device": 1, "how": "NORMAL"},
        {"lhub_id": "b-8", "device": 2, "how": "GENTLY"},
        {"lhub_id": 9, "device": 9999, "how": "FORCED"},
        {"lhub_id": 10, "device": 3},
        {"device": 4, "how": "FORCED"},
    ]
    ran = ours.run("reboot_device", rows, REBOOT, mode)
    assert ran.code == 0
    assert [lhub_id for lhub_id, _ in ran.answers] == [7, "b-8", 9, 10, None]
    assert [(e["has_error"], e["meta"]["code"]) for e in ran.envelopes] == [
        (False, None),
        (True, "input_invalid"),
        (True, "not_found"),
        (True, "input_invalid"),  # NULL, as a column that other rows have
        (False, None),
    ]
    assert "text is not one of NORMAL, FORCED" in ran.envelopes[1]["error"]
    assert paths(sandbox) == [
        "/v2/device/1/reboot/NORMAL",
        "/v2/device/9999/reboot/FORCED",
        "/v2/device/4/reboot/FORCED",
    ]
    assert len(sandbox.log.signins()) == 1


# What the platform sees

RETURNED = """
@action("Answer")
def answer(returned: JinjaTemplatedStr):
    return json.loads(returned)
"""


def by_the_sdk(hand: LogicHub, rows: list[dict[str, Any]], returned: list[Any], mode: Mode) -> bytes:
    """What the SDK writes for a function that returns these values for these rows."""
    given = [{**row, "returned": json.dumps(value)} for row, value in zip(rows, returned, strict=True)]
    ran = hand.run("answer", given, {"returned": "{{ returned }}"}, mode)
    assert ran.code == 0
    return ran.results


@pytest.mark.parametrize("mode", MODES)
def test_results_are_written_as_the_sdk_writes_them(
    ours: LogicHub, by_hand: ByHand, sandbox: Sandbox, mode: Mode
) -> None:
    rows = [{"lhub_id": 1, "name": "Żółw \u2028 🐢"}, {"name": 'with "quotes"'}, {"lhub_id": "x"}]
    ran = ours.run("create_organization", rows, {"name": "{{ name }}"}, mode)
    assert [e["has_error"] for e in ran.envelopes] == [False, False, True]
    assert ran.results == by_the_sdk(by_hand(RETURNED), rows, ran.envelopes, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_list_is_one_row_or_a_row_each(ours: LogicHub, by_hand: ByHand, mode: Mode) -> None:
    rows = [{"lhub_id": 1, "which": "class = MAC"}, {"lhub_id": 2, "which": "id in (1,2,3)"}]
    filter = {"filter": "{{ which }}"}
    whole = ours.run("list_devices", rows, filter, mode, list_rows="one")
    assert [len(envelope["result"]) for envelope in whole.envelopes][1] == 3
    each = ours.run("list_devices", rows, filter, mode)
    lists = [envelope["result"] for envelope in whole.envelopes]
    assert [e["result"] for e in each.envelopes] == [item for items in lists for item in items]
    assert [i for i, _ in each.answers] == [1] * len(lists[0]) + [2] * len(lists[1])
    # The SDK writes a list that a function returns in rows of their own, too.
    returned = [[e for i, e in each.answers if i == row["lhub_id"]] for row in rows]
    assert each.results == by_the_sdk(by_hand(RETURNED), rows, returned, mode)


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_table_gives_no_rows(ours: LogicHub, sandbox: Sandbox, mode: Mode) -> None:
    ran = ours.run("reboot_device", [], REBOOT, mode)
    assert (ran.code, ran.results) == (0, b"")
    assert paths(sandbox) == []


def test_a_folder_without_parts_is_an_empty_table(ours: LogicHub) -> None:
    ran = ours.run_files("reboot_device", {"_SUCCESS": b""}, REBOOT)
    assert (ran.code, ran.results) == (0, b"")


def test_all_parts_are_read_in_order_packed_or_not(ours: LogicHub) -> None:
    parts = {
        "part-00001": gzip.compress(line({"lhub_id": 3}) + line({"lhub_id": 4})),
        "part-00000": line({"lhub_id": 1}) + line({"lhub_id": 2}),
        "part-00002": line({"lhub_id": 5}),
        "part-00003": b"",
        "_SUCCESS": b"",
    }
    ran = ours.run_files("cancel_maintenance", parts, {"device_id": "{{ lhub_id }}"})
    assert [lhub_id for lhub_id, _ in ran.answers] == [1, 2, 3, 4, 5]


def test_a_platform_may_write_all_rows_before_it_reads_an_answer(ours: LogicHub) -> None:
    rows = 1500
    stdin = b"".join(line({"row": {"lhub_id": n, "wide": "x" * 1000}}) for n in range(rows))
    templates = {"device_id": "{{ lhub_id }} {{ nothing }}"}
    process = subprocess.Popen(
        [ours.python, "-m", "lhub_integ.shim_exec", "-e", "main.cancel_maintenance"],
        cwd=ours.folder,
        env=ours.environment(**settings(templates)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    guard = threading.Timer(60, process.kill)
    guard.start()
    with process:
        process.stdin.write(stdin)
        process.stdin.close()
        answers = process.stdout.read()
    guard.cancel()
    assert process.returncode == 0
    assert answers.count(b"\n") == rows


# Inputs


def test_inputs_left_empty_are_absent_and_not_the_rows_fields(ours: LogicHub, sandbox: Sandbox) -> None:
    row = {"lhub_id": 1, "filter": "id = 1", "limit": 1}
    assert len(ours.run("list_devices", [row], {"filter": " ", "limit": ""}).envelopes) > 1
    templates = {"organization_id": "1", "name": "{{ name }}", "description": "", "tags": "{{ '' }}"}
    assert not ours.run("update_organization", [{"lhub_id": 1, "name": "New"}], templates).envelope["error"]
    (patch,) = [r for r in sandbox.log.requests() if r["method"] == "PATCH"]
    assert patch["body"] == {"name": "New"}


def test_a_required_input_left_empty_runs_nothing(ours: LogicHub, sandbox: Sandbox) -> None:
    row = {"lhub_id": 1, "device_id": 1}
    for templates in ({}, {"device_id": "  "}):
        ran = ours.run("cancel_maintenance", [row], templates)
        assert ran.code == 2
        assert ran.refusal == (
            'cancel_maintenance requires a value for device_id ("Device ID"), which is empty'
        )
    assert paths(sandbox) == []


WINDOW = {"device_id": "1", "disabled_features": '["ALERTS"]'}
END_MS, END = "2111724000000", "2036-12-01T06:00:00Z"


def test_a_maintenance_window_ends_with_the_batch_unless_it_says_more(
    ours: LogicHub, sandbox: Sandbox
) -> None:
    batch = {"__execution_end_time_ms": END_MS}
    until = "{{ until | default('') }}"
    rows = [{"lhub_id": 1}, {"lhub_id": 2, "until": "2036-12-24T00:00:00"}]
    assert ours.run("schedule_maintenance", rows[:1], WINDOW, **batch).envelope["error"] is None
    ran = ours.run("schedule_maintenance", rows, {**WINDOW, "end": until}, **batch)
    assert [e["error"] for e in ran.envelopes] == [None, None]
    ends = [request["body"]["end"] for request in sandbox.log.requests()]
    assert ends == [END, END, "2036-12-24T00:00:00Z"]
    ran = ours.run("schedule_maintenance", rows, WINDOW)
    assert "requires a value for end" in ran.refusal


def test_files_come_from_one_folder_and_go_to_another(ours: LogicHub, tmp_path: Path) -> None:
    folder, sent, saved = tmp_path / "files", tmp_path / "sent", tmp_path / "saved"
    build(folder, ["upload_temporary_attachments", "download_article"])
    for path in (sent, saved):
        path.mkdir()
    (sent / "plan.svg").write_text("<svg/>")
    files = LogicHub(ours.python, folder, tmp_path, ours.variables)
    row = {"lhub_id": 1, "picture": "plan.svg"}
    up = files.run(
        "upload_temporary_attachments", [row], {"files": '["{{ picture }}"]'}, uploads_folder=str(sent)
    )
    assert up.envelope["result"]["name"] == "plan.svg"
    down = files.run("download_article", [row], {"article_id": "1"}, files_folder=str(saved))
    (file,) = saved.iterdir()
    assert down.envelope["result"]["size"] == file.stat().st_size
    assert files.validate("-e", "main.download_article", ___article_id="1")[0] == 1


def test_the_sdk_may_import_the_actions_module_alone(ours: LogicHub) -> None:
    stdin = line({"row": {"lhub_id": 1}})
    alone = ("-e", "main.cancel_maintenance", "--no-compileall")
    done = ours.sdk("shim_exec", *alone, stdin=stdin, **settings({"device_id": "1"}))
    assert done.returncode == 0
    assert done.stdout.count(b'"has_error": false') == 1


# Pace, and what an answer that is lost means


@pytest.mark.parametrize(
    ("mode", "shared"),
    [("pipe", False), ("file", True)],
    ids=["one user, pipes", "containers with a volume, files"],
)
def test_two_runs_on_one_account_keep_the_pause_between_them(
    ours: LogicHub, sandbox: Sandbox, tmp_path: Path, *, mode: Mode, shared: bool
) -> None:
    given = {**settings({"device_id": "1"}), DELAY: "100"}
    rows = [{"lhub_id": n} for n in range(20)]
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "part-0").write_bytes(b"".join(map(line, rows)))
    (tmp_path / "stdin").write_bytes(b"".join(line({"row": row}) for row in rows))

    def start(name: str) -> subprocess.Popen[bytes]:
        there = {"NINJAONE_STATE_DIR": str(tmp_path / "volume"), "XDG_CACHE_HOME": str(tmp_path / name)}
        files = {ROWS_FOLDER: str(tmp_path / "table"), RESULTS_FILE: str(tmp_path / f"{name}.results")}
        variables = {**given, **(there if shared else {}), **(files if mode == "file" else {})}
        with (tmp_path / "stdin").open("rb") as stdin, (tmp_path / f"{name}.printed").open("wb") as printed:
            return subprocess.Popen(
                [ours.python, "-m", "lhub_integ.shim_exec", "-e", "main.cancel_maintenance"],
                cwd=ours.folder,
                env=ours.environment(**variables),
                stdin=stdin,
                stdout=printed,
            )

    for process in [start("one"), start("other")]:
        assert process.wait(120) == 0
    for name in ("one", "other"):
        answers = (tmp_path / f"{name}.{'results' if mode == 'file' else 'printed'}").read_bytes()
        assert answers.replace(b"\\", b"").count(b'"has_error": false') == 20
    times = [request["time"] for request in sandbox.log.requests()]
    assert len(times) == 40
    assert times[-1] - times[0] > 3.5  # 39 pauses; runs that know nothing of each other take 19


def test_the_pause_is_a_setting_that_must_be_a_number(ours: LogicHub) -> None:
    row = {"lhub_id": 1}
    ran = ours.run("cancel_maintenance", [row], {"device_id": "1"}, **{DELAY: "soon"})
    assert ran.code == 2
    assert 'delay_ms: a number is expected, not the text "soon"' in ran.refusal
    assert ours.run("cancel_maintenance", [row], {"device_id": "1"}, **{DELAY: "1.0"}).code == 0


def test_a_write_whose_answer_is_lost_is_in_doubt_and_not_sent_again(
    ours: LogicHub, sandbox: Sandbox
) -> None:
    sandbox.set_faults(queue=["reset_after"])
    rows = [{"lhub_id": n, "name": f"Client {n}"} for n in (1, 2)]
    ran = ours.run("create_organization", rows, {"name": "{{ name }}"})
    assert [e["meta"]["code"] for e in ran.envelopes] == ["outcome_unknown", None]
    assert len(paths(sandbox)) == 2


# What ends a run


def test_a_template_that_does_not_compile_runs_nothing(ours: LogicHub, sandbox: Sandbox) -> None:
    ran = ours.run("cancel_maintenance", [{"lhub_id": 1}], {"device_id": "{{ device"})
    assert ran.code == 2
    assert ran.refusal.startswith("device_id: template, line 1: ")
    assert paths(sandbox) == []


def test_a_refused_sign_in_runs_nothing_and_shows_no_secret(ours: LogicHub, sandbox: Sandbox) -> None:
    wrong = {"NINJAONE_CLIENT_SECRET": "correct-horse-battery"}
    ran = ours.run("cancel_maintenance", [{"lhub_id": 1}], {"device_id": "1"}, **wrong)
    assert ran.code == 2
    assert "NinjaOne refuses the client secret" in ran.refusal
    assert b"correct-horse-battery" not in ran.results
    assert "correct-horse-battery" not in ran.said
    assert paths(sandbox) == []


def test_a_folder_of_rows_that_is_not_there_is_said(ours: LogicHub, tmp_path: Path) -> None:
    ran = ours.run_folder("cancel_maintenance", tmp_path / "gone", {"device_id": "1"})
    assert ran.code == 2
    assert ran.refusal == f"{tmp_path / 'gone'}: no such file or folder"


def test_a_full_disk_is_said_where_it_can_be(ours: LogicHub, tmp_path: Path) -> None:
    folder = tmp_path / "table"
    folder.mkdir()
    (folder / "part-0").write_bytes(line({"lhub_id": 1}))
    done = ours.sdk(
        "shim_exec",
        "-e",
        "main.cancel_maintenance",
        **{ROWS_FOLDER: str(folder), RESULTS_FILE: "/dev/full"},
        **settings({"device_id": "1"}),
    )
    assert done.returncode == 3
    assert b"the platform accepts no more results: No space left on device" in done.stderr


@pytest.fixture
def running(ours: LogicHub, tmp_path: Path, sandbox: Sandbox) -> Iterator[subprocess.Popen[bytes]]:
    """A run that has sent something, over so many rows that it is not at its end when it is stopped."""
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "part-0").write_bytes(b"".join(line({"lhub_id": n}) for n in range(1, 10_000)))
    files = {ROWS_FOLDER: str(folder), RESULTS_FILE: str(tmp_path / "results")}
    given = {**settings({"device_id": "1", "mode": "NORMAL"}), DELAY: "10"}
    process = subprocess.Popen(
        [ours.python, "-m", "lhub_integ.shim_exec", "-e", "main.reboot_device"],
        cwd=ours.folder,
        env=ours.environment(**files, **given),
    )
    with process:
        wait_for_requests(process, 1, sandbox)
        yield process
        process.kill()


@pytest.fixture
def throttled(sandbox: Sandbox) -> None:
    """An API that asks every row to come back in four minutes."""
    sandbox.set_faults(queue=[{"fault": "429", "headers": {"Retry-After": "240"}}] * 50)


@pytest.mark.usefixtures("throttled", "running")
def test_a_stopped_run_waits_for_no_row_that_waits_for_minutes(
    running: subprocess.Popen[bytes], sandbox: Sandbox, tmp_path: Path
) -> None:
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 130
    response, _ = (json.loads(line) for line in (tmp_path / "results").read_bytes().splitlines())
    assert response["original_lhub_id"] == 1
    assert json.loads(response["result"])["meta"]["code"] == "cancelled"
    assert len(sandbox.log.requests()) == 1


def test_a_stopped_run_answers_the_row_under_way(
    running: subprocess.Popen[bytes], sandbox: Sandbox, tmp_path: Path
) -> None:
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 130
    *answers, last = (tmp_path / "results").read_bytes().splitlines()
    assert len(answers) == len(sandbox.log.requests())
    assert json.loads(last)["result"]["message"] == f"stopped by the platform after {len(answers)} rows"
