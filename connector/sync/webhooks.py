"""Load the webhooks of the source and target services, build their URLs, and register them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.errors import RowError
from connector.sync.calls import Calls, load_part
from connector.sync.deliveries import HookSecrets, Webhook
from connector.sync.hook_key import HookKey
from connector.sync.sides import ActionSource, ActionTarget


@dataclass(frozen=True)
class Hook:
    """The webhook of one service. `name` is the service's name, which is also a part of the URL."""

    name: str
    title: str
    calls: Calls
    webhook: Webhook

    def url(self, base: str) -> str:
        """Return the URL for deliveries with a secret in a header."""
        return f"{base.rstrip('/')}/hooks/{self.name}"

    def url_with_token(self, base: str, secrets: HookSecrets) -> str:
        """Return the URL that contains the secret, for senders that cannot set headers."""
        return f"{self.url(base)}/{secrets.token}"

    def register(self, base: str, key: HookKey) -> RowError | None:
        """Register the URL below `base` with the service; return the error if the API refuses it.

        Raises RowError for any other failure.
        """
        try:
            self.calls.result(self.webhook.register(self.url(base), key.secrets_of(self.name)))
        except RowError as error:
            if error.code in ("forbidden", "input_invalid") or error.status in (400, 403):
                return error
            raise
        return None

    def remove(self, base: str) -> bool:
        """Remove the registration; return whether the URL was registered. Raises RowError."""
        found: bool = self.calls.result(self.webhook.remove(self.url(base)))
        return found


def load_hooks(source: ActionSource, target: ActionTarget) -> dict[str, Hook]:
    """Return the webhooks of both services, keyed by service name. Raises RunError."""
    found = {}
    for side, what in ((source, "source"), (target, "target")):
        calls = side.calls
        part: Webhook = load_part(calls, "sync_webhook.py", "SyncWebhook", what)
        found[calls.service.name] = Hook(calls.service.name, side.title, calls, part)
    return found


def readers(hooks: Mapping[str, Hook]) -> dict[str, Webhook]:
    """Return the objects that parse webhook deliveries, keyed by service name."""
    return {name: hook.webhook for name, hook in hooks.items()}
