"""The common part of all hosts: the texts of a form bound to an action."""

from __future__ import annotations

import pytest

from connector.catalog.catalog import Catalog
from connector.common.absent import ABSENT
from connector.errors import RunError
from connector.hosts.host import needed, prepare_form
from connector.runs.job import Job

ROW = {"device_id": 4, "filter": "id = 1", "id": 7}


def values(catalog: Catalog, action: str, **given: str) -> dict[str, object]:
    return prepare_form(catalog, Job(action=action), given).bindings.values(ROW)


def test_a_field_left_empty_is_not_taken_from_the_row(catalog: Catalog) -> None:
    assert values(catalog, "list_devices") == {"limit": 100_000}
    assert values(catalog, "list_devices", filter="", limit=" ") == {"limit": 100_000}
    assert values(catalog, "cancel_maintenance", device_id="{{ id }}") == {"device_id": 7}


def test_a_needed_field_left_empty_is_named_by_its_title(catalog: Catalog) -> None:
    with pytest.raises(RunError, match=r'reboot_device requires a value for mode \("Reboot mode"\)'):
        values(catalog, "reboot_device", device_id="1", mode="\n")


def test_what_has_a_default_or_a_fallback_is_not_needed(catalog: Catalog) -> None:
    assert needed(catalog.action("schedule_maintenance"), ["end"]) == ["device_id", "disabled_features"]
    assert catalog.action("create_ticket").inputs["status"].default is not ABSENT
    assert "status" in catalog.action("create_ticket").required
    assert "status" not in needed(catalog.action("create_ticket"))


def test_a_fallback_fills_what_a_row_leaves_empty(catalog: Catalog) -> None:
    given = {"device_id": "1", "disabled_features": '["ALERTS"]', "end": "{{ '' }}"}
    prepared = prepare_form(catalog, Job(action="schedule_maintenance"), given, {"end": "2111724000000"})
    assert prepared.bindings.values(ROW)["end"] == "2036-12-01T06:00:00Z"


def test_an_input_that_the_action_does_not_have_is_refused(catalog: Catalog) -> None:
    with pytest.raises(RunError, match='list_devices has no input "filters"'):
        values(catalog, "list_devices", filters="id = 1")
