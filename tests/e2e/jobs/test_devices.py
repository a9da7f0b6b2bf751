"""Changes of many devices: custom fields from a table of Excel, and a maintenance window for a site."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_rerun import REFUSED
from tests.e2e.jobs.conftest import WriteJob, changes, once, sent, step

pytestmark = pytest.mark.in_process

FIELDS = {
    "rack": "{{ Rack }}",
    "lastCheck": "{{ row['Geprüft'] | to_datetime('%d.%m.%Y') }}",
    "spare": "{{ Ersatz | replace('ja', 'yes') | replace('nein', 'no') }}",
}


def test_custom_fields_from_a_table_with_gaps_and_two_wrong_rows(
    ninjaone: Ninjaone, write_job: WriteJob, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The table is that of a German Excel. Devices are given by name, and empty cells change nothing."""
    table = (
        "Gerät;Rack;Geprüft;Ersatz\n"
        "SRV-0001;A1;28.05.2026;nein\n"
        "DSK-0002;;29.05.2026;ja\n"
        "SRV-9999;C3;;\n"
        "DSK-0006;B2;30.02.2026;ja\n"
    )
    (tmp_path / "fields.csv").write_text(table, encoding="cp1252")
    write_job(
        action="update_device_custom_fields",
        input="fields.csv",
        encoding="cp1252",
        output="out.jsonl",
        templates={"device_id": "{{ row['Gerät'] }}", "fields": FIELDS},
    )
    sandbox.state.custom_fields["device", 2] = {"rack": "Z9"}
    done = ninjaone("run", "job.yaml")
    assert done.returncode == 1, done.stderr
    assert ninjaone("failed", "out.jsonl", "-o", "fix.csv").returncode == 0
    fix = (tmp_path / "fix.csv").read_text(encoding="utf-8")
    assert fix.count("\n") == 3
    fix = fix.replace("SRV-9999,", "SRV-0008,", 1).replace("30.02.2026,", "28.02.2026,", 1)
    (tmp_path / "fix.csv").write_text(fix, encoding="utf-8")
    assert ninjaone("rerun", "out.jsonl", "--input", "fix.csv").returncode == 0

    fields = sandbox.state.custom_fields
    assert fields["device", 1] == {"rack": "A1", "lastCheck": 1779926400000, "spare": False}
    assert fields["device", 2] == {"rack": "Z9", "lastCheck": 1780012800000, "spare": True}
    assert fields["device", 8] == {"rack": "C3"}
    assert fields["device", 6] == {"rack": "B2", "lastCheck": 1772236800000, "spare": True}
    assert changes(sandbox) == once(f"PATCH /v2/device/{id}/custom-fields" for id in (1, 2, 6, 8))


def test_a_maintenance_window_for_a_site(
    ninjaone: Ninjaone, write_job: WriteJob, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The times are local ones. A device that refuses its window gets it by a rerun, alone."""
    (tmp_path / "sites.csv").write_text(
        "Client,Site,From,To\nAlder Dental,Branch,2036-12-01 22:00,2036-12-02 04:00\n"
    )
    window = {
        "device_id": "{{ device.id }}",
        "disabled_features": ["ALERTS", "PATCHING"],
        "start": "{{ From }}",
        "end": "{{ To }}",
    }
    write_job(
        input="sites.csv",
        output="out",
        timezone="Europe/Berlin",
        steps=[
            step("site", "list_organization_locations", {"organization_id": "{{ Client }}"}, rows="each"),
            step(
                *("device", "list_devices", {"filter": "loc = {{ site.id }}"}),
                of="site",
                only="{{ site.name == Site }}",
                rows="each",
            ),
            step("window", "schedule_maintenance", window, of="device", wait="1m"),
        ],
    )
    sandbox.set_faults(queue=[None, None, None, None, REFUSED])
    done = ninjaone("run", "job.yaml", "--expect-rows", "4")
    assert done.returncode == 1, done.stderr
    assert "window (schedule_maintenance): 4 rows, 3 succeeded, 1 failed" in done.stderr
    done = ninjaone("rerun", "out")
    assert done.returncode == 0, done.stderr
    ids = (1, 3, 16, 20)
    stored = {"start": 2111778000.0, "end": 2111799600.0}  # 21:00 and 3:00 in UTC
    assert [sandbox.state.fleet.change(id).maintenance for id in ids] == [stored] * 4
    assert changes(sandbox) == once(f"PUT /v2/device/{id}/maintenance" for id in ids)
    assert len(sent(sandbox)) == 5
