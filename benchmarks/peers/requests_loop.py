"""Compared program (b): a loop over `requests.Session`, without templates, checks, retries or files of a run.

Arguments: the server's URL, the file of rows, the output file, and the seconds to sleep after each request.
"""

import json
import sys
import time

import requests

url, rows_file, out_file, *delay = sys.argv[1:]
delay_s = float(delay[0]) if delay else 0.0
session = requests.Session()
session.headers["Authorization"] = "Bearer token"
with open(rows_file) as rows, open(out_file, "w") as out:
    for line in rows:
        row = json.loads(line)
        body = {
            "displayName": f"{row['name']} ({row['rack']})",
            "userData": {"rack": row["rack"]},
            "nodeRoleId": row["role"],
            "organizationId": row["org"],
            "locationId": row["org"] + 1,
        }
        answer = session.patch(f"{url}/v2/device/{row['id']}", json=body)
        result = answer.json() if answer.content else None
        out.write(json.dumps({"status": answer.status_code, "result": result}) + "\n")
        if delay_s:
            time.sleep(delay_s)
