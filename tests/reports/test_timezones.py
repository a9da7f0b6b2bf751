"""Rows 1 and 16: dates and times without a zone are those of the run's time zone."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

BERLIN = ("--timezone", "Europe/Berlin")
NEW_YORK = "timezone: America/New_York\n"
WARRANTY = ("-t", "device_id={{ Id }}", "-t", "warranty_end={{ WarrantyEnd }}")


@pytest.fixture(autouse=True)
def connection(connection_file: Path) -> Path:
    return connection_file


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


def preview(ninjaone: Ninjaone, *arguments: object) -> list[Any]:
    done = ninjaone("preview", "update_device", *WARRANTY, "--json", *arguments)
    return [json.loads(line) for line in done.stdout.splitlines()]


def ends(ninjaone: Ninjaone, folder: Path, *dates: object, options: tuple[str, ...] = BERLIN) -> list[Any]:
    """Preview a warranty's end; return the shown time with the sent one, or the error, of each row."""
    rows = [{"Id": 3, "WarrantyEnd": date} for date in dates]
    shown = preview(ninjaone, "-i", write_lines(folder / "rows.jsonl", rows), *options)
    return [
        row.get("error") or (row["times"]["warranty_end"], row["body"]["warranty"]["endDate"])
        for row in shown
    ]


def test_the_reported_date_is_midnight_in_the_zone(ninjaone: Ninjaone) -> None:
    compact, serial = preview(ninjaone, "-i", "compact-dates.csv", *BERLIN)
    assert compact["times"] == {"warranty_end": "2028-12-01T00:00:00+01:00"}
    assert compact["body"] == {"warranty": {"endDate": epoch("2028-11-30T23:00:00")}}
    assert "47088 looks like a spreadsheet date: 2028-12-01" in serial["error"]
    done = ninjaone("preview", "update_device", *WARRANTY, "-i", "compact-dates.csv", *BERLIN)
    assert "  (warranty_end is 2028-12-01T00:00:00+01:00)\n" in done.stdout


def test_forms_of_times(ninjaone: Ninjaone, tmp_path: Path) -> None:
    found = ends(
        ninjaone,
        tmp_path,
        "2026-07-16",
        "2026-07-16T06:00:00",
        "20260716T0600",
        "2026-07-16T06:00:00Z",
        "2026-07-16T06:00:00-04:00",
        epoch("2026-07-16T04:00:00"),
        20260716,
    )
    six = ("2026-07-16T06:00:00+02:00", epoch("2026-07-16T04:00:00"))
    midnight = ("2026-07-16T00:00:00+02:00", epoch("2026-07-15T22:00:00"))
    assert found == [
        midnight,
        six,
        six,
        ("2026-07-16T08:00:00+02:00", epoch("2026-07-16T06:00:00")),
        ("2026-07-16T12:00:00+02:00", epoch("2026-07-16T10:00:00")),
        six,
        midnight,
    ]


@pytest.mark.parametrize(
    ("zone", "text", "says"),
    [
        ("Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T02:30:00 does not occur in Europe/Berlin"),
        ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T02:30:00 occurs twice in Europe/Berlin"),
        ("Africa/Cairo", "2026-04-24", "2026-04-24T00:00:00 does not occur in Africa/Cairo"),
        ("America/Havana", "2026-11-01", "2026-11-01T00:00:00 occurs twice in America/Havana"),
    ],
)
def test_times_when_clocks_change(
    ninjaone: Ninjaone, tmp_path: Path, zone: str, text: str, says: str
) -> None:
    (error,) = ends(ninjaone, tmp_path, text, options=("--timezone", zone))
    assert error == f"warranty_end: {says}, where clocks change: write the time with its UTC offset"
    (offset,) = ends(ninjaone, tmp_path, f"{text[:10]}T02:30:00+02:00", options=("--timezone", zone))
    assert offset[1] == epoch(f"{text[:10]}T00:30:00")


def test_a_connection_a_job_and_the_option_in_their_order(
    ninjaone: Ninjaone, connection: Path, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"Id": 3, "WarrantyEnd": "2026-07-16"}])
    job = {"action": "update_device", "connection": "connection.yaml", "input": "rows.jsonl"}
    job["templates"] = {"device_id": "{{ Id }}", "warranty_end": "{{ WarrantyEnd }}"}  # type: ignore[assignment]
    (tmp_path / "job.yaml").write_text(json.dumps(job))

    def end(*options: str) -> str:
        done = ninjaone("preview", "job.yaml", "--json", *options)
        return str(json.loads(done.stdout)["times"]["warranty_end"])

    assert end() == "2026-07-16T00:00:00Z"
    connection.write_text(connection.read_text() + NEW_YORK)
    assert end() == "2026-07-16T00:00:00-04:00"
    (tmp_path / "job.yaml").write_text(json.dumps({**job, "timezone": "Asia/Tokyo"}))
    assert end() == "2026-07-16T00:00:00+09:00"
    assert end(*BERLIN) == "2026-07-16T00:00:00+02:00"
    assert end("--timezone", "UTC") == "2026-07-16T00:00:00Z"


def test_what_is_sent(ninjaone: Ninjaone, sandbox: Sandbox, connection: Path, tmp_path: Path) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"Id": 3, "WarrantyEnd": "2026-07-16"}])
    run = ("run", "update_device", *WARRANTY, "-i", rows, "-c", "connection.yaml", "-o", "-")
    assert ninjaone(*run, *BERLIN).returncode == 0
    connection.write_text(connection.read_text() + NEW_YORK)
    assert ninjaone(*run).returncode == 0
    call = ("call", "update_device", "device_id=3", "warranty_end=2026-07-16", "-c", "connection.yaml")
    assert ninjaone(*call).returncode == 0
    assert ninjaone(*call, *BERLIN).returncode == 0
    found = [r["body"]["warranty"]["endDate"] for r in sandbox.log.requests()]
    berlin, new_york = epoch("2026-07-15T22:00:00"), epoch("2026-07-16T04:00:00")
    assert found == [berlin, new_york, new_york, berlin]


def test_a_custom_field_that_its_handler_converts(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    call = ("call", "update_device_custom_fields", "device_id=6", 'fields={"lastCheck": "2025-05-28"}')
    assert ninjaone(*call, "-c", "connection.yaml", *BERLIN).returncode == 0
    sent = next(r for r in sandbox.log.requests() if r["method"] == "PATCH")
    assert sent["body"] == {"lastCheck": epoch("2025-05-27T22:00:00") * 1000}


def test_filters_of_times_use_it_by_default(ninjaone: Ninjaone, tmp_path: Path) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"at": "25.04.2023 06:00", "iso": "2023-04-25T04:00:00Z"}])
    templates = {
        "a": "{{ at | to_datetime('%d.%m.%Y %H:%M') }}",
        "b": "{{ iso | format_datetime('%H:%M') }}",
        "c": "{{ iso | format_datetime('%H:%M', 'UTC') }}",
        "d": "{{ '2023-04-25' | to_epoch }}",
        "e": "{{ '2023-04-25' | iso }}",
    }
    data = json.dumps(templates)
    arguments = ("-i", rows, "-t", "device_id=1", "-t", f"user_data={data}", "--json", *BERLIN)
    done = ninjaone("preview", "update_device", *arguments)
    assert json.loads(done.stdout)["body"]["userData"] == {
        "a": "2023-04-25T04:00:00Z",
        "b": "06:00",
        "c": "04:00",
        "d": str(round(epoch("2023-04-24T22:00:00"))),
        "e": "2023-04-24T22:00:00Z",
    }


def test_the_templates_that_select_rows_use_it(
    ninjaone: Ninjaone, sandbox: Sandbox, connection: Path, tmp_path: Path
) -> None:
    """Half past eleven of the evening in UTC is the next day in Berlin."""
    connection.write_text(connection.read_text() + "timezone: Europe/Berlin\n")
    times = ("2026-07-16T21:30:00Z", "2026-07-16T22:30:00Z", "2026-07-17T21:30:00Z")
    write_lines(tmp_path / "rows.jsonl", [{"id": 1, "at": at} for at in times])
    day = "{{ at | format_datetime('%d') }}"
    first = {"name": "device", "action": "get_device", "templates": {"device_id": "{{ id }}"}}
    only = {"step": "device", "only": f"{{{{ {day[3:-3]} == '17' }}}}"}
    second = {"name": "again", "action": "get_device", "templates": {"device_id": "{{ id }}"}, "input": only}
    steps = [{**first, "distinct": day}, second]
    job = {"connection": "connection.yaml", "input": "rows.jsonl", "output": "out", "delay_ms": 0}
    (tmp_path / "job.yaml").write_text(json.dumps({**job, "steps": steps}))
    assert ninjaone("run", "job.yaml").returncode == 0
    envelopes = [json.loads(line) for line in (tmp_path / "out/device.jsonl").read_text().splitlines()]
    assert [e["meta"].get("same_as") for e in envelopes] == [None, None, 2]
    again = [json.loads(line) for line in (tmp_path / "out/again.jsonl").read_text().splitlines()]
    assert [e["row"] for e in again] == [2, 3]


def test_a_filter_of_a_list_and_a_date_that_is_sent_as_a_date(ninjaone: Ninjaone, tmp_path: Path) -> None:
    filters = ("created after 2026-07-16T06:00:00", "created after 2026-07-16")
    rows = write_lines(tmp_path / "rows.jsonl", [{"filter": text} for text in filters])
    done = ninjaone("preview", "list_devices", "-i", rows, "--json", *BERLIN)
    sent = [json.loads(line)["query"]["df"] for line in done.stdout.splitlines()]
    assert sent == ["created after 2026-07-16T04:00:00Z", "created after 2026-07-16"]
    rows = write_lines(tmp_path / "rows.jsonl", [{"installed_after": "2026-07-16"}])
    done = ninjaone("preview", "report_os_patch_installs", "-i", rows, "--json", *BERLIN)
    assert json.loads(done.stdout)["query"]["installedAfter"] == "2026-07-16"


@pytest.mark.parametrize("where", ["option", "job", "connection"])
def test_a_name_that_is_no_zone(
    ninjaone: Ninjaone, sandbox: Sandbox, connection: Path, tmp_path: Path, where: str
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}])
    job = {"action": "get_device", "connection": "connection.yaml", "input": "rows.jsonl"}
    if where == "job":
        job["timezone"] = "Berlin"
    if where == "connection":
        connection.write_text(connection.read_text() + "timezone: Berlin\n")
    (tmp_path / "job.yaml").write_text(json.dumps(job))
    done = ninjaone("run", "job.yaml", *(("--timezone", "Berlin") if where == "option" else ()))
    assert done.returncode == 2
    assert 'timezone: "Berlin" is not a time zone of this system' in done.stderr
    assert sandbox.log.requests() == []


def test_a_resumed_run_requires_the_same_zone(ninjaone: Ninjaone, tmp_path: Path) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": "x"}, {"device_id": 1}])
    run = ("run", "get_device", "-i", rows, "-c", "connection.yaml", "--delay-ms", "0", "-o", "out.jsonl")
    assert ninjaone(*run, "--on-error", "stop", *BERLIN).returncode == 3
    refused = ninjaone(*run, "--resume")
    assert (refused.returncode, "differs from the unfinished one in its settings" in refused.stderr) == (
        2,
        True,
    )
    assert ninjaone(*run, "--resume", *BERLIN).returncode == 1


@pytest.mark.parametrize("several", [False, True])
def test_a_resumed_run_requires_the_same_zone_of_the_connection(
    ninjaone: Ninjaone, connection: Path, tmp_path: Path, several: bool
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": "x"}, {"device_id": 1}])
    named = (
        ("{{ 'connection.yaml' }}", "--allow-connections", "connection.yaml")
        if several
        else ("connection.yaml",)
    )
    run = (
        "run",
        "get_device",
        "-i",
        rows,
        "-c",
        *named,
        "--match-fields",
        "--delay-ms",
        "0",
        "-o",
        "out.jsonl",
    )
    before = connection.read_text()
    connection.write_text(before + NEW_YORK)
    assert ninjaone(*run, "--on-error", "stop").returncode == 3
    connection.write_text(before)
    refused = ninjaone(*run, "--resume")
    assert refused.returncode == 2
    assert "differs from the unfinished one in its settings" in refused.stderr
    connection.write_text(before + NEW_YORK)
    assert ninjaone(*run, "--resume").returncode == 1
