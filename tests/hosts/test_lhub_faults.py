"""Faults of the SDK: each shown with an integration written by hand for it, and not met with ours.

Both are run by the same `shim_exec`, in the same environment, over the same rows.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.hosts.conftest import ByHand
from tests.hosts.logichub import MODE_IN_BRIEF, RESULTS_FILE, ROWS_FOLDER, LogicHub, Mode, line

DEVICE = {"device_id": "{{ device }}"}
ECHO = """
@action("Echo")
def echo(text: JinjaTemplatedStr):
    return {"text": text}
"""


# Rows


def test_it_reads_one_part_of_several(ours: LogicHub, by_hand: ByHand) -> None:
    parts = {f"part-0000{n}": line({"lhub_id": n}) for n in range(1, 4)}
    alone = by_hand(ECHO).run_files("echo", parts, {"text": "{{ lhub_id }}"})
    assert alone.code == 0
    assert len(alone.answers) == 1
    ran = ours.run_files("cancel_maintenance", parts, {"device_id": "{{ lhub_id }}"})
    assert [lhub_id for lhub_id, _ in ran.answers] == [1, 2, 3]


def test_it_takes_a_checksum_for_rows(ours: LogicHub, by_hand: ByHand, tmp_path: Path) -> None:
    folder = folder_that_lists_the_checksum_first(tmp_path)
    alone = by_hand(ECHO).run_folder("echo", folder, {"text": "{{ lhub_id }}"})
    assert (alone.code, alone.answers) == (1, [])
    ran = ours.run_folder("cancel_maintenance", folder, {"device_id": "{{ lhub_id }}"})
    assert [lhub_id for lhub_id, _ in ran.answers] == [1]


def folder_that_lists_the_checksum_first(parent: Path) -> Path:
    """Make a folder of one part and its checksum; the order in which they are listed is the file system's."""
    for n in range(100):
        folder = parent / str(n)
        folder.mkdir()
        checksum, part = folder / f"part-{n}.crc", folder / f"part-{n}-rows"
        checksum.write_bytes(b"crc\x00\xff\xfe")
        part.write_bytes(line({"lhub_id": 1}))
        if os.listdir(folder)[0] == checksum.name:
            return folder
    raise AssertionError("no folder lists the checksum first")


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
def test_a_broken_line_ends_it(ours: LogicHub, by_hand: ByHand, mode: Mode) -> None:
    wrapped = {"file": b'{"lhub_id": 2}\n', "pipe": b'{"row": {"lhub_id": 2}}\n'}[mode]
    lines = b"not, JSON\n" + wrapped

    def run(integration: LogicHub, action: str, name: str) -> tuple[int, list[object]]:
        templates = {name: "{{ lhub_id }}"}
        if mode == "pipe":
            ran = integration.pipe(action, lines, templates)
        else:
            ran = integration.run_files(action, {"part-0": lines}, templates)
        return ran.code, [
            (i, isinstance(message, dict) and message.get("has_error")) for i, message in ran.answers
        ]

    assert run(by_hand(ECHO), "echo", "text") == (1, [])
    assert run(ours, "cancel_maintenance", "device_id") == (0, [(None, True), (2, False)])


# Templates


STEAL = "{{ cycler.__init__.__globals__.os.environ['NINJAONE_CLIENT_SECRET'] }}"


def test_its_templates_are_not_sandboxed(ours: LogicHub, by_hand: ByHand) -> None:
    secret = {"NINJAONE_CLIENT_SECRET": "sandbox-secret"}
    alone = by_hand(ECHO).run("echo", [{"lhub_id": 1}], {"text": STEAL}, **secret)
    assert alone.envelope == {"text": "sandbox-secret"}
    for template in (STEAL, "{{ lhub_id.__class__.__mro__[1].__subclasses__() | length }}"):
        ran = ours.run("create_organization", [{"lhub_id": 1}], {"name": template})
        assert ran.envelope["meta"]["code"] == "template_error"
        assert b"sandbox-secret" not in ran.results


def test_a_missing_column_becomes_an_empty_text(ours: LogicHub, by_hand: ByHand, sandbox: Sandbox) -> None:
    row = {"lhub_id": 1, "device": 3}
    alone = by_hand(ECHO).run("echo", [row], {"text": "/v2/device/{{ devcie }}/maintenance"})
    assert alone.envelope == {"text": "/v2/device//maintenance"}
    ran = ours.run("cancel_maintenance", [row], {"device_id": "{{ devcie }}"})
    assert 'the row has no field "devcie" (did you mean "device"?)' in ran.envelope["error"]
    assert sandbox.log.requests() == []


COUNT = """
import atexit, os, jinja2
compiled, compile = [], jinja2.Environment.compile
jinja2.Environment.compile = lambda *args, **kwargs: compiled.append(1) or compile(*args, **kwargs)
atexit.register(lambda: open(os.environ["COUNT"], "w").write(str(len(compiled))))
"""


def test_its_templates_are_compiled_for_every_row(
    ours: LogicHub, by_hand: ByHand, integration_folder: Path, tmp_path: Path
) -> None:
    count = tmp_path / "count"

    def compiled(integration: LogicHub, action: str, rows: int) -> int:
        # The SDK imports every module that stands in the folder.
        (tmp_path / "counted").mkdir(exist_ok=True)
        (tmp_path / "counted" / "a_count.py").write_text(COUNT)
        (tmp_path / "counted" / "main.py").write_text((integration.folder / "main.py").read_text())
        counted = LogicHub(integration.python, tmp_path / "counted", integration.work, integration.variables)
        templates = {"text" if action == "echo" else "device_id": "{{ lhub_id }}"}
        ran = counted.run(action, [{"lhub_id": n} for n in range(1, rows + 1)], templates, COUNT=str(count))
        assert len(ran.envelopes) == rows
        return int(count.read_text())

    hand = by_hand(ECHO)
    assert (compiled(hand, "echo", 2), compiled(hand, "echo", 20)) == (2, 20)
    assert compiled(ours, "cancel_maintenance", 2) == compiled(ours, "cancel_maintenance", 20)


# Results


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
def test_an_empty_result_writes_no_row(ours: LogicHub, by_hand: ByHand, sandbox: Sandbox, mode: Mode) -> None:
    hand = by_hand('@action("None")\ndef nothing(text: JinjaTemplatedStr):\n    return json.loads(text)\n')
    rows = [{"lhub_id": n, "of": of} for n, of in enumerate(["{}", "[]", "null", "0", '""'])]
    alone = hand.run("nothing", rows, {"text": "{{ of }}"}, mode)
    assert (alone.code, alone.results) == (0, b"")
    # 204 without a body, and a list of nothing
    ran = ours.run("cancel_maintenance", [{"lhub_id": 1, "device": 1}], DEVICE, mode)
    assert [(i, e["has_error"], e["result"]) for i, e in ran.answers] == [(1, False, None)]
    for listed, empty in (("one", []), ("each", None)):
        ran = ours.run("list_devices", [{"lhub_id": 1}], {"filter": "id = 9999"}, mode, list_rows=listed)
        assert [(i, e["has_error"], e["result"]) for i, e in ran.answers] == [(1, False, empty)]


def test_what_is_not_a_boolean_is_told_with_a_placeholder_and_no_id(ours: LogicHub, by_hand: ByHand) -> None:
    hand = by_hand('@action("Flag")\ndef flag(on: bool):\n    return {"on": on}\n')
    row = {"lhub_id": 1, "on": "perhaps"}
    ((lhub_id, message),) = hand.run("flag", [row], {"on": "on"}).answers
    assert lhub_id is None
    assert "Expected boolean input but {input} could not" in message["error"]
    ((lhub_id, envelope),) = ours.run(
        "get_device_link", [row], {"device_id": "1", "redirect": "{{ on }}"}
    ).answers
    assert lhub_id == 1
    assert envelope["error"] == "redirect: true or false is expected, not text"


def test_an_error_that_nobody_caught_shows_the_whole_row(ours: LogicHub, by_hand: ByHand) -> None:
    hand = by_hand('@action("Fail")\ndef fail(text: JinjaTemplatedStr):\n    return {"a": int(text)}\n')
    row = {"lhub_id": 1, "device": "x", "password": "hunter-2-hunter"}
    alone = hand.run("fail", [row], {"text": "{{ device }}"})
    assert alone.envelope["data"] == row
    for templates in (DEVICE, {"device_id": "{{ device.name }}"}, {"device_id": "{{ 1 / 0 }}"}):
        ran = ours.run("cancel_maintenance", [row], templates)
        assert ran.envelope["has_error"] is True
        assert b"hunter-2-hunter" not in ran.results


# Its own parts


def test_a_parameter_for_a_column_cannot_be_declared(ours: LogicHub, by_hand: ByHand) -> None:
    hand = by_hand(ECHO + 'ActionParam("column", action="echo", data_type=DataType.COLUMN)\n')
    described = hand.metadata()
    assert described["ok"] is False
    assert "Failed to import module" in described["errors"][0]
    row = {"lhub_id": 1, "Device ID": 1}
    assert hand.run("echo", [row], {"text": "x"}).code == 2
    # Ours needs none: a template takes a column by any name.
    assert ours.metadata()["ok"] is True
    ran = ours.run("cancel_maintenance", [row], {"device_id": "{{ row['Device ID'] }}"})
    assert ran.envelope["error"] is None


REPLACED = (
    "import {module}, sys; sys.exit(sys.stdout is not sys.__stdout__ or sys.stderr is not sys.__stderr__)"
)


@pytest.mark.parametrize(
    ("module", "replaced"),
    [
        ("lhub_integ", 1),
        ("connector.hosts.lhub", 0),
        ("connector.hosts.lhub_build", 0),
        ("connector.cli.host", 0),
    ],
)
def test_to_import_it_replaces_the_standard_streams(ours: LogicHub, module: str, replaced: int) -> None:
    files = {ROWS_FOLDER: str(ours.work), RESULTS_FILE: str(ours.work / "results")}
    done = subprocess.run(
        [ours.python, "-c", REPLACED.format(module=module)], env=ours.environment(**files), timeout=60
    )
    assert done.returncode == replaced


def test_what_it_dies_of_is_not_said(ours: LogicHub, by_hand: ByHand, tmp_path: Path) -> None:
    hand = by_hand(
        '@action("Once", execution_type=ExecutionType.PROCESS_ONCE)\ndef once():\n'
        '    print("a warning")\n    raise OSError("no input")\n'
    )
    alone = hand.run("once", [])
    assert (alone.code, alone.results, alone.said) == (1, b"", "")
    ran = ours.run_folder("cancel_maintenance", tmp_path / "gone", {"device_id": "1"})
    assert "no such file or folder" in ran.refusal


def test_called_by_row_ours_sends_nothing_and_says_so(ours: LogicHub, sandbox: Sandbox) -> None:
    # As an SDK would that does not look up how an action is to be run.
    by_row = (
        "import sys; sys.path.insert(0, '.'); import main; "
        "main.cancel_maintenance(device_id='1'); print('and went on')"
    )
    done = subprocess.run(
        [ours.python, "-c", by_row],
        cwd=ours.folder,
        env=ours.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    message = json.loads(done.stdout.removeprefix("[result] "))
    assert message["message"].startswith("nothing was sent: the connector runs an action once for all rows")
    assert sandbox.log.requests() == []


@pytest.mark.parametrize(
    "change",
    [
        "import lhub_integ.execution; lhub_integ.execution.ExecutionType = None",
        "import lhub_integ.util; del lhub_integ.util.print_result",
    ],
)
def test_an_sdk_that_is_not_as_expected_is_refused(ours: LogicHub, tmp_path: Path, change: str) -> None:
    folder = tmp_path / "changed"
    folder.mkdir()
    (folder / "main.py").write_text(f"{change}\n{(ours.folder / 'main.py').read_text()}")
    changed = LogicHub(ours.python, folder, tmp_path, ours.variables)
    ran = changed.run("cancel_maintenance", [{"lhub_id": 1}], {"device_id": "1"})
    assert ran.code == 2
    assert ran.refusal.startswith("this connector supports lhub_integ 1.0.14, but another version")
