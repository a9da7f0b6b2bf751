"""The editor of a sync's fields: templates tried on devices, without writing anything."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.catalog import Catalog
from connector.sync.mapping_file import load_mapping
from connector.sync.sample import Sample
from connector.sync.values import FieldDefinition
from connector.web.access import CSRF_HEADER
from connector.web.syncs.fields import FieldInput, FieldTrial, as_yaml, inputs_of, try_fields
from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES
from tests.web.guest import Guest, open_site, until
from tests.web.syncs.shown import make_folder

KINDS = FieldDefinition(60, "Kind", "choice", {1: "Physical", 2: "Virtual"})
SAMPLE = Sample(
    ("PC-1", "PC-2"),
    (
        {
            "device": {"id": 1, "serial": "SN1", "memory": 8, "system": {"model": "X1"}},
            "custom": {"tag": "T"},
        },
        {"device": {"id": 2, "serial": "", "memory": "much", "system": {}}, "custom": {}},
    ),
    (FieldDefinition(117, "Serial"), FieldDefinition(44, "Memory", "number"), KINDS),
    frozenset({"tag"}),
)


def tried(*fields: tuple[str, str], **created: str) -> FieldTrial:
    return try_fields([FieldInput(key, template) for key, template in fields], SAMPLE, created)


def cells(trial: FieldTrial) -> list[list[tuple[str, str, str]]]:
    return [[(cell.value, cell.kind, cell.error) for cell in row.cells] for row in trial.rows]


def test_each_device_has_its_values_in_the_form_of_the_field() -> None:
    trial = tried(("117", "{{ device.serial }}"), ("Memory", "{{ device.memory }}"), ("60", "virtual"))
    assert cells(trial) == [
        [("SN1", "text", ""), ("8", "an integer", ""), ("2 (Virtual)", "an integer", "")],
        [("", "no value", ""), ("", "", trial.rows[1].cells[1].error), ("2 (Virtual)", "an integer", "")],
    ]
    assert "much" in trial.rows[1].cells[1].error
    assert trial.notes["117"] == "1 device with a value, 1 without."
    assert trial.notes["Memory"] == "1 device with a value, 0 without, 1 with an error."
    assert [(row.name, row.problems) for row in trial.rows] == [("PC-1", 0), ("PC-2", 1)]


def test_missing_members_are_marked_and_the_nearest_one_is_named() -> None:
    trial = tried(("117", "{{ device.system.model }}"), ("44", "{{ device.system.modell }}"))
    assert [[cell.missing for cell in row.cells] for row in trial.rows] == [
        [[], ["device.system.modell"]],
        [["device.system.model"], ["device.system.modell"]],
    ]
    assert trial.notes["117"] == "1 device with a value, 1 without."
    message = 'device.system.modell is not a member of any device (did you mean "device.system.model"?).'
    assert trial.notes["44"] == f"0 devices with a value, 2 without. {message}"


def test_what_was_not_read_is_not_called_missing_from_devices() -> None:
    trial = tried(("117", "{{ custom.rack }}"), ("44", "{{ last_user }}"), ("60", "{{ current.name }}"))
    assert "custom.rack was not read" in trial.notes["117"]
    assert "last_user was not read, or no device has one" in trial.notes["44"]
    assert "depends on the asset" in trial.rows[0].cells[2].kind


@pytest.mark.parametrize(
    ("key", "template", "message"),
    [
        ("118", "{{ device.id }}", "the field 118 does not exist"),
        ("Seriall", "{{ device.id }}", "the field Seriall does not exist"),
        ("117", "{{ device.id", "unexpected end"),
        ("117", "{{ divice.id }}", '"divice" is not defined here'),
    ],
)
def test_a_field_that_cannot_be_used_says_why_and_the_others_go_on(
    key: str, template: str, message: str
) -> None:
    trial = tried((key, template), ("44", "{{ device.id }}"))
    assert message in trial.faults[key]
    assert [len(row.cells) for row in trial.rows] == [1, 1]


def test_a_field_twice_is_a_fault_and_one_that_will_be_created_is_none() -> None:
    assert "occurs twice" in tried(("117", "a"), ("117", "b")).faults["117"]
    assert tried(("Rack", "a"), Rack="text").faults == {}


def test_the_text_for_the_mapping_is_read_back_as_it_was(tmp_path: Path) -> None:
    inputs = [
        FieldInput("117", "{{ device.serial }}"),
        FieldInput("CFTag", "{{ custom.tag }}: ü", "empty"),
        FieldInput("51", "{% if device.id %}\n{{ '' }}\n{% endif %}", "always", True),
    ]
    path = tmp_path / "mapping.yaml"
    text = as_yaml(inputs).replace("\n", "\n  ")
    path.write_text(f"version: 1\nsource: a\ntarget: b\ndevices:\n  {text}", encoding="utf-8")
    assert inputs_of(load_mapping(path)) == inputs


def test_templates_that_take_long_stop_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.web.syncs.fields.TIMEOUT_S", -1.0)
    trial = tried(("117", "{{ device.id }}"))
    assert (len(trial.rows), trial.stopped) == (1, True)


# Over HTTP.


@pytest.fixture
def guest(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guest]:
    monkeypatch.setattr("connector.web.sync_fields._sample", lambda site, sync: SAMPLE)
    with open_site(catalog, make_folder(tmp_path / "acme", time.time())) as guest:
        yield guest


def preview(guest: Guest, *fields: tuple[str, str], **more: Any) -> Any:
    form = {
        "key": [key for key, _ in fields],
        "template": [template for _, template in fields],
        "when": ["always"] * len(fields),
        "clear": ["0"] * len(fields),
    }
    return guest.post("/sync/acme/fields/preview", {**form, **more})


def test_the_page_has_the_fields_of_the_mapping_with_their_names(guest: Guest) -> None:
    html = re.sub(r"\s+", " ", guest.get("/sync/acme/fields").text)
    assert "<legend><code>117</code> Serial <span" in html
    assert ">{{ device.serial }}</textarea>" in html
    assert '<option value="44">Memory</option>' in html


def test_a_preview_escapes_values_and_marks_what_is_missing(guest: Guest) -> None:
    fields = [("117", "<b>{{ device.serial }}"), ("44", "{{ device.system.gone }}"), ("", "x"), ("51", " ")]
    response = preview(guest, *fields).get_json()
    assert response["status"] == "2 devices: 2 without errors."
    assert "&lt;b&gt;SN1" in response["rows"][0]
    assert "missing: device.system.gone" in response["rows"][0]
    assert set(response["notes"]) == {"117", "44"}
    text = unescape(re.sub(r"<[^>]+>", "", response["text"].partition("<code>")[2].partition("</code>")[0]))
    written = {117: "<b>{{ device.serial }}", 44: "{{ device.system.gone }}"}
    assert yaml.safe_load(text) == {"fields": written}


def test_a_form_that_is_not_ours_is_refused(guest: Guest) -> None:
    assert "not complete" in preview(guest, ("117", "a"), when=[]).get_json()["error"]
    assert "not complete" in preview(guest, *[("117", "a")] * 501).get_json()["error"]
    assert "20,000 characters" in preview(guest, ("117", "a" * 20_001)).get_json()["error"]
    assert guest.post("/sync/acme/fields/preview", {}, headers={CSRF_HEADER: "x"}).status_code == 403
    assert guest.post("/sync/acme/fields/read", {}, headers={CSRF_HEADER: "x"}).status_code == 403


def test_twenty_real_devices_are_read_by_the_command(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    with Pair(tmp_path / "acme", devices=60) as pair, open_site(catalog, pair.folder) as guest:
        pair.map(clients={"take": "all"}, devices=DEVICES)
        assert "No devices have been read yet." in preview(guest, ("117", "a")).get_json()["error"]
        assert guest.post("/sync/acme/fields/read").get_json() == {"location": "/sync/acme/fields"}
        page = until(
            lambda: (html := guest.get("/sync/acme/fields").text) and "Devices read" in html and html
        )
        assert "Serial" in page
        response = preview(guest, ("117", DEVICES["fields"]["117"]), ("118", "{{ device.id }}")).get_json()
        assert len(response["rows"]) == 20
        assert response["notes"]["117"].startswith("20 devices with a value, 0 without.")
        posted = [r for r in pair.halo.log.requests() if r["method"] != "GET" and r["path"] != "/auth/token"]
        assert posted == []
        for text in (page, str(response)):
            assert pair.ninja.client_secret not in text
            assert pair.halo.client_secret not in text


def test_the_sample_can_be_printed(tmp_path: Path) -> None:
    with Pair(tmp_path, devices=5) as pair:
        pair.map(clients={"take": "all"}, devices=DEVICES)
        done = pair.sync("sample", "--count", "2")
        assert (done.code, len(done.json["devices"]), len(done.json["names"])) == (0, 2, 2)
        assert pair.sync("sample", "--count", "0").code == 2


def test_the_devices_of_a_sample_have_names() -> None:
    with pytest.raises(ValueError, match="longer"):
        try_fields([], replace(SAMPLE, names=("PC-1",)), {})
