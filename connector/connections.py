"""Connections: which instance of a service, and with which credentials.

From a YAML file (`schemas/connection.schema.json`) or from environment variables with the service's prefix.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connector import yaml_file
from connector.errors import ConnectionFault, RunFault, nearest
from connector.json_text import kind
from connector.redact import masked
from connector.service import Service

_FIELDS: dict[str, tuple[type, ...]] = {
    "region": (str,),
    "base_url": (str,),
    "client_id": (str,),
    "client_secret": (str,),
    "access_token": (str,),
    "scope": (str,),
    "timeout_s": (int, float),
    "verify_tls": (bool,),
    "ca_file": (str,),
    "proxy": (str,),
}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Connection:
    """Where requests go and who asks. `timeout_s` is how long an answer may take, in seconds."""

    service: str
    base_url: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    scope: str = ""
    timeout_s: float = 60.0
    verify_tls: bool = True
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)

    @property
    def account(self) -> str:
        """What pacing is counted by: the host and the client app (or the token, unreadably)."""
        who = self.client_id or hashlib.sha256(self.access_token.encode()).hexdigest()[:16]
        return f"{urlsplit(self.base_url).netloc} {who}"

    def described(self) -> dict[str, Any]:
        """What may be shown of it: no secret is whole."""
        shown: dict[str, Any] = {"service": self.service, "base_url": self.base_url}
        if self.client_id:
            shown |= {"client_id": self.client_id, "client_secret": masked(self.client_secret)}
        else:
            shown["access_token"] = masked(self.access_token)
        return shown


def load_connection(
    service: Service, path: Path | None, environment: Mapping[str, str] = os.environ
) -> Connection:
    """Load the connection from `path`, else from the file that `PREFIXCONNECTION` names, else from
    `PREFIX*` variables. Raises ConnectionFault, which never shows a secret.
    """
    named = environment.get(service.environment + "CONNECTION")
    if path is None and named:
        path = Path(named)
    if path is not None:
        return connection_from_file(service, path, environment)
    return connection_from_environment(service, environment)


def connection_from_file(service: Service, path: Path, environment: Mapping[str, str]) -> Connection:
    """Read a connection's YAML file; `${NAME}` in it stands for an environment variable."""
    try:
        data = yaml_file.load(path, may_quote=False)
    except RunFault as error:
        raise ConnectionFault(str(error)) from None
    if not isinstance(data, dict):
        raise ConnectionFault(f"{path}: a mapping is expected, not {kind(data)}")
    settings: dict[str, Any] = {}
    for name, value in data.items():
        place = f"{path}, line {yaml_file.line_of(path, [name])}"
        if name == "service" and value == service.name:
            continue
        if name == "service":
            raise ConnectionFault(f"{place}: it is for another service than {service.name}")
        if name not in _FIELDS:
            raise ConnectionFault(f'{place}: unknown setting "{name}"{nearest(str(name), _FIELDS)}')
        if not isinstance(value, _FIELDS[name]) or (isinstance(value, bool) and bool not in _FIELDS[name]):
            raise ConnectionFault(f"{place}: {name} is {kind(value)}, which it cannot be")
        settings[name] = _expand(value, place, environment) if isinstance(value, str) else value
    return make_connection(service, settings, str(path))


def _expand(text: str, place: str, environment: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise ConnectionFault(f"{place}: the environment variable {match[1]} is not set")
        return environment[match[1]]

    return _VARIABLE.sub(value, text)


def connection_from_environment(service: Service, environment: Mapping[str, str]) -> Connection:
    """Make a connection from the `PREFIX*` environment variables."""
    prefix = service.environment
    settings: dict[str, Any] = {}
    for name, types in _FIELDS.items():
        text = environment.get(prefix + name.upper())
        if not text:
            continue
        if bool in types:
            if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
                raise ConnectionFault(f'{prefix}{name.upper()}: "{text}" is neither true nor false')
            settings[name] = text.lower() in ("true", "1", "yes")
        elif float in types:
            try:
                settings[name] = float(text)
            except ValueError:
                raise ConnectionFault(
                    f'{prefix}{name.upper()}: "{text}" is not a number of seconds'
                ) from None
        else:
            settings[name] = text
    if not settings:
        raise ConnectionFault(
            f"no connection: give --connection FILE, or set {prefix}REGION, {prefix}CLIENT_ID and "
            f"{prefix}CLIENT_SECRET"
        )
    return make_connection(service, settings, f"{prefix}* variables")


def make_connection(service: Service, settings: Mapping[str, Any], place: str) -> Connection:
    """Check settings and make a connection of them. Raises ConnectionFault that names `place`."""
    settings = dict(settings)
    region, base_url = settings.pop("region", None), settings.pop("base_url", None)
    if (region is None) == (base_url is None):
        raise ConnectionFault(f"{place}: give either region ({', '.join(service.regions)}) or base_url")
    if region is not None and region not in service.regions:
        known = ", ".join(service.regions)
        raise ConnectionFault(
            f'{place}: no region "{region}"{nearest(region, service.regions)}; there are {known}'
        )
    base_url = _checked_url(service.regions[region] if base_url is None else base_url, place)
    connection = Connection(service=service.name, base_url=base_url, **settings)
    if not connection.access_token and not (connection.client_id and connection.client_secret):
        raise ConnectionFault(f"{place}: give client_id and client_secret, or an access_token")
    if not (connection.access_token.isascii() and connection.access_token.isprintable()):
        raise ConnectionFault(f"{place}: access_token holds a line break or what else no header can carry")
    if not 0 < connection.timeout_s < float("inf"):
        raise ConnectionFault(f"{place}: timeout_s must be a number of seconds, more than 0")
    if connection.ca_file and not Path(connection.ca_file).exists():
        raise ConnectionFault(f"{place}: there is no ca_file {connection.ca_file}")
    return connection


def _checked_url(url: str, place: str) -> str:
    try:
        parts = urlsplit(url)
        is_plain = parts.port != 0 and not (parts.query or parts.fragment or "@" in parts.netloc)
    except ValueError:
        is_plain = False
    if not is_plain or parts.scheme not in ("https", "http") or not parts.hostname:
        raise ConnectionFault(f"{place}: base_url must look like https://app.example.com")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ConnectionFault(f"{place}: base_url must be https://, as secrets would travel readably")
    return url.rstrip("/")
