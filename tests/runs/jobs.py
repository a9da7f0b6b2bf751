"""Jobs that are run against the sandbox, and their results."""

from __future__ import annotations

from collections.abc import Callable

from connector.runs.summary import Summary

RENAME = {
    "name": "renamed",
    "action": "update_device",
    "templates": {"device_id": "{{ device }}", "display_name": "Kiosk {{ device }}"},
}
READ = {
    "name": "read",
    "action": "get_device",
    "input": {"step": "renamed"},
    "templates": {"device_id": "{{ device }}"},
}
REBOOT = {
    "name": "rebooted",
    "action": "reboot_device",
    "input": {"step": "read"},
    "templates": {"device_id": "{{ read.id }}", "mode": "NORMAL", "reason": "{{ read.displayName }}"},
}
Ended = list[tuple[str, "Summary | None"]]
RunJob = Callable[..., Ended]


def counts(summary: Summary | None) -> tuple[int, int, int]:
    assert summary is not None
    return summary.rows, summary.failed, summary.left_out.get("failed", 0)
