"""A HaloPSA sandbox, and its actions as a test calls them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.client.factory import open_client
from connector.connections.connection import make_connection
from connector.files.envelope import Envelope
from connector.invocation.bindings import bind
from connector.invocation.invoke import Invoker
from connector.sandbox.halopsa.server import HaloSandbox

CATALOG = Catalog()
SERVICE = CATALOG.service("halopsa")
NAMES = CATALOG.names_of("halopsa")
WEBHOOK = "3f0c9a52-6c0d-4f0e-8a5a-5a35f3c1c111"
"""The webhook of the declarations' examples."""


class Halo:
    """Calls actions on a sandbox, each as a run of one row."""

    def __init__(self, box: HaloSandbox, folder: Path | None = None) -> None:
        self.box, self._folder = box, folder or Path(tempfile.gettempdir())
        settings = {name: value for name, value in box.connection.items() if name != "service"}
        self._client = open_client(SERVICE, make_connection(SERVICE, settings, "the sandbox"), 0)

    def envelope(self, name: str, /, **inputs: Any) -> Envelope:
        """Return the envelope of an action with these values."""
        return self.run(CATALOG.action(f"halopsa.{name}"), {}, inputs)

    def call(self, name: str, /, **inputs: Any) -> Any:
        """Return the result of an action that must succeed."""
        envelope = self.envelope(name, **inputs)
        assert envelope.error is None, envelope.error
        return envelope.result

    def error(self, name: str, /, **inputs: Any) -> str:
        """Return the code and the message of an action that must fail."""
        envelope = self.envelope(name, **inputs)
        assert envelope.error is not None
        return f"{envelope.meta.code}: {envelope.error}"

    def run(self, action: Action, templates: Mapping[str, Any], row: Mapping[str, Any]) -> Envelope:
        """Return the envelope of an action with templates over a row."""
        invoker = Invoker(action, SERVICE, bind(action, templates), self._client, self._folder, self._folder)
        (envelope,) = invoker.envelopes(1, row)
        return envelope

    def written(self) -> list[Any]:
        """Return the bodies of the POST requests that the sandbox received."""
        return [entry["body"] for entry in self.box.log.requests() if entry["method"] == "POST"]


def fill(box: HaloSandbox) -> None:
    """Add the records that the examples of the declarations are about: a note and a webhook."""
    halo = Halo(box)
    halo.call("add_note", ticket_id=2001, note="Cable ordered")
    hook = halo.call("create_webhook", name="Ticket closed", url="https://hooks.example/halo")
    box.state.webhooks[WEBHOOK] = {**box.state.webhooks.pop(hook["id"]), "id": WEBHOOK}
