"""The webhooks of both sides: their modules, the addresses, and registering them."""

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
    """The webhook of one side. `name` is the service's, and the last part of the path."""

    name: str
    title: str
    calls: Calls
    webhook: Webhook

    def url(self, base: str) -> str:
        """Return the address that deliveries with a secret in a header are sent to."""
        return f"{base.rstrip('/')}/hooks/{self.name}"

    def url_with_token(self, base: str, secrets: HookSecrets) -> str:
        """Return the address that includes the secret."""
        return f"{self.url(base)}/{secrets.token}"

    def register(self, base: str, key: HookKey) -> RowError | None:
        """Register a receiver for deliveries; return the error if the API refuses.

        Raises RowError for anything else.
        """
        try:
            self.calls.result(self.webhook.register(self.url(base), key.secrets_of(self.name)))
        except RowError as error:
            if error.code in ("forbidden", "input_invalid") or error.status in (400, 403):
                return error
            raise
        return None

    def remove(self, base: str) -> bool:
        """Unregister the receiver; return whether it was registered. Raises RowError."""
        found: bool = self.calls.result(self.webhook.remove(self.url(base)))
        return found


def load_hooks(source: ActionSource, target: ActionTarget) -> dict[str, Hook]:
    """Return the webhooks of both sides, keyed by service name. Raises RunError."""
    found = {}
    for side, what in ((source, "source"), (target, "target")):
        calls = side.calls
        part: Webhook = load_part(calls, "sync_webhook.py", "SyncWebhook", what)
        found[calls.service.name] = Hook(calls.service.name, side.title, calls, part)
    return found


def readers(hooks: Mapping[str, Hook]) -> dict[str, Webhook]:
    """Return the readers of deliveries, keyed by service name."""
    return {name: hook.webhook for name, hook in hooks.items()}
