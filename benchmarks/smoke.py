"""Rows per second of a run, beside a bare `requests.Session` loop that renders and checks nothing.

Work: 5,000 rows, six templates a row, inputs validated, one PATCH /v2/device/{id} each, one envelope each.
Both in processes of their own, against a stub server on the loopback, in turn; the medians of five runs.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS, ROUNDS = 5_000, 5
HERE = Path(__file__).parent

BARE = """
import json, sys, requests
session = requests.Session()
session.headers["authorization"] = "Bearer t"
with open(sys.argv[2]) as rows, open(sys.argv[3], "w") as out:
    for line in rows:
        row = json.loads(line)
        body = {"displayName": row["name"], "userData": {"rack": row["rack"]}, "nodeRoleId": row["role"]}
        answer = session.patch(f"{sys.argv[1]}/v2/device/{row['id']}", json=body)
        out.write(json.dumps({"status": answer.status_code}) + "\\n")
"""

JOB = """
action: update_device
connection: connection.yaml
input: rows.jsonl
output: out.jsonl
delay_ms: 0
templates:
  device_id: "{{ id }}"
  display_name: "{{ name }} ({{ rack }})"
  user_data: '{"rack": "{{ rack }}"}'
  node_role_id: "{{ role }}"
  organization_id: "{{ org }}"
  location_id: "{{ org + 1 }}"
"""


def main() -> None:
    """Run both in turn and print their medians and the ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stub = subprocess.Popen([sys.executable, str(HERE / "stub.py")], stdout=subprocess.PIPE, text=True)
        try:
            assert stub.stdout is not None
            url = f"http://127.0.0.1:{stub.stdout.readline().strip()}"
            prepare(folder, url)
            bare = [sys.executable, "-c", BARE, url, str(folder / "rows.jsonl"), str(folder / "bare.jsonl")]
            ours = [sys.executable, "-m", "connector", "run", str(folder / "job.yaml"), "--restart"]
            times: dict[str, list[float]] = {"requests.Session": [], "ninjaone run": []}
            for _ in range(ROUNDS):
                times["requests.Session"].append(seconds(bare, folder))
                times["ninjaone run"].append(seconds(ours, folder))
        finally:
            stub.terminate()
            stub.wait()
    rates = {who: ROWS / statistics.median(taken) for who, taken in times.items()}
    for who, rate in rates.items():
        print(f"{who:<18} {rate:8.0f} rows/s   (runs: {', '.join(f'{t:.2f} s' for t in times[who])})")
    print(f"ratio              {rates['ninjaone run'] / rates['requests.Session']:8.2f}")


def prepare(folder: Path, url: str) -> None:
    """Write the rows, the job and its connection."""
    with (folder / "rows.jsonl").open("w") as file:
        for number in range(1, ROWS + 1):
            row = {
                "id": number,
                "name": f"PC-{number:05}",
                "rack": f"R{number % 40}",
                "role": 201,
                "org": number % 9 + 1,
            }
            file.write(json.dumps(row) + "\n")
    (folder / "job.yaml").write_text(JOB)
    (folder / "connection.yaml").write_text(
        f"base_url: {url}\nclient_id: bench\nclient_secret: bench-secret\n"
    )


def seconds(command: list[str], folder: Path) -> float:
    """Time one whole process."""
    began = time.perf_counter()
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
