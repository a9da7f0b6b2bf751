"""Endpoints for vulnerability scan groups and the upload of findings."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timezone

from connector.sandbox.errors import HttpError
from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.errors import invalid, not_found


@endpoint("GET", "/v2/vulnerability/scan-groups", "fetchAllScanGroups")
def get_scan_groups(call: ApiCall) -> list[JSON]:
    """Return all scan groups."""
    return [_settle(group) for group in call.state.scan_groups.values()]


@endpoint("GET", "/v2/vulnerability/scan-groups/{scan-group-id}", "fetchScanGroupById")
def get_scan_group(call: ApiCall, scan_group_id: int) -> JSON:
    """Return a scan group. The first request after an upload completes its processing."""
    return _settle(_group(call, scan_group_id))


@endpoint(
    "POST",
    "/v2/vulnerability/scan-groups/{scan-group-id}/upload",
    "updateScanGroup",
    media_type="multipart/form-data",
)
def upload_scan_group(call: ApiCall, scan_group_id: int) -> JSON:
    """Read the part `csv` (text/csv) of an upload.

    The scan group's status is then IN_PROGRESS, and later COMPLETE, or FAILED if a column is missing.
    """
    group = _group(call, scan_group_id)
    part = next((part for part in call.parts if part.name == "csv"), None)
    if part is None:
        raise invalid("csv", "a part")
    if part.content_type not in ("text/csv", "application/vnd.ms-excel"):
        raise HttpError(415)
    rows = list(csv.reader(io.StringIO(part.data.decode("utf-8-sig", "replace"))))
    header = rows[0] if rows else []
    complete = {group["deviceIdHeader"], group["cveIdHeader"]} <= set(header)
    group |= {
        "fileName": part.filename or "upload.csv",
        "status": "IN_PROGRESS",
        "lastFileUploadDate": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "recordsProcessed": 0,
        "_outcome": {
            "status": "COMPLETE" if complete else "FAILED",
            "recordsProcessed": sum(1 for row in rows[1:] if row) if complete else 0,
        },
    }
    return _shown(group)


def _group(call: ApiCall, group_id: int) -> JSON:
    if group_id not in call.state.scan_groups:
        raise not_found("scan_group")
    return call.state.scan_groups[group_id]


def _settle(group: JSON) -> JSON:
    group |= group.pop("_outcome", {})
    return _shown(group)


def _shown(group: JSON) -> JSON:
    return {key: value for key, value in group.items() if not key.startswith("_")}
