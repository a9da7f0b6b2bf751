"""Posts a notification to a URL. The URL can be secret, so that messages have only its host."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from connector.common import redaction
from connector.common.listening import LOOPBACK_NAMES
from connector.connections.settings import expanded
from connector.errors import ConnectorError, RunError, shorten
from connector.http.messages import USER_AGENT
from connector.http.transport import HttpTransport
from connector.runs.notify_settings import is_url

TIMEOUT_S = 10.0
_MAX_RESPONSE_BYTES = 1 << 20


class WebhookError(ConnectorError):
    """A notification could not be delivered."""


class Webhook:
    """A URL that receives notifications. `option` is the name of the setting, for messages."""

    def __init__(self, given: str, option: str) -> None:
        """Read a URL as given: itself, with `${NAME}`, or in a file. Raises RunError without showing it."""
        url = _read_url(given, option)
        try:
            parts = urlsplit(url)
            is_valid = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        except ValueError:
            is_valid = False
        if not is_valid or parts.scheme not in ("https", "http") or re.search(r"[^!-~]", url):
            raise RunError(f"{option}: not a valid URL; it must look like https://host/path")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_NAMES:
            raise RunError(f"{option}: the URL must use https://, because http:// is not encrypted")
        self._parts, self.label = parts, f"{option}, {parts.hostname}"
        if len(secret := _target(parts, "")) > 1:
            redaction.remember(url)
            redaction.remember(secret)

    def post(self, body: str, content_type: str, *, suffix: str = "") -> None:
        """Post a text to the URL, with a `suffix` of its path such as `/start`. Raises WebhookError."""
        headers = {"content-type": content_type, "user-agent": USER_AGENT, "accept": "*/*"}
        try:
            transport = HttpTransport(
                f"{self._parts.scheme}://{self._parts.netloc}",
                timeout_s=TIMEOUT_S,
                total_timeout_s=TIMEOUT_S,
                largest_body=_MAX_RESPONSE_BYTES,
            )
            try:
                response = transport.send("POST", _target(self._parts, suffix), headers, body.encode())
            finally:
                transport.close()
        except (ConnectorError, OSError) as error:
            raise WebhookError(redaction.OF_PROCESS.text(str(error))) from error
        if not 200 <= response.status < 300:
            said = redaction.OF_PROCESS.text(shorten(response.body.decode(errors="replace").strip(), 200))
            raise WebhookError(f"the server responded with {response.status}{said and ': '}{said}")


def _target(parts: SplitResult, suffix: str) -> str:
    path = parts.path.rstrip("/") + suffix if suffix else parts.path
    return (path or "/") + (f"?{parts.query}" if parts.query else "")


def _read_url(given: str, option: str) -> str:
    if is_url(given):
        return str(expanded({option: given}, lambda name: name)[option]).strip()
    try:
        text = Path(given).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise RunError(f"{option}: {given}: cannot be read: {reason}") from error
    if "\n" in text:
        raise RunError(f"{option}: {given}: expected one line with a URL")
    return text
