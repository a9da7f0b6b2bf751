"""A HaloPSA sandbox, and its actions as a test calls them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from connector.catalog.action import Action
from connector.client.account_limit import AccountLimit
from connector.client.auth import Auth
from connector.client.client import Client
from connector.client.pacing import Pacer
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.files.envelope import Envelope
from connector.http.transport import HttpTransport
from connector.invocation.bindings import bind
from connector.invocation.invoke import Invoker
from connector.sandbox.halopsa.server import HaloSandbox
from tests.fakes import FakeClock
from tests.kept_catalog import CATALOG
from tests.loopback import PATIENCE_S

SERVICE = CATALOG.service("halopsa")
NAMES = CATALOG.names_of("halopsa")
WEBHOOK = "3f0c9a52-6c0d-4f0e-8a5a-5a35f3c1c111"
"""The webhook of the declarations' examples."""


class Halo:
    """Calls actions on a sandbox, each as a run of one row. Nothing waits: the clock moves by sleeping."""

    def __init__(self, box: HaloSandbox, clock: FakeClock | None = None) -> None:
        self.box, clock = box, clock or FakeClock()
        connection = Connection(
            "halopsa",
            box.base_url,
            box.client_id,
            box.client_secret,
            settings={"tenant": box.tenant},
            timeout_s=PATIENCE_S,
        )
        self._transport = HttpTransport(box.base_url, timeout_s=PATIENCE_S)
        redactor = Redactor(connection.secrets, SERVICE.secrets)
        auth = Auth(SERVICE, connection, self._transport, clock, redactor)
        pacer = Pacer(0, clock, limit=AccountLimit(SERVICE.title, clock))
        self._client = Client(SERVICE, connection, self._transport, auth, pacer, clock, redactor)

    def __enter__(self) -> Halo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

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
        return f"{envelope.meta['code']}: {envelope.error}"

    def run(self, action: Action, templates: Mapping[str, Any], row: Mapping[str, Any]) -> Envelope:
        """Return the envelope of an action with templates over a row."""
        folder = Path(tempfile.gettempdir())
        invoker = Invoker(action, SERVICE, bind(action, templates), self._client, folder, folder)
        (envelope,) = invoker.envelopes(1, row)
        return envelope


def fill(box: HaloSandbox) -> None:
    """Add the records that the examples of the declarations are about: a note and a webhook."""
    with Halo(box) as halo:
        halo.call("add_note", ticket_id=2001, note="Cable ordered")
        hook = halo.call("create_webhook", name="Ticket closed", url="https://hooks.example/halo")
    box.state.webhooks[WEBHOOK] = {**box.state.webhooks.pop(hook["id"]), "id": WEBHOOK}
