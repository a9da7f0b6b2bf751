"""Webhooks of the two services: their secrets, and the events in their deliveries."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from connector.common.json_text import Json
from connector.sync.records import AlertReading
from connector.sync.steps import CallSteps

HEADER = "X-Sync-Key"
"""The header that carries the secret where a sender can set headers."""
USER = "sync"
"""The user of basic authentication."""


@dataclass(frozen=True)
class HookSecrets:
    """The secrets that a service can authenticate with; one of them is enough."""

    token: str
    """The last part of the path, for senders that support only a URL."""
    header_value: str
    password: str

    header = HEADER
    user = USER

    @property
    def basic(self) -> str:
        """The value of an `Authorization` header for basic authentication."""
        return f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class AlertNews:
    """An event of an alert, at the time `at` of the source's clock.

    `reading` is the alert as it is in the delivery; its `start` is that of the occurrence if it started.
    """

    kind: Literal["started", "ended", "acknowledged"]
    reading: AlertReading
    at: float


class Webhook(Protocol):
    """A service's webhook: `SyncWebhook` in `sync_webhook.py` in the folder of its declaration.

    `warning` says what registering replaces, and `steps` how to register manually if the API refuses.
    """

    warning: str
    steps: str

    def alerts(self, body: Json) -> Sequence[AlertNews]:
        """Return the changes of alerts in a delivery; empty if there are none."""

    def tickets(self, body: Json) -> Sequence[int]:
        """Return the tickets that a delivery concerns: they are then read."""

    def register(self, url: str, secrets: HookSecrets) -> CallSteps:
        """Register a URL for deliveries; it contains no secret."""

    def remove(self, url: str) -> CallSteps:
        """Unregister the URL; return whether it was registered."""
