"""Trying an action: the results of templates over rows, with every error where it belongs."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.cli.main import main
from connector.web.runs.pasted_rows import recognized, save_rows
from connector.web.tryout.drafts import KEPT, Drafts
from connector.web.tryout.evaluate import Trial, try_out
from connector.web.tryout_pages import MAX_PASTED_LENGTH
from tests.web.guest import Guest, open_site

TEMPLATES = {
    "device_id": "{{ device }}",
    "disabled_features": '["{{ feature }}", "ALERTS"]',
    "end": "{{ until }}",
}
CSV = "device,feature,until\n1,PATCHING,2036-07-16T06:00:00-4:00\n2,EVERYTHING,2036-07-16T06:00:00Z\n"


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


def tried(
    catalog: Catalog, folder: Path, rows: str, templates: dict[str, Any], action: str = "schedule_maintenance"
) -> Trial:
    found = catalog.action(action)
    given = save_rows(rows.encode(), "", folder)
    service = catalog.service(found.service)
    return try_out(found, service, templates, given.first(20), folder, "https://acme.example")


# What rows become


def test_every_row_becomes_what_the_command_line_says(
    catalog: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = tried(catalog, tmp_path, CSV, TEMPLATES)
    options = [f"--template={name}={template}" for name, template in TEMPLATES.items()]
    (tmp_path / "c.yaml").write_text("{base_url: https://acme.example, client_id: a, client_secret: b}")
    rows = ["--input", str(tmp_path / "rows.csv"), "--connection", str(tmp_path / "c.yaml")]
    assert main(["preview", "schedule_maintenance", "--json", *rows, *options]) == 1
    output = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row.request or {"row": row.number, "error": row.error} for row in trial.rows] == output
    assert trial.rows[0].http.splitlines()[:2] == [
        "PUT https://acme.example/v2/device/1/maintenance",
        "authorization: Bearer •••",
    ]
    body = trial.rows[0].http.partition("\n\n")[2]
    assert json.loads(body) == {"disabledFeatures": ["PATCHING", "ALERTS"], "end": "2036-07-16T10:00:00Z"}


def test_values_are_shown_with_their_types(catalog: Catalog, tmp_path: Path) -> None:
    row = tried(catalog, tmp_path, CSV, TEMPLATES).rows[0]
    assert {cell.name: (cell.value, cell.kind) for cell in row.cells} == {
        "device_id": ("1", "an integer"),
        "disabled_features": ('["PATCHING", "ALERTS"]', "an array"),
        "end": ('"2036-07-16T10:00:00Z"', "text"),
    }


def test_without_templates_inputs_take_the_fields_of_their_names(catalog: Catalog, tmp_path: Path) -> None:
    trial = tried(catalog, tmp_path, '{"device_id": 7, "mode": "FORCED"}', {}, "reboot_device")
    assert trial.rows[0].request is not None
    assert trial.rows[0].request["url"] == "https://acme.example/v2/device/7/reboot/FORCED"
    kinds = {cell.name: cell.kind for cell in trial.rows[0].cells}
    assert kinds == {"device_id": "an integer", "mode": "text", "reason": "not sent"}


# Errors, where they belong


def test_an_unknown_field_is_marked_at_the_input_and_the_row(catalog: Catalog, tmp_path: Path) -> None:
    trial = tried(catalog, tmp_path, CSV, {**TEMPLATES, "end": "{{ untill }}"})
    message = (
        'the row has no field "untill" (did you mean "until"?); the row\'s fields: device, feature, until'
    )
    assert trial.faults["end"] == f"Row 1: {message}"
    assert [cell.error for cell in trial.rows[1].cells if cell.name == "end"] == [message]
    assert trial.rows[0].error == f"end: {message}"
    assert trial.failed == 2


def test_a_value_that_is_not_allowed_is_marked_in_its_row_alone(catalog: Catalog, tmp_path: Path) -> None:
    trial = tried(catalog, tmp_path, CSV, TEMPLATES)
    assert trial.faults == {
        "disabled_features": 'Row 2: at [0]: the text "EVERYTHING" is not one of ALERTS, PATCHING, AVSCANS, '
        "TASKS"
    }
    assert (trial.rows[0].error, trial.failed) == ("", 1)
    assert not any(cell.error for cell in trial.rows[0].cells)


def test_other_inputs_are_shown_beside_a_template_that_is_broken(catalog: Catalog, tmp_path: Path) -> None:
    trial = tried(catalog, tmp_path, CSV, {**TEMPLATES, "end": "{{ until"})
    assert trial.faults["end"].startswith("template, line 1: unexpected end of template")
    assert [cell.value for cell in trial.rows[0].cells] == ["1", '["PATCHING", "ALERTS"]']
    assert trial.rows[0].error == "Fix end first."


@pytest.mark.parametrize(
    ("changed", "name", "message"),
    [
        ({"end": None}, "end", "This input is required and has no template."),
        ({"ende": "x"}, "ende", 'schedule_maintenance has no input "ende" (did you mean "end"?)'),
        ({"delay_ms": "0"}, "delay_ms", 'schedule_maintenance has no input "delay_ms": it is a setting'),
        ({"start": "{{ until | nosuch }}"}, "start", 'template, line 1: there is no filter "nosuch"'),
        ({"start": "{% include 'x' %}"}, "start", "template, line 1: include, import, extends and block"),
    ],
)
def test_a_fault_of_a_template_is_marked_at_its_input(
    catalog: Catalog, tmp_path: Path, changed: dict[str, str | None], name: str, message: str
) -> None:
    templates = {k: v for k, v in {**TEMPLATES, **changed}.items() if v is not None}
    trial = tried(catalog, tmp_path, CSV, templates)
    assert trial.faults[name].startswith(message)
    assert trial.failed == 2


def test_a_row_that_cannot_be_read_is_marked_without_the_name_of_its_file(
    catalog: Catalog, tmp_path: Path
) -> None:
    trial = tried(catalog, tmp_path, '{"device": 1}\n{"device": ', TEMPLATES)
    assert trial.rows[1].error.startswith("line 2: not JSON (")
    assert str(tmp_path) not in trial.rows[1].error


def test_what_the_service_holds_secret_is_hidden(catalog: Catalog, tmp_path: Path) -> None:
    example = catalog.action("create_secure_related_item").examples[0]
    templates = {**example.templates, "password": "hunter2-hunter2"}
    trial = tried(catalog, tmp_path, json.dumps(example.row), templates, "create_secure_related_item")
    assert trial.rows[0].request is not None
    shown = "".join(cell.value for cell in trial.rows[0].cells) + trial.rows[0].http
    assert "•••" in trial.rows[0].http
    assert "hunter2" not in shown


def test_a_rows_own_secret_is_hidden_in_what_is_wrong_with_it(catalog: Catalog, tmp_path: Path) -> None:
    example = catalog.action("create_secure_related_item").examples[0]
    templates = {**example.templates, "password": "{{ secret }}", "entity_id": "{{ secret }}"}
    row = json.dumps({**example.row, "secret": "hunter2-hunter2"})
    trial = tried(catalog, tmp_path, row, templates, "create_secure_related_item")
    assert "•••" in trial.rows[0].error
    assert "hunter2" not in trial.rows[0].error + str(trial.faults) + str(trial.rows[0].cells)


@pytest.mark.parametrize("every", [20, pytest.param(1, marks=pytest.mark.slow)])
def test_the_first_example_of_an_action_can_be_sent(guest: Guest, every: int) -> None:
    message = {}
    for action in guest.site.actions[::every]:
        page = guest.get(f"/actions/{action.name}/try").text
        draft = page.partition('name="draft" value="')[2].partition('"')[0]
        written = re.findall(r'<textarea[^>]* name="(.*?)"[^>]*>(.*?)</textarea>', page, re.DOTALL)
        form = {name: unescape(text) for name, text in written}
        response = guest.post(f"/actions/{action.name}/preview", {"draft": draft, **form}).get_json()
        message[action.name] = (response["status"], response["faults"])
    assert message == dict.fromkeys(message, ("1 row: 1 can be sent.", {}))
    assert len(message) >= 313 / every


# Rows


@pytest.mark.parametrize(
    ("content", "name", "format"),
    [
        (b'{"a": 1}\n', "", "jsonl"),
        (b' \n[{"a": 1}]', "", "json"),
        (b"\xef\xbb\xbf[1]", "", "json"),
        (b"a,b\n1,2\n", "", "csv"),
        (b"a\tb\n1\t2\n", "", "tsv"),
        (b"a,b\tc,d\n", "", "csv"),
        (b"device\n1\n", "", "csv"),
        (b"a\tb\n", "table.csv", "csv"),
        (b"{}", "rows.json", "json"),
        (b"\x1f\x8b", "rows.TSV.gz", "tsv"),
        (b"", "", "csv"),
    ],
)
def test_the_format_of_rows_is_recognized(content: bytes, name: str, format: str) -> None:
    assert recognized(content, name) == format


def test_a_table_of_a_spreadsheet_can_be_pasted(guest: Guest) -> None:
    form = guest.form("x", CSV.replace(",", "\t"), TEMPLATES)
    response = guest.post("/actions/schedule_maintenance/preview", form).get_json()
    assert (response["format"], response["status"]) == ("TSV, 2 rows", "2 rows: 1 can be sent, 1 cannot.")


def test_the_first_rows_of_a_file_are_tried_and_all_are_counted(guest: Guest) -> None:
    form = guest.form("x", None, TEMPLATES)
    content = CSV.splitlines()[0] + "\n" + (CSV.splitlines()[1] + "\n") * 4000
    headers = {"X-File-Name": "patch%20night.csv"}
    where = f"/actions/schedule_maintenance/rows?draft={form['draft']}"
    kept = guest.post(where, content.encode(), headers=headers)
    assert kept.get_json() == {
        "format": "CSV, 4,000 rows",
        "columns": CSV.splitlines()[0].split(","),
        "templates": {"device_id": "{{ device }}"},
        "mapped": "device → device_id",
        "unmapped": "feature, until",
    }
    response = guest.post("/actions/schedule_maintenance/preview", form).get_json()
    assert response["status"] == "The first 20 of 4,000 rows: 20 can be sent."
    assert len(response["rows"]) == 20


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"draft": "x", "rows": ""}, "This page has expired"),
        ({}, "No rows: paste some, or choose a file."),
        ({"rows": "x" * (MAX_PASTED_LENGTH + 1)}, "Too many rows for this field"),
    ],
)
def test_a_form_that_cannot_be_tried_says_why(guest: Guest, form: dict[str, str], message: str) -> None:
    given = {**guest.form("x", None, {}), **form}
    response = guest.post("/actions/schedule_maintenance/preview", given)
    assert response.status_code == 400
    assert response.get_json()["error"].startswith(message)


def test_a_table_without_a_header_is_an_error_at_the_rows(guest: Guest) -> None:
    response = guest.post(
        "/actions/schedule_maintenance/preview", guest.form("x", "a,,b\n1,2,3", {})
    ).get_json()
    assert response["faults"] == {"rows": "column 2 has no name in the header"}


def test_what_a_row_holds_is_never_markup(guest: Guest) -> None:
    form = guest.form("x", '{"device": "<img src=x onerror=alert(1)>"}', TEMPLATES)
    response = guest.post("/actions/schedule_maintenance/preview", form).get_json()
    assert "<img" not in response["rows"][0]["html"]
    assert "&lt;img" in response["rows"][0]["html"]


def test_trying_sends_nothing_and_starts_no_sandbox(guest: Guest) -> None:
    guest.post("/actions/schedule_maintenance/preview", guest.form("x", CSV, TEMPLATES))
    assert guest.site.control.sandbox_url("ninjaone") == ""


# Files to upload, and jobs


def test_files_are_kept_under_their_own_names_and_in_their_own_folder(guest: Guest) -> None:
    draft = guest.site.drafts.new()
    where = f"/actions/upload_articles/upload?draft={draft}"
    for name in ("..", ".hidden", "a/b", "a\\b", "a\nb", ""):
        response = guest.post(where, b"x", headers={"X-File-Name": name.replace("\n", "%0A")})
        assert response.status_code == 400
    assert guest.post(where, b"x", headers={"X-File-Name": "%C3%BCber%20uns.txt"}).status_code == 200
    assert [path.name for path in guest.site.drafts.uploads(draft).iterdir()] == ["über uns.txt"]


def test_a_job_is_saved_with_its_rows_and_runs_as_it_is(guest: Guest, tmp_path: Path) -> None:
    form = guest.form("x", CSV, TEMPLATES)
    location = guest.post("/actions/schedule_maintenance/job", form).get_json()["location"]
    packed = guest.get(f"/actions/schedule_maintenance/{location}")
    assert packed.headers["Content-Disposition"] == 'attachment; filename="schedule_maintenance.zip"'
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        archive.extractall(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.yaml", "rows.csv"]
    assert main(["preview", str(tmp_path / "job.yaml")]) == 1


def test_a_job_whose_answers_are_files_has_a_folder_for_them(guest: Guest, tmp_path: Path) -> None:
    action = next(action for action in guest.site.actions if action.returns_file)
    form = guest.form("x", json.dumps(action.examples[0].row), dict(action.examples[0].templates))
    location = guest.post(f"/actions/{action.name}/job", form).get_json()["location"]
    with zipfile.ZipFile(io.BytesIO(guest.get(f"/actions/{action.name}/{location}").data)) as archive:
        archive.extractall(tmp_path)
    assert main(["preview", str(tmp_path / "job.yaml")]) == 0


def test_only_so_many_drafts_are_kept_and_none_after_the_end() -> None:
    drafts = Drafts()
    folders = [drafts.folder(drafts.new()) for _ in range(KEPT + 1)]
    assert [folder.exists() for folder in folders] == [False] + [True] * KEPT
    drafts.close()
    assert not folders[-1].parent.exists()
