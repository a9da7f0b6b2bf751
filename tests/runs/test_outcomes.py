"""The end of queued work, found in lists of events and of states."""

from __future__ import annotations

from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.runs.outcomes import Ended, Order, find_ended, is_traceable


def event(number: int, code: str, series: str | None = "a", device: int = 1, **more: Any) -> dict[str, Any]:
    at = {"id": number, "activityTime": 1_790_000_000.0 + number, "deviceId": device, "statusCode": code}
    return {**at, **({"seriesUid": series} if series else {}), **more}


def exit_code(code: object) -> dict[str, Any]:
    return {"data": {"message": {"params": {"exit_code": code}}}}


def find(catalog: Catalog, action: str, orders: list[Order], *items: dict[str, Any]) -> dict[int, Ended]:
    declared = catalog.action(action)
    assert declared.outcome
    log = None if declared.outcome.action else catalog.service(declared.service).event_log
    return find_ended(declared.outcome, log, orders, items).ended


def orders(*devices: int, **more: Any) -> list[Order]:
    return [Order(row, {"device_id": device, **more}) for row, device in enumerate(devices, start=1)]


def test_a_script_ends_with_its_series(catalog: Catalog) -> None:
    found = find(
        catalog,
        "run_script",
        orders(1, 2),
        event(1, "STARTED"),
        event(2, "STARTED", "b", device=2),
        event(3, "COMPLETED", activityResult="SUCCESS", **exit_code("0")),
    )
    assert found == {1: Ended(True, "COMPLETED", 0, 1_790_000_003.0, 3)}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"activityResult": "FAILURE", **exit_code("3")}, (False, "FAILURE", 3)),
        ({"activityResult": "UNCOMPLETED"}, (False, "UNCOMPLETED", None)),
        ({"activityResult": "SUCCESS", **exit_code("5")}, (True, "COMPLETED", 5)),
        (exit_code("5"), (False, "COMPLETED", 5)),
        ({"activityResult": "SUCCESS", **exit_code("none")}, (True, "COMPLETED", None)),
    ],
)
def test_the_result_decides_and_else_the_exit_code(
    catalog: Catalog, more: dict[str, Any], expected: tuple[bool, str, int | None]
) -> None:
    found = find(catalog, "run_script", orders(1), event(1, "STARTED"), event(2, "COMPLETED", **more))
    assert (found[1].succeeded, found[1].state, found[1].exit_code) == expected


@pytest.mark.parametrize("code", ["CANCELLED", "BLOCKED"])
def test_a_script_that_does_not_run_has_failed(catalog: Catalog, code: str) -> None:
    found = find(catalog, "run_script", orders(1), event(1, "START_REQUESTED"), event(2, code))
    assert found == {1: Ended(False, code, None, 1_790_000_002.0, 2)}


def test_a_series_that_began_before_the_request_is_of_another(catalog: Catalog) -> None:
    assert find(catalog, "run_script", orders(1), event(1, "COMPLETED"), event(2, "COMPLETED", None)) == {}


def test_two_rows_of_a_device_get_its_series_in_their_order(catalog: Catalog) -> None:
    events = [
        event(1, "STARTED"),
        event(2, "STARTED", "b"),
        event(3, "COMPLETED", "b"),
        event(4, "COMPLETED"),
    ]
    found = find(catalog, "run_script", orders(1, 1), *events)
    assert {row: ended.id for row, ended in found.items()} == {1: 4, 2: 3}


def test_other_scripts_of_the_device_are_not_taken(catalog: Catalog) -> None:
    order = Order(1, {"device_id": 1, "script_id": 3}, "Rotate logs")
    others = [event(1, "STARTED", "b", sourceName="Run: Clean"), event(2, "COMPLETED", "b", subject="Clean")]
    own = [event(3, "STARTED", sourceName="Run: rotate Logs"), event(4, "COMPLETED", subject="Rotate logs")]
    assert find(catalog, "run_script", [order], *others) == {}
    assert find(catalog, "run_script", [order], *others, *own)[1].id == 4


def test_a_built_in_action_is_found_by_its_uid(catalog: Catalog) -> None:
    other = [event(1, "STARTED", "b", sourceConfigUid="X2"), event(2, "COMPLETED", "b")]
    own = [event(3, "STARTED", sourceConfigUid="X1"), event(4, "COMPLETED")]
    found = find(catalog, "run_script", orders(1, uid="x1"), *other, *own)
    assert found[1].id == 4


def test_a_restart_has_no_start(catalog: Catalog) -> None:
    events = [event(1, "APP_USER_LOGGED_IN", None), event(2, "SYSTEM_REBOOTED", None)]
    assert find(catalog, "reboot_device", orders(1), *events)[1].id == 2


def test_a_service_that_does_not_start(catalog: Catalog) -> None:
    events = [
        event(1, "REMOTE_TOOLS_SERVICE_CONTROL_INITIATED", "a"),
        event(2, "REMOTE_TOOLS_START_SERVICE_FAILED", "b", activityResult="FAILURE"),
    ]
    found = find(catalog, "control_windows_service", orders(1, action="START"), *events)
    assert (found[1].succeeded, found[1].state) == (False, "REMOTE_TOOLS_START_SERVICE_FAILED")


def test_the_end_of_a_pause_is_not_shown(catalog: Catalog) -> None:
    outcome = catalog.action("control_windows_service").outcome
    assert outcome
    assert not is_traceable(outcome, {"device_id": 1, "action": "PAUSE"})
    assert is_traceable(outcome, {"device_id": 1, "action": "STOP"})


@pytest.mark.parametrize(("status", "ended"), [("COMPLETE", True), ("FAILED", False), ("IN_PROGRESS", None)])
def test_a_list_of_states(catalog: Catalog, status: str, ended: bool | None) -> None:
    groups = [{"id": 8, "status": "COMPLETE"}, {"id": 7, "status": status}]
    found = find(catalog, "upload_scan_group_csv", [Order(1, {"scan_group_id": 7})], *groups)
    assert found == ({} if ended is None else {1: Ended(ended, status)})


def test_a_maintenance_window_of_the_future(catalog: Catalog) -> None:
    devices = [{"id": 1, "maintenance": {"status": "PENDING"}}, {"id": 2}]
    found = find(catalog, "schedule_maintenance", orders(1, 2), *devices)
    assert {row: ended.state for row, ended in found.items()} == {1: "PENDING"}


def test_the_lists_of_every_outcome_exist_and_take_their_inputs(catalog: Catalog) -> None:
    for action in catalog.actions():
        service = catalog.service(action.service)
        if action.outcome is None:
            continue
        log = service.event_log
        assert log
        listed = catalog.action(service.prefix + (action.outcome.action or log.action))
        taken = {*action.outcome.inputs, *(() if action.outcome.action else (log.since, *log.newest))}
        assert taken <= listed.inputs.keys(), action.name
        assert set(action.outcome.row_inputs) <= action.inputs.keys(), action.name
        if action.outcome.name:
            assert catalog.action(service.prefix + action.outcome.name.action)
    offline = catalog.service("ninjaone").offline
    assert offline
    assert set(offline.inputs) <= catalog.action(offline.action).inputs.keys()


def test_the_last_end_of_a_series_counts(catalog: Catalog) -> None:
    """A script can be cancelled after a part of its work has ended."""
    items = [event(1, "STARTED"), event(2, "COMPLETED"), event(3, "CANCELLED")]
    found = find(catalog, "run_script", orders(1), *items)
    assert (found[1].succeeded, found[1].id) == (False, 3)
