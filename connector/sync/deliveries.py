"""The webhooks of a service: their secrets, and the events in their deliveries."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from connector.common.json_text import Json
from connector.sync.records import AlertReading
from connector.sync.steps import CallSteps

HEADER = "X-Sync-Key"
"""The request header with the secret, for senders that can set headers."""
USER = "sync"
"""The user name for HTTP basic authentication."""


@dataclass(frozen=True)
class HookSecrets:
    """The secrets with which a service can authenticate a webhook delivery; one of them is enough."""

    token: str
    """The last segment of the URL's path, for senders that support only a URL."""
    header_value: str
    password: str

    header = HEADER
    user = USER

    @property
    def basic(self) -> str:
        """The value of the `Authorization` header for HTTP basic authentication."""
        return f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class AlertNews:
    """An event of an alert in a webhook delivery; `at` is its epoch time on the source's clock.

    `reading` is the alert in the delivery. If the alert started, `reading.start` is the time of the start.
    """

    kind: Literal["started", "ended", "acknowledged"]
    reading: AlertReading
    at: float


class Webhook(Protocol):
    """A service's webhook. The class `SyncWebhook` in the service's `sync_webhook.py` implements it.

    `warning` names the setting that a registration overwrites. `steps` is how to register manually.
    """

    warning: str
    steps: str

    def alerts(self, body: Json) -> Sequence[AlertNews]:
        """Return the alert events in the body of a delivery; empty if there are none."""

    def tickets(self, body: Json) -> Sequence[int]:
        """Return the ids of the tickets in the body of a delivery."""

    def register(self, url: str, secrets: HookSecrets) -> CallSteps:
        """Register a URL without secrets for deliveries, authenticated with one of the secrets."""

    def remove(self, url: str) -> CallSteps:
        """Remove the registration of a URL; return whether the URL was registered."""
