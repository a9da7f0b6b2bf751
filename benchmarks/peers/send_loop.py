"""Compared program (d): a loop over the connector's HTTP client, with its sign-in, pacing and retries.

It uses no templates and checks. Arguments: the connection file, the file of rows, the output file.
"""

import json
import sys

from connector.catalog.catalog import Catalog
from connector.client.factory import open_client
from connector.connections.connection import load_connection
from connector.http.messages import Request

connection_file, rows_file, out_file = sys.argv[1:]
service = Catalog().service("ninjaone")
client = open_client(service, load_connection(service, connection_file), delay_ms=0)
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
        request = Request("PATCH", f"/v2/device/{row['id']}", body=body, effect="write", idempotent=True)
        out.write(json.dumps({"status": client.send(request).status}) + "\n")
