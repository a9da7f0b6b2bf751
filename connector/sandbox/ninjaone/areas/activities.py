"""Endpoints for activities of the account and of devices, and for active alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from connector.sandbox.ninjaone.alerts import record_alert
from connector.sandbox.ninjaone.api.device_filter import device_filter
from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.api.paging import ACTIVITY_PAGE, LANGUAGE, activity_page
from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid, not_found
from connector.sandbox.types import MAP, TEXT, UUID, Scalar, one_of

_ALL_QUERY: Mapping[str, Scalar] = {
    **ACTIVITY_PAGE,
    "class": one_of("SYSTEM", "DEVICE", "USER", "ALL"),
    "before": TEXT,
    "after": TEXT,
    "type": TEXT,
    "user": TEXT,
    "df": TEXT,
    "sourceConfigUid": TEXT,
}


@endpoint("GET", "/v2/activities", "getActivities", query=_ALL_QUERY)
def get_activities(call: ApiCall) -> JSON:
    """Return the activities of the account, newest first."""
    found = _newest_first(call.state, _tests(call.state, call.query))
    return {
        "lastActivityId": _newest_id(call.state, None),
        "activities": activity_page(found, call.query),
    }


@endpoint(
    "GET", "/v2/device/{id}/activities", "getDeviceActivities", query={**ACTIVITY_PAGE, "activityType": TEXT}
)
def get_device_activities(call: ApiCall, id: int) -> JSON:
    """Return the activities of one device, newest first."""
    call.state.device(id)
    tests = [*_tests(call.state, call.query), lambda activity: activity.get("deviceId") == id]
    return {
        "lastActivityId": _newest_id(call.state, None),
        "lastNodeActivityId": _newest_id(call.state, id),
        "activities": activity_page(_newest_first(call.state, tests), call.query),
    }


Test = Callable[[JSON], bool]


def _newest_first(state: State, tests: list[Test]) -> Iterator[JSON]:
    return (activity for activity in reversed(state.activities) if all(test(activity) for test in tests))


def _newest_id(state: State, device_id: int | None) -> int:
    for activity in reversed(state.activities):
        if device_id is None or activity.get("deviceId") == device_id:
            return int(activity["id"])
    return 0


def _tests(state: State, query: Mapping[str, Any]) -> list[Test]:
    """Return a test for each filter in the query, which returns whether an activity matches it."""
    tests: list[Test] = []
    for parameter, key in (
        ("type", "activityType"),
        ("activityType", "activityType"),
        ("status", "statusCode"),
        ("seriesUid", "seriesUid"),
        ("sourceConfigUid", "sourceConfigUid"),
        ("user", "userId"),
    ):
        if parameter in query:
            tests.append(_among(key, query[parameter]))
    if query.get("class", "ALL") != "ALL":
        tests.append(_of_class(query["class"]))
    if "before" in query:
        before = _moment(query["before"], "before")
        tests.append(lambda activity: activity["activityTime"] < before)
    if "after" in query:
        after = _moment(query["after"], "after")
        tests.append(lambda activity: activity["activityTime"] > after)
    if "df" in query:
        tests.append(_of_devices(state, query["df"]))
    return tests


def _among(key: str, listed: str) -> Test:
    wanted = {value.strip() for value in listed.split(",")}
    return lambda activity: str(activity.get(key)) in wanted


def _of_class(name: str) -> Test:
    if name == "DEVICE":
        return lambda activity: "deviceId" in activity
    if name == "USER":
        return lambda activity: "userId" in activity
    return lambda activity: "deviceId" not in activity


def _of_devices(state: State, text: str) -> Test:
    keep = device_filter(text)
    return lambda item: (
        state.fleet.exists(item.get("deviceId", 0)) and keep(state.fleet.facts(item["deviceId"]))
    )


def _moment(text: str, where: str) -> float:
    """Return epoch seconds for a date, as in device filters, or for an epoch time in seconds."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise invalid(where, "date") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


@endpoint("GET", "/v2/alerts", "getAlerts", query={**LANGUAGE, "sourceType": TEXT, "df": TEXT})
def get_alerts(call: ApiCall) -> list[JSON]:
    """Return the active alerts of the devices that match the filter, on one page."""
    keep = _of_devices(call.state, call.query.get("df", ""))
    wanted = call.query.get("sourceType")
    return [
        alert for alert in call.state.alerts.values() if keep(alert) and wanted in (None, alert["sourceType"])
    ]


@endpoint("GET", "/v2/device/{id}/alerts", "getDeviceAlerts", query=LANGUAGE)
def get_device_alerts(call: ApiCall, id: int) -> list[JSON]:
    """Return the active alerts of one device."""
    call.state.device(id)
    return [alert for alert in call.state.alerts.values() if alert["deviceId"] == id]


@endpoint("DELETE", "/v2/alert/{uid}", "resetAlert", path_types={"uid": UUID})
def reset_alert(call: ApiCall, uid: str) -> None:
    """Reset an alert."""
    _reset(call.state, uid, {})


@endpoint(
    "POST",
    "/v2/alert/{uid}/reset",
    "resetAlertSetActivityData",
    path_types={"uid": UUID},
    body=MAP,
    body_required=False,
)
def reset_alert_with_data(call: ApiCall, uid: str) -> None:
    """Reset an alert; the body of the request is stored in the activity that records this."""
    _reset(call.state, uid, call.body or {})


def _reset(state: State, uid: str, data: JSON) -> None:
    alert = state.alerts.pop(uid.lower(), None)
    if alert is None:
        raise not_found("alert")
    record_alert(state, alert, "RESET", data=data)
