"""Rows 1, 2, 6 and 20: dates, text that is not UTF-8, and empty cells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone

pytestmark = pytest.mark.in_process
DATA = Path(__file__).parent / "data"


def previewed(ninjaone: Ninjaone, tmp_path: Path, action: str, file: str, **templates: str) -> Any:
    shutil.copy(DATA / file, tmp_path)
    options = [part for name, template in templates.items() for part in ("-t", f"{name}={template}")]
    done = ninjaone("preview", action, "-i", file, *options, "--json")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_1_dates_as_an_export_writes_them(ninjaone: Ninjaone, tmp_path: Path) -> None:
    templates = {"device_id": "{{Id}}", "warranty_end": "{{WarrantyEnd}}"}
    compact, serial = previewed(ninjaone, tmp_path, "update_device", "compact-dates.csv", **templates)
    assert compact["times"] == {"warranty_end": "2028-12-01T00:00:00Z"}
    assert compact["body"] == {"warranty": {"endDate": 1859241600}}
    assert serial["error"].startswith("warranty_end: 47088 looks like a spreadsheet date: 2028-12-01; write")


def test_1_a_compact_date_of_a_maintenance_window(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"start": 20360716, "end": "20360717"}\n')
    templates = ('disabled_features=["ALERTS"]', "start={{ start }}", "end={{ end }}", "device_id=3")
    options = [part for template in templates for part in ("-t", template)]
    done = ninjaone("preview", "schedule_maintenance", "-i", "rows.jsonl", *options, "--json")
    body = json.loads(done.stdout)["body"]
    assert (body["start"], body["end"]) == ("2036-07-16T00:00:00Z", "2036-07-17T00:00:00Z")


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("1748390400", 1748390400000),
        ('"1748390400"', 1748390400000),
        ("1748390400.25", 1748390400250),
        ('"1748390400.25"', 1748390400250),
        ('"2025-05-28"', 1748390400000),
        ("20260716", 1784160000000),
    ],
)
def test_2_a_date_custom_field(ninjaone: Ninjaone, sandbox: Sandbox, value: str, stored: int) -> None:
    call = ("call", "update_device_custom_fields", "device_id=6", f'fields={{"lastCheck": {value}}}')
    assert run(ninjaone, sandbox, *call)["error"] is None
    found = run(ninjaone, sandbox, "call", "get_device_custom_fields", "device_id=6")
    assert found["result"] == {"lastCheck": stored}


def test_2_epoch_seconds_of_a_row(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    shutil.copy(DATA / "epoch-seconds.jsonl", tmp_path)
    fields = 'fields={"lastCheck": {{created}}}'
    arguments = ("-i", "epoch-seconds.jsonl", "-t", "device_id={{Id}}", "-t", fields, "-o", "-")
    run(ninjaone, sandbox, "run", "update_device_custom_fields", *arguments)
    found = run(ninjaone, sandbox, "call", "get_device_custom_fields", "device_id=6")
    assert found["result"] == {"lastCheck": 1748390400250}


def test_2_a_spreadsheet_date_is_refused(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    call = ("call", "update_device_custom_fields", "device_id=6", 'fields={"lastCheck": 47088}')
    error = run(ninjaone, sandbox, *call, code=1)["error"]
    assert error.startswith("fields.lastCheck: 47088 looks like a spreadsheet date: 2028-12-01; write")


@pytest.mark.parametrize("value", ["46357.25", '"46357.25"', '"46357"', '"46357.00"'])
def test_2_a_spreadsheet_date_beside_a_plain_time_is_refused(
    ninjaone: Ninjaone, sandbox: Sandbox, value: str
) -> None:
    organization = f'fields={{"contractEnd": {value}, "costCenter": "46357.25"}}'
    error = run(
        ninjaone,
        sandbox,
        "call",
        "update_organization_custom_fields",
        "organization_id=1",
        organization,
        code=1,
    )["error"]
    assert error.startswith(
        f"fields.contractEnd: {value.strip(chr(34))} looks like a spreadsheet date: 2026-12-01"
    )
    assert not [entry for entry in sandbox.log.requests() if entry["method"] == "PATCH"]


def test_2_a_spreadsheet_date_in_filters(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"cell": "46357.25"}\n')
    for template in ("iso", "to_datetime", "from_epoch", "add_time(days=1)", "to_datetime(timezone='UTC')"):
        done = ninjaone(
            "preview", "get_device", "-i", "rows.jsonl", "-t", f"device_id={{{{ cell | {template} }}}}"
        )
        assert "46357.25 looks like a spreadsheet date: 2026-12-01" in done.stdout
    converted = "{{ '1899-12-30' | add_time(days=cell | float) }}"
    templates = ("-t", "device_id=1", "-t", f"warranty_end={converted}")
    done = ninjaone("preview", "update_device", "-i", "rows.jsonl", *templates, "--json")
    assert json.loads(done.stdout)["times"] == {"warranty_end": "2026-12-01T06:00:00Z"}


def test_6_text_that_is_not_utf_8(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    found = run(ninjaone, sandbox, "call", "update_device", "device_id=3", "display_name=B\udcfcro", code=1)
    assert found["meta"]["code"] == "input_invalid"
    assert "the byte 0xFC is not UTF-8" in found["error"]
    assert not [entry for entry in sandbox.log.requests() if entry["method"] == "PATCH"]


def test_20_an_empty_cell_of_an_input_is_omitted(ninjaone: Ninjaone, tmp_path: Path) -> None:
    templates = {"device_id": "{{Id}}", "display_name": "{{assetOwner}}", "user_data": '{"a": 1}'}
    full, gap = previewed(ninjaone, tmp_path, "update_device", "sparse-fields.csv", **templates)
    assert full["body"] == {"displayName": "Ada L", "userData": {"a": 1}}
    assert gap["body"] == {"userData": {"a": 1}}


FIELDS = (
    '{"rack": "R1", "assetOwner": "{{assetOwner}}", "lastCheck": "{{assetOwner if Id == \'3\' else omit}}"}'
)


def test_20_an_empty_cell_of_a_custom_field_is_omitted(ninjaone: Ninjaone, tmp_path: Path) -> None:
    templates = {"device_id": "{{Id}}", "fields": FIELDS}
    full, gap = previewed(ninjaone, tmp_path, "update_device_custom_fields", "sparse-fields.csv", **templates)
    assert full["body"] == {"rack": "R1", "assetOwner": "Ada L"}
    assert gap["body"] == {"rack": "R1"}


@pytest.mark.parametrize(
    ("settings", "body"),
    [("", None), ("empty: omit\n", None), ("empty: send\n", {"rack": ""})],
)
def test_20_a_row_of_gaps_alone(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, settings: str, body: Any
) -> None:
    shutil.copy(DATA / "sparse-fields.csv", tmp_path)
    (tmp_path / "job.yaml").write_text(
        "action: update_device_custom_fields\ninput: sparse-fields.csv\n"
        'templates: {device_id: "{{Id}}", fields: {rack: "{{assetOwner}}"}}\n' + settings
    )
    done = ninjaone("run", "job.yaml", "-o", "-", "--delay-ms", "0", **account(sandbox))
    envelopes = [json.loads(line) for line in done.stdout.splitlines()]
    sent = [entry for entry in sandbox.log.requests() if entry["method"] == "PATCH"]
    assert [entry["body"] for entry in sent] == [{"rack": "Ada L"}, *([body] if body else [])]
    if body is None:
        assert done.returncode == 1
        assert envelopes[1]["error"].startswith("nothing to change: no value for fields ")
        assert envelopes[1]["meta"]["code"] == "input_invalid"


def test_20_the_option_to_send_empty_texts(ninjaone: Ninjaone, tmp_path: Path) -> None:
    shutil.copy(DATA / "sparse-fields.csv", tmp_path)
    templates = ("-t", "device_id={{Id}}", "-t", "display_name={{assetOwner}}")
    arguments = ("preview", "update_device", "-i", "sparse-fields.csv", *templates, "--json")
    done = ninjaone(*arguments, "--empty", "send")
    assert json.loads(done.stdout.splitlines()[1])["body"] == {"displayName": ""}
    done = ninjaone(*arguments)
    assert "nothing to change: no value for display_name" in done.stdout
    assert done.returncode == 1


def test_20_the_rule_for_all_steps_of_a_job(ninjaone: Ninjaone, tmp_path: Path) -> None:
    shutil.copy(DATA / "sparse-fields.csv", tmp_path)
    templates = '{device_id: "{{Id}}", display_name: "{{assetOwner}}"}'
    steps = f"output: out\nsteps:\n- {{name: a, action: update_device, templates: {templates}}}\n"
    (tmp_path / "job.yaml").write_text(f"input: sparse-fields.csv\nempty: send\n{steps}")
    done = ninjaone("preview", "job.yaml", "--json")
    assert json.loads(done.stdout.splitlines()[1])["body"] == {"displayName": ""}
    assert "nothing to change" in ninjaone("preview", "job.yaml", "--json", "--empty", "omit").stdout


def test_20_show_says_the_rule(ninjaone: Ninjaone) -> None:
    assert "An empty cell is omitted from the request." in ninjaone("show", "update_device").stdout
    assert "An empty cell" not in ninjaone("show", "get_device").stdout


def account(sandbox: Sandbox) -> dict[str, str]:
    return {
        "NINJAONE_BASE_URL": sandbox.base_url,
        "NINJAONE_CLIENT_ID": sandbox.client_id,
        "NINJAONE_CLIENT_SECRET": sandbox.client_secret,
    }


def run(ninjaone: Ninjaone, sandbox: Sandbox, *arguments: str, code: int = 0) -> Any:
    """Return the only envelope that the command prints."""
    done = ninjaone(*arguments, **account(sandbox))
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)
