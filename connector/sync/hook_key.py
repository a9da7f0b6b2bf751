"""The random key in a sync folder from which the secrets of its webhooks are derived."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from connector.common.user_folders import write_whole
from connector.errors import RunError, file_errors
from connector.sync.deliveries import HookSecrets

NAME = "webhook.key"
_LENGTH = 64


class HookKey:
    """The webhook key of a sync folder. To replace all secrets, delete the file and register again."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    @classmethod
    def of(cls, folder: Path) -> HookKey:
        """Return the key of a folder; create a key file that only this user can read if it is missing.

        Raises RunError if the file cannot be read or written, or is damaged.
        """
        path = folder / NAME
        with file_errors(path):
            if not path.exists():
                write_whole(path, f"{secrets.token_hex(_LENGTH // 2)}\n".encode(), durable=True)
            key = path.read_text(encoding="ascii", errors="replace").strip()
        if len(key) < _LENGTH:
            raise RunError(
                f"{path}: the key is damaged; delete the file and register the webhooks again, or restore it"
            )
        return cls(key)

    def secrets_of(self, service: str) -> HookSecrets:
        """Return the secrets of a service's webhook."""
        return HookSecrets(*(self._derived(service, use) for use in ("token", "header", "password")))

    def _derived(self, service: str, use: str) -> str:
        return hmac.new(self._key, f"{service}/{use}".encode(), hashlib.sha256).hexdigest()[:40]
