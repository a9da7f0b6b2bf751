"""The DAGs of the tests, which a real Airflow runs: calls, and a batch that is killed."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from airflow_provider_ninjaone.hooks import NinjaOneHook
from airflow_provider_ninjaone.operators import NinjaOneBatchOperator, NinjaOneOperator

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG

SANDBOX, FOLDER = os.environ["SANDBOX"], os.environ["FOLDER"]
NEVER_WAIT = {"retries": 2, "retry_delay": timedelta(0)}


def set_faults(faults: dict[str, Any]) -> None:
    body = json.dumps(faults).encode()
    urlopen(Request(f"{SANDBOX}/_sandbox/faults", body, {"Content-Type": "application/json"})).close()


class Faulty(NinjaOneOperator):
    """Calls an action whose next request fails in the sandbox."""

    def execute(self, context: Any) -> Any:
        set_faults({"queue": ["reset_after"]})
        return super().execute(context)


def secret() -> str:
    """Return the secret of a connection, which Airflow hides from then on."""
    return str(NinjaOneHook().settings()["client_secret"])


with DAG("calls", schedule=None, start_date=datetime(2026, 1, 1), default_args=NEVER_WAIT) as calls:
    # The sign-in fails until Airflow retries the task.
    listed = NinjaOneOperator(
        task_id="list",
        action="list_organizations",
        inputs={"limit": 3},
        on_retry_callback=lambda context: set_faults({"rates": {}}),
    )
    mapped = NinjaOneOperator.partial(task_id="map", action="get_organization").expand(
        inputs=listed.output.map(lambda one: {"organization_id": one["id"]})
    )
    device = NinjaOneOperator(task_id="template", action="get_device", inputs={"device_id": "{{ 6 + 6 }}"})
    renamed = NinjaOneOperator(
        task_id="rename",
        action="update_device",
        inputs={
            "device_id": "{{ ti.xcom_pull('template')['id'] }}",
            "display_name": "{{ dag.dag_id }} {# #}desk",
        },
    )
    gone = NinjaOneOperator(task_id="gone", action="get_device", inputs={"device_id": 9999})
    lost = Faulty(task_id="lost", action="create_organization", inputs={"name": "Lost"})
    large = NinjaOneOperator(task_id="large", action="list_devices", xcom_bytes=1000)
    filed = NinjaOneOperator(
        task_id="file", action="list_devices", output_file=FOLDER + "/{{ run_id }}/devices.json"
    )
    refused = NinjaOneOperator(
        task_id="refused", action="reboot_device", inputs={"device_id": 1, "mode": "NORMAL"}
    )
    listed >> mapped >> device >> renamed >> [gone, lost, large, filed, refused]

CREATE = {
    "task_id": "create",
    "action": "create_organization",
    "templates": {"name": "{{ name }} {{ suffix }}"},
    "vars": {"suffix": "{{ ds_nodash }}"},
    "allow_failed_rows": True,
    "conn_id": "ninjaone_slow",
}

with DAG("batch", schedule=None, start_date=datetime(2026, 1, 1), default_args=NEVER_WAIT) as batch:
    NinjaOneBatchOperator(
        **CREATE, input_file=FOLDER + "/rows.csv", output_file=FOLDER + "/{{ run_id }}/out.jsonl"
    )


def other_machine(context: Any) -> None:
    """Replace the disk by that of another machine: of two by three, of three by two."""
    disk = Path(FOLDER, "disk")
    is_two = disk.resolve().name == "two"
    disk.unlink()
    disk.symlink_to(Path(FOLDER, "three" if is_two else "two"))


AFTER_A_LEASE = {"retries": 3, "retry_delay": timedelta(seconds=16), "on_retry_callback": other_machine}
with DAG("shared", schedule=None, start_date=datetime(2026, 1, 1), default_args=AFTER_A_LEASE) as shared:
    NinjaOneBatchOperator(
        **CREATE,
        input_file=FOLDER + "/disk/rows.csv",
        output_file=FOLDER + "/disk/{{ run_id }}/out.jsonl",
        state_conn_id="shared_state",
    )
