"""Write the input of the benchmarks (rows, jobs, a connection, pages of devices), and a response."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

UPDATE = {
    "device_id": "{{ id }}",
    "display_name": "{{ name }} ({{ rack }})",
    "user_data": '{"rack": "{{ rack }}"}',
    "node_role_id": "{{ role }}",
    "organization_id": "{{ org }}",
    "location_id": "{{ org + 1 }}",
}
"""The templates of the action update_device, an idempotent write (`PATCH /v2/device/{id}`)."""

SCRIPT = {
    "device_id": "{{ id }}",
    "script_id": "{{ role }}",
    "type": "SCRIPT",
    "parameters": "-Name {{ name }} -Rack {{ rack }}",
    "run_as": "system",
}
"""The templates of the action run_script, a write that must not be repeated."""

PAGE = 1_000


def write_rows(path: Path, count: int, id_field: str = "") -> Path:
    """Write `count` rows to a file and return its path; `id_field` names a field for the row's number."""
    with path.open("w") as file:
        for number in range(1, count + 1):
            row = {
                "id": number,
                "name": f"PC-{number:05}",
                "rack": f"R{number % 40}",
                "role": 201,
                "org": number % 9 + 1,
            }
            file.write(json.dumps({**row, id_field: number} if id_field else row) + "\n")
    return path


def write_connection(folder: Path, url: str) -> Path:
    """Write a connection file to a folder and return its path."""
    path = folder / "connection.yaml"
    path.write_text(f"base_url: {url}\nclient_id: bench\nclient_secret: bench-secret\n")
    return path


def write_job(folder: Path, url: str, rows: Path, /, **settings: Any) -> Path:
    """Write a job file with the input `rows` and the output `out.jsonl`, and a connection file.

    By default, the job updates devices without a delay. `settings` overrides settings of the job.
    """
    write_connection(folder, url)
    job = {
        "action": "update_device",
        "connection": "connection.yaml",
        "input": rows.name,
        "output": "out.jsonl",
        "delay_ms": 0,
        "templates": UPDATE,
        **settings,
    }
    path = folder / "job.yaml"
    path.write_text(json.dumps({key: value for key, value in job.items() if value is not None}))
    return path


def write_pages(folder: Path, devices: int, *, detailed: bool = False) -> Path:
    """Write the pages of a list of devices: `after-.json` is the first, `after-ID.json` the page after ID."""
    folder.mkdir()
    of = detailed_device if detailed else device
    for start in range(0, devices + 1, PAGE):
        page = [of(number) for number in range(start + 1, min(start + PAGE, devices) + 1)]
        (folder / f"after-{start or ''}.json").write_text(json.dumps(page))
    return folder


def device(number: int) -> dict[str, Any]:
    """Return a device as in a response of `GET /v2/devices`."""
    return {
        "id": number,
        "uid": f"00000000-0000-4000-8000-{number:012}",
        "organizationId": number % 9 + 1,
        "locationId": number % 30 + 1,
        "nodeClass": "WINDOWS_WORKSTATION",
        "nodeRoleId": 201,
        "rolePolicyId": 52,
        "approvalStatus": "APPROVED",
        "offline": number % 5 == 0,
        "displayName": f"PC-{number:06}",
        "systemName": f"PC-{number:06}",
        "dnsName": f"pc-{number:06}.example.com",
        "netbiosName": f"PC-{number:06}",
        "created": 1700000000.5 + number,
        "lastContact": 1790000000.25 + number,
        "lastUpdate": 1790000000.75 + number,
        "userData": {"rack": f"R{number % 40}"},
        "tags": ["leased"],
    }


def detailed_device(number: int) -> dict[str, Any]:
    """Return a device as in a response of `GET /v2/devices-detailed`: 1.7 kB of JSON, with backslashes."""
    volume = {"deviceType": "Local Disk", "fileSystem": "NTFS", "autoMount": True, "compressed": False}
    return {
        **device(number),
        "ipAddresses": [f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}", "fe80::1"],
        "macAddresses": [
            f"02:00:00:{number // 65536 % 256:02X}:{number // 256 % 256:02X}:{number % 256:02X}"
        ],
        "publicIP": "203.0.113.17",
        "deviceType": "AGENT_DEVICE",
        "lastLoggedInUser": f"EXAMPLE\\user{number % 500}",
        "os": {
            "manufacturer": "Microsoft Corporation",
            "name": "Windows 11 Professional Edition",
            "architecture": "64-bit",
            "lastBootTime": 1789990000.5 + number,
            "buildNumber": "26100",
            "releaseId": "24H2",
            "servicePackMajorVersion": 0,
            "servicePackMinorVersion": 0,
            "locale": "en-US",
            "language": "en",
            "needsReboot": number % 7 == 0,
        },
        "system": {
            "name": f"PC-{number:06}",
            "manufacturer": "Example Computers",
            "model": f"Model {number % 12}",
            "biosSerialNumber": f"SN{number:08}",
            "serialNumber": f"SN{number:08}",
            "domain": "EXAMPLE",
            "domainRole": "Member Workstation",
            "numberOfProcessors": 1,
            "totalPhysicalMemory": 17179869184,
            "virtualMachine": False,
            "chassisType": "LAPTOP",
        },
        "memory": {"capacity": 17179869184},
        "processors": [
            {
                "architecture": "x64",
                "maxClockSpeed": 2800000000,
                "clockSpeed": 2800000000,
                "name": "Example CPU 8 cores",
                "numCores": 8,
                "numLogicalCores": 16,
            }
        ],
        "volumes": [{"name": "C:\\", "label": "System", "capacity": 511000000000, **volume}],
    }


RESPONSE = json.dumps(detailed_device(12))
"""The JSON body of a response, if there is one: a device with its details."""
