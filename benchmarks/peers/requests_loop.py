"""Compared program (b): a loop over `requests.Session`, without templates, checks, pacing or retries.

Arguments: the server's URL, the file of rows, the output file.
"""

import json
import sys

import requests

url, rows_file, out_file = sys.argv[1:]
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
        out.write(json.dumps({"status": answer.status_code}) + "\n")
