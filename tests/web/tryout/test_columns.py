"""Mapping a file's columns to inputs of like names, and files that cannot be read."""

from __future__ import annotations

import pytest

from connector.catalog.catalog import Catalog
from connector.templating.scope import Scope
from connector.templating.templates import compile_template
from connector.web.tryout.columns import as_template, map_columns
from tests.web.guest import open_site


@pytest.mark.parametrize(
    ("action", "columns", "mapped"),
    [
        ("update_device", ["id", "Display Name"], {"device_id": "id", "display_name": "Display Name"}),
        ("update_device", ["DeviceID", "Site"], {"device_id": "DeviceID"}),
        (
            "update_device",
            ["Device", "Organisation"],
            {"device_id": "Device", "organization_id": "Organisation"},
        ),
        ("update_device", ["device_id", "id", "DEVICE-ID"], {"device_id": "device_id"}),
        (
            "update_device",
            ["Policy Name", "displayName"],
            {"policy_id": "Policy Name", "display_name": "displayName"},
        ),
        (
            "create_location",
            ["Organization_Name", "Name"],
            {"organization_id": "Organization_Name", "name": "Name"},
        ),
        ("create_location", ["id", "x", "", "Name of nothing"], {}),
    ],
)
def test_columns_are_mapped_to_inputs_of_like_names(
    catalog: Catalog, action: str, columns: list[str], mapped: dict[str, str]
) -> None:
    assert map_columns(catalog.action(action), columns) == mapped


@pytest.mark.parametrize(
    "column", ["device", "Device ID", "range", "in", "now", "row", 'a"b', "a\\b", "{{", "naïve"]
)
def test_the_template_of_a_column_reads_it_whatever_its_name(column: str) -> None:
    render = compile_template(as_template(column), {"type": "string"})
    assert render(Scope({column: "its value"}, {"now": 1.0})) == "its value"


def test_a_file_that_cannot_be_read_does_not_replace_the_one_before(catalog: Catalog) -> None:
    with open_site(catalog) as guest:
        form = guest.form("x", None, {"device_id": "{{ Device }}"})
        where = f"/actions/get_device/rows?draft={form['draft']}"
        first = guest.post(
            where, b"Device,Site\n1,Leeds\n2,York\n", headers={"X-File-Name": "a.csv"}
        ).get_json()
        assert first["templates"] == {"device_id": "{{ Device }}"}
        assert (first["mapped"], first["unmapped"]) == ("Device → device_id", "Site")
        for content, name in ((b"\xff\xfe\xfa", "b.csv"), (b"PK\x03\x04", "b.xlsx"), (b"Device\n", "c.csv")):
            refused = guest.post(where, content, headers={"X-File-Name": name})
            assert (refused.status_code, bool(refused.get_json()["error"])) == (400, True)
        assert "2 rows: 2 can be sent" in guest.post("/actions/get_device/preview", form).get_json()["status"]
