"""Alerts of devices, which tests and users raise and reset, in Python or with `POST /_sandbox/alerts`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.sandbox.ninjaone.data.seed import JSON, uid
from connector.sandbox.ninjaone.data.state import State

_CONDITION = {
    "message": "Disk space below 10 %",
    "sourceType": "CONDITION_AGENT_DISK_FREE_SPACE",
    "severity": "MAJOR",
    "priority": "HIGH",
    "conditionHealthStatus": "UNHEALTHY",
}
_SHARED = ("sourceConfigUid", "sourceName", "subject", "severity", "priority")
"""The members of an alert that are also members of its activities."""
EVENTS = ("ACKNOWLEDGED", "DISABLED", "EVALUATION_FAILURE")


def record_alert(state: State, alert: JSON, code: str, **more: Any) -> JSON:
    """Add an activity of an alert, with this status code."""
    shared = {name: alert[name] for name in _SHARED if name in alert}
    return state.record(
        "CONDITION",
        code,
        alert["message"],
        device_id=alert["deviceId"],
        **{"seriesUid": alert["uid"], "data": alert.get("data"), **shared, **more},
    )


class Alerts:
    """The active alerts of an account.

    Methods raise ValueError if a device or an alert does not exist.
    """

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state

    def trigger(self, device: int, **fields: Any) -> JSON:
        """Raise an alert of a device and return it. `fields` are members of `Alert`.

        If `uid` is that of an alert that was reset, its series of activities continues. If it is that of an
        active alert, this alert is triggered again.
        """
        state = self._state()
        with state.lock:
            if not state.fleet.exists(device):
                raise ValueError(f"there is no device {device}")
            now, message = state.clock(), fields.get("message", _CONDITION["message"])
            alert = {
                "uid": state.fresh_uid(),
                "deviceId": device,
                **_CONDITION,
                "createTime": now,
                "updateTime": now,
                "sourceConfigUid": uid(state.seed, 14, 0),
                "sourceName": message,
                "subject": message,
                "conditionName": message,
                "useGlobalHealthStatus": False,
                "data": {"message": {"code": "condition_triggered", "params": {}}},
                **fields,
            }
            before = state.alerts.get(alert["uid"])
            if before is not None:
                alert["createTime"] = before["createTime"]
            state.alerts[alert["uid"]] = alert
            record_alert(state, alert, "TRIGGERED", at=now)
            return dict(alert)

    def reset(self, uid: str) -> None:
        """Reset an alert: remove it, and add an activity, as if its condition was no longer met."""
        state = self._state()
        with state.lock:
            record_alert(state, self._take(uid), "RESET")

    def reset_silently(self, uid: str) -> None:
        """Remove an alert without an activity, and so without a webhook delivery."""
        with self._state().lock:
            self._take(uid)

    def record(self, uid: str, code: str) -> None:
        """Add an activity of an alert with a status code in `EVENTS`; DISABLED also removes the alert."""
        state = self._state()
        with state.lock:
            if code not in EVENTS:
                raise ValueError(f"{code!r} is not one of {', '.join(EVENTS)}")
            found = self._take(uid) if code == "DISABLED" else self._find(uid)
            record_alert(state, found, code)

    def _find(self, uid: str) -> JSON:
        found = self._state().alerts.get(uid)
        if found is None:
            raise ValueError(f"there is no active alert {uid}")
        return found

    def _take(self, uid: str) -> JSON:
        self._find(uid)
        return self._state().alerts.pop(uid)

    def control(self, body: Any) -> JSON | None:
        """Handle the body of `POST /_sandbox/alerts`.

        `{"raise": {"device": 3, ...}}` returns the alert; `reset`, `reset_silently`, `acknowledge` and
        `disable` have the uid of an alert as their value.
        """
        if not isinstance(body, dict) or len(body) != 1:
            raise ValueError('send an object with one key, such as {"raise": {"device": 1}}')
        ((name, value),) = body.items()
        if name == "raise":
            if not isinstance(value, dict) or type(value.get("device")) is not int:
                raise ValueError('to raise an alert, send {"raise": {"device": 1}}, plus optional members')
            return self.trigger(**value)
        acts: dict[str, Callable[[str], None]] = {
            "reset": self.reset,
            "reset_silently": self.reset_silently,
            "acknowledge": lambda uid: self.record(uid, "ACKNOWLEDGED"),
            "disable": lambda uid: self.record(uid, "DISABLED"),
        }
        if name not in acts:
            raise ValueError(f"{name!r} is not one of raise, {', '.join(acts)}")
        acts[name](str(value))
        return None
