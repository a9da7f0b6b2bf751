"""A third service that a user's folder declares, of two actions, and a server of its API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.loopback import Server, Talk

SERVICE = """\
name: toy
title: Toy Desk
names: qualified
environment: TOY_
sign_in:
  token_path: /oauth/token
  authorize_path: /oauth/authorize
  revoke_path: /oauth/revoke
  grants: [client_credentials]
errors:
  shapes: [{when: problem, message: problem}]
  statuses: {404: not_found, 429: rate_limited}
throttling: {statuses: [429]}
request_id_header: x-toy-request
delay: {title: Delay, default_ms: 0}
health_checks:
  - {title: Toys, action: list_toys}
"""
LIST_TOYS = """\
name: list_toys
title: List Toys
summary: List all toys.
operation: listToys
request: GET /api/toys
effect: read
idempotent: true
result: {type: array}
examples:
  - row: {}
    templates: {}
    sends: [{method: GET, path: /api/toys}]
"""
CREATE_TICKET = """\
name: create_ticket
title: Create Ticket
summary: Report a broken toy.
operation: createTicket
request: POST /api/tickets
effect: write
idempotent: false
inputs:
  subject: {title: Subject, type: string, to: body.subject}
required: [subject]
result: {type: object}
examples:
  - row: {what: The bear lost an ear}
    templates: {subject: "{{ what }}"}
    sends: [{method: POST, path: /api/tickets, body: {subject: The bear lost an ear}}]
"""
TOYS = [{"id": 1, "name": "Bear"}, {"id": 2, "name": "Kite"}]
TOKEN = "a-token-of-the-toy-desk"


def declare_toy(folder: Path, **changes: str) -> Path:
    """Write the service and its two actions below a folder; `changes` are other texts of these files."""
    files = {"service": SERVICE, "list_toys": LIST_TOYS, "create_ticket": CREATE_TICKET, **changes}
    for name, text in files.items():
        path = folder / "toy" / ("service.yaml" if name == "service" else f"desk/{name}.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def toy_connection(folder: Path, server: Server, **more: str) -> Path:
    """Write the file of a connection to the server."""
    path = folder / "toy-connection.yaml"
    settings = {"service": "toy", "base_url": server.base_url, "client_id": "bear"}
    path.write_text(yaml.safe_dump({**settings, "client_secret": "a-secret-of-the-bear", **more}), "utf-8")
    return path


def toy_desk(talk: Talk) -> None:
    """Answer as the toy desk does: its token endpoint, its toys, and tickets that it numbers."""
    while request := talk.read():
        answers: Mapping[str, object] = {
            "POST /oauth/token": {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600},
            "GET /api/toys": TOYS,
            "POST /api/tickets": {"id": 7, **json.loads(request.body or b"{}")}
            if "api" in request.line
            else {},
        }
        response = answers.get(request.line.rpartition(" ")[0])
        if response is None:
            talk.answer(b'{"problem": "no such page"}', "404 Not Found")
        else:
            talk.answer(json.dumps(response).encode())


def toy_server() -> Server:
    """Return a server of the toy desk."""
    return Server((toy_desk,))
