"""Compared program (c): a loop over the method `update_device` of ninjapy's synchronous client.

Arguments: the server's URL, the file of rows, the output file.
"""

import json
import sys

from ninjapy import NinjaRMMClient

url, rows_file, out_file = sys.argv[1:]
with (
    NinjaRMMClient(f"{url}/ws/oauth/token", "bench", "bench-secret", "management", base_url=url) as client,
    open(rows_file) as rows,
    open(out_file, "w") as out,
):
    for line in rows:
        row = json.loads(line)
        answer = client.update_device(
            row["id"],
            displayName=f"{row['name']} ({row['rack']})",
            userData={"rack": row["rack"]},
            nodeRoleId=row["role"],
            organizationId=row["org"],
            locationId=row["org"] + 1,
        )
        out.write(json.dumps({"answer": answer}) + "\n")
