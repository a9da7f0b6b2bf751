"""Tests how NinjaOne's API behaves in cases that its documentation does not describe. Only reads."""

from __future__ import annotations

from connector.handlers import Call, CallSteps

_SAMPLE = 200


class SyncProbe:
    """The questions about NinjaOne; see `SyncProbe` of HaloPSA for their results."""

    questions = (("expand=warranty", "ask_warranty"),)
    not_asked = (
        ("webhook by machine", "registering replaces the only configuration: sync webhook register tries it"),
        ("webhook retries", "they need deliveries that fail; lost deliveries are found by polling"),
        ("reused alerts", "they need an alert that is raised twice: whether createTime changes is not known"),
        ("disabled conditions", "to check them, a condition must be disabled while its alert is active"),
        ("resetting twice", "it needs an active alert"),
    )

    def ask_warranty(self) -> CallSteps:
        """Whether the response for devices contains their warranty."""
        inputs = {"expand": "warranty", "limit": _SAMPLE}
        rows = yield Call("list_devices_detailed", inputs)
        with_it = sum(bool((row.get("references") or {}).get("warranty")) for row in rows)
        if with_it:
            return "ok", f"{with_it} of {len(rows)} devices have a warranty"
        return "open", f"none of {len(rows)} devices has a warranty: it is off, or they have none"
