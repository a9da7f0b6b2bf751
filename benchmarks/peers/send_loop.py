"""Compared program (d): nothing but the requests, by the connector's HTTP client.

It signs in, paces and retries as a run does, but reads and writes no files, and has no templates and checks.
Arguments: the connection file, the number of requests.
"""

import sys

from connector.catalog.catalog import Catalog
from connector.client.factory import open_client
from connector.connections.connection import load_connection
from connector.http.messages import Request

connection_file, count = sys.argv[1:]
service = Catalog().service("ninjaone")
client = open_client(service, load_connection(service, connection_file), delay_ms=0)
for number in range(1, int(count) + 1):
    rack = f"R{number % 40}"
    body = {
        "displayName": f"PC-{number:05} ({rack})",
        "userData": {"rack": rack},
        "nodeRoleId": 201,
        "organizationId": number % 9 + 1,
        "locationId": number % 9 + 2,
    }
    client.send(Request("PATCH", f"/v2/device/{number}", body=body, effect="write", idempotent=True))
