"""Runs DAGs of the tests in a real Airflow, and prints what came out as JSON.

python drive.py DAG:ROWS...

The process gets SIGTERM when the sandbox has received so many requests that create something; 0 is for none.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from datetime import datetime, timezone
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from typing import Any
from urllib.request import urlopen

IS_NEW = find_spec("airflow.sdk") is not None
# Imported before the time of parsing is taken. Airflow 2 finds the tables of users only if they are imported.
OF_OLD = ("airflow.models.baseoperator", "airflow.hooks.base", "airflow.providers.fab.auth_manager.models")
MASKER = "airflow.sdk.log" if IS_NEW else "airflow.utils.log.secrets_masker"
for module in ("airflow.sdk.bases.operator", "airflow.sdk.bases.hook") if IS_NEW else OF_OLD:
    import_module(module)

DATE = datetime(2026, 7, 1, tzinfo=timezone.utc)


def created() -> int:
    with urlopen(f"{os.environ['SANDBOX']}/_sandbox/requests") as response:
        return sum(request["method"] == "POST" for request in json.load(response))


def stop_after(rows: int) -> None:
    while created() < rows:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)


def run(dag: Any) -> dict[str, Any]:
    """Run a DAG; return [map index, state, number of the try, result] of its tasks by name."""
    # The same date gives the same run id, so that a second process continues what a first one has begun.
    dates = {"execution_date", "logical_date", "run_after"} & signature(dag.test).parameters.keys()
    done = dag.test(**dict.fromkeys(dates, DATE))
    tasks: dict[str, Any] = {}
    for task in done.get_task_instances():
        value = task.xcom_pull(task_ids=task.task_id, map_indexes=task.map_index)
        tasks.setdefault(task.task_id, []).append([task.map_index, task.state, task.try_number, value])
    return {name: sorted(its, key=lambda one: one[0]) for name, its in tasks.items()}


def main(*wanted: str) -> None:
    began = time.process_time()
    from dags import of_tests

    parsed_s = time.process_time() - began
    loaded = [name for name in sys.modules if name.startswith("connector.")]
    result: dict[str, Any] = {"parsed_s": parsed_s, "loaded": loaded}
    for name, _, rows in (one.partition(":") for one in wanted):
        if int(rows):
            threading.Thread(target=stop_after, args=(int(rows),), daemon=True).start()
        result[name] = run(getattr(of_tests, name))
    result["secret"] = import_module(MASKER).redact(of_tests.secret())
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
