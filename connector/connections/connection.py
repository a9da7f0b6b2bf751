"""Connections: the URL of an API, and the credentials for it.

They are read from the saved connections, from a YAML file (`schemas/connection.schema.json`), or from
environment variables with the prefix of the service.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from connector.catalog.service import Service
from connector.common.json_text import Json
from connector.common.listening import LOOPBACK_NAMES
from connector.common.redaction import HIDDEN, Secret, masked, remember
from connector.common.zones import read_zone
from connector.connections.saved import SavedConnections
from connector.connections.secret_store import FIELDS as SECRETS
from connector.connections.secret_store import SecretStore
from connector.connections.settings import (
    OF_ANY,
    SAFEGUARDS,
    expanded,
    fields_of,
    is_file,
    place_of,
    read_settings,
    settings_of_environment,
)
from connector.errors import ConnectionSetupError, file_errors, nearest
from connector.http.content_encoding import MAX_BODY_BYTES
from connector.http.tls import SYSTEM
from connector.state.setting import check_state
from connector.state.setting import shown as shown_state

MIN_SECRET_LENGTH = 8
"""The minimum length of a secret: shorter ones also occur in ordinary text."""


@dataclass(frozen=True)
class Connection:
    """The base URL of an API, the credentials for it, and further settings.

    `timeout_s` is the maximum wait for the first byte of a response and for each following one, in seconds;
    `total_timeout_s` is that for the complete response (None: `default_total_timeout_s`); `largest_body_mb`
    is the maximum size of its body, in MiB. `allow_short_secrets` permits saving a secret of fewer than
    `MIN_SECRET_LENGTH` characters. A `read_only` connection sends no request that changes anything. `audit`
    has the paths of the audit logs, to which a line is added for every request. `timezone` is the zone of
    times that have none, in inputs and templates; empty means UTC. `state` is the URL of a database with the
    state that workers share; empty means files. `settings` has the settings that only the connections of
    this service have. `name` is the name of a saved connection, or empty; `origin`
    describes where the connection was found, for messages. Secrets are `Secret` texts: `repr` shows none of
    them, also not that of `dataclasses.asdict` or `vars`; serializing such a dict as JSON writes them.
    """

    service: str
    base_url: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    scope: str = ""
    timeout_s: float = 60.0
    total_timeout_s: float | None = None
    largest_body_mb: float = MAX_BODY_BYTES / (1 << 20)
    verify_tls: bool = True
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)
    health_checks_off: tuple[str, ...] = ()
    allow_short_secrets: bool = False
    read_only: bool = False
    audit: tuple[str, ...] = ()
    timezone: str = ""
    state: str = field(default="", repr=False, compare=False)
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)
    name: str = ""
    origin: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Hide the secrets in the `repr` of everything that contains them."""
        for name in (*SECRETS, "proxy", "state"):
            if value := getattr(self, name):
                object.__setattr__(self, name, Secret(value))

    @property
    def account(self) -> str:
        """The key for pacing: host and client id, or a digest of the token. An account has one delay."""
        who = self.client_id or hashlib.sha256(self.access_token.encode()).hexdigest()[:16]
        return f"{urlsplit(self.base_url).netloc} {who}"

    @property
    def identity(self) -> list[Json]:
        """The host, the account and the settings of the service, which decide what a request reaches."""
        return [self.base_url, self.account, dict(self.settings)]

    @property
    def label(self) -> str:
        """The name to display: the name of the saved connection, or the host."""
        return self.name or urlsplit(self.base_url).netloc

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be shown, including the password of the proxy."""
        password = password_of(self.proxy or "")
        return (self.client_secret, self.access_token, self.refresh_token, password, unquote(password))


def require_long_secrets(connection: Connection, place: str) -> None:
    """Raise ConnectionSetupError, naming `place`, if a secret is too short to be hidden in messages."""
    if connection.allow_short_secrets:
        return
    named = {name: getattr(connection, name) for name in SECRETS}
    named["password of the proxy"] = password_of(connection.proxy or "")
    for name, value in named.items():
        if 0 < len(value) < MIN_SECRET_LENGTH:
            raise ConnectionSetupError(
                f"{place}: the {name} has fewer than {MIN_SECRET_LENGTH} characters, so hiding it would "
                "also hide ordinary text in messages and results. If it is correct, use --allow-short-secrets"
            )


def white_space_at(text: str) -> str:
    """Return where a text has white space: `at its beginning`, `at its end`, `at both ends` or ""."""
    begins, ends = text != text.lstrip(), text != text.rstrip()
    if begins and ends:
        return "at both ends"
    return "at its beginning" if begins else "at its end" if ends else ""


def described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a connection's settings for display, with secrets masked."""
    shown = dict(settings)
    for name in SECRETS:
        if name in shown:
            shown[name] = masked(shown[name])
    if password := password_of(shown.get("proxy", "")):
        shown["proxy"] = shown["proxy"].replace(f":{password}@", f":{HIDDEN}@")
    if "state" in shown:
        shown["state"] = shown_state(shown["state"])
    return shown


def password_of(url: str) -> str:
    """Return the password in a URL as written, or an empty string. The URL need not be valid."""
    before, at, _ = url.rpartition("@")
    return before.rpartition("://")[2].partition(":")[2] if at else ""


def load_connection(
    service: Service, named: str | None, environment: Mapping[str, str] = os.environ
) -> Connection:
    """Return the connection `named`, else that of the environment, else the default saved connection.

    `named` is the name of a saved connection or a file (`is_file`). Environment variables start with the
    service's prefix: `*_CONNECTION` contains such a name; without it, `*_REGION`, `*_CLIENT_ID` and so on are
    the settings. In every case, `*_READ_ONLY` makes the connection read-only, and `*_AUDIT` adds an audit log
    to a connection without one. Raises ConnectionSetupError, which never shows a secret.
    """
    safeguards = settings_of_environment(service, environment, SAFEGUARDS)
    found = _load_connection(service, named, environment)
    if safeguards.get("read_only") and not found.read_only:
        found = replace(found, read_only=True, origin=f"{found.origin}, by {service.environment}READ_ONLY")
    return found if found.audit else replace(found, audit=audit_files(safeguards.get("audit")))


def state_of(service: Service, named: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """Return the setting `state` of a connection, without reading its secrets; empty if there is none."""
    named = named or environment.get(service.environment + "CONNECTION")
    if named is None and not _settings_of(service, environment):
        named = SavedConnections().default(service.name)
    if named is None:
        return ""
    try:
        path = Path(named) if is_file(named) else SavedConnections().path(named)
        if b"state" not in path.read_bytes():  # as in most files, which then are not parsed twice
            return ""
        return str(_settings_of_file(service, path, environment).get("state", ""))
    except (OSError, ConnectionSetupError):
        return ""  # the same error is raised when the connection is loaded


def has_default(service: Service, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a service has a connection without a name, which need not be valid. Reads no secret."""
    if environment.get(service.environment + "CONNECTION"):
        return True
    return bool(_settings_of(service, environment)) or SavedConnections().default(service.name) is not None


def _settings_of(service: Service, environment: Mapping[str, str]) -> Mapping[str, Any]:
    return settings_of_environment(
        service, environment, [key for key in fields_of(service) if key not in OF_ANY]
    )


def _load_connection(service: Service, named: str | None, environment: Mapping[str, str]) -> Connection:
    named = named or environment.get(service.environment + "CONNECTION")
    if named:
        if is_file(named):
            return connection_from_file(service, Path(named), environment)
        return saved_connection(service, named, environment)
    settings = _settings_of(service, environment)
    if settings:
        return make_connection(service, settings, f"{service.environment}* variables")
    default = SavedConnections().default(service.name)
    if default is None:
        raise ConnectionSetupError(_no_connection(service))
    return saved_connection(service, default, environment)


def _no_connection(service: Service) -> str:
    saved, prefix = SavedConnections(), service.environment
    names = [name for name in saved.names() if saved.service(name) in ("", service.name)]
    if names:
        return (
            f"no connection selected, and there is no default among the saved ones ({', '.join(names)}): use "
            "--connection NAME, or set the default with `ninjaone connection default NAME`"
        )
    return (
        "no connection: save one with `ninjaone connection add NAME`, use --connection FILE, or set "
        f"{prefix}{'REGION' if service.regions else 'BASE_URL'}, {prefix}CLIENT_ID and {prefix}CLIENT_SECRET"
    )


def saved_connection(service: Service, name: str, environment: Mapping[str, str] = os.environ) -> Connection:
    """Return a saved connection with its secrets. Raises ConnectionSetupError."""
    saved, store = SavedConnections(), SecretStore()
    settings = _settings_of_file(service, saved.path(name), environment)
    secrets = {secret: store.get(name, secret) for secret in store.places(name)}
    default = "default" if saved.is_default(name) else "saved"
    return make_connection(
        service, {**settings, **secrets, "name": name}, f'the {default} connection "{name}"'
    )


def connection_from_file(service: Service, path: Path, environment: Mapping[str, str]) -> Connection:
    """Return the connection in a YAML file; `${NAME}` in it is replaced by an environment variable."""
    return make_connection(service, _settings_of_file(service, path, environment), str(path))


def _settings_of_file(service: Service, path: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    settings = expanded(read_settings(service, path), lambda key: place_of(path, key), environment)
    if "audit" in settings:  # make the path absolute, so that it does not depend on the current folder
        settings["audit"] = str(path.parent / os.path.expanduser(settings["audit"]))
    return settings


def make_connection(
    service: Service, settings: Mapping[str, Any], place: str, *, before_sign_in: bool = False
) -> Connection:
    """Check settings and return the connection. Raises ConnectionSetupError that names `place`.

    With `before_sign_in`, the secret can be missing, because the user is about to sign in.
    """
    settings = dict(settings)
    for name, value in settings.items():
        if isinstance(value, str) and not value.isprintable():
            where = white_space_at(value) if value.strip().isprintable() else ""
            raise ConnectionSetupError(
                f"{place}: {name} has a line break or another invisible character{where and ' '}{where}"
            )
    base_url = host(service, settings.pop("region", None), settings.pop("base_url", None), place)
    if settings.get("state"):
        settings["state"] = check_state(settings["state"], f"{place}: state")
    off, audit = tuple(settings.pop("health_checks_off", ())), audit_files(settings.pop("audit", None))
    own = {name: settings.pop(name) for name in service.settings if settings.get(name)}
    connection = Connection(
        service=service.name,
        base_url=base_url,
        **{name: value for name, value in settings.items() if name not in service.settings},
        health_checks_off=off,
        audit=audit,
        settings=own,
        origin=place,
    )
    for secret in connection.secrets:
        remember(secret)
    for name, setting in service.settings.items():
        if setting.required and name not in own:
            raise ConnectionSetupError(f"{place}: set {name} ({setting.title})")
    if before_sign_in and not connection.client_id:
        raise ConnectionSetupError(f"{place}: client_id is missing")
    has_app = connection.client_id and (connection.client_secret or connection.refresh_token)
    if not (has_app or connection.access_token or before_sign_in):
        raise ConnectionSetupError(
            f"{place}: no credentials: set client_id with client_secret or refresh_token, or access_token"
        )
    if not connection.access_token.isascii():
        raise ConnectionSetupError(f"{place}: access_token has characters that a header cannot have")
    _check_limits(connection, place)
    try:
        read_zone(connection.timezone)
    except ValueError as error:
        raise ConnectionSetupError(f"{place}: timezone: {error}") from None
    with file_errors(connection.ca_file):
        has_ca_file = connection.ca_file in (None, "", SYSTEM) or Path(connection.ca_file).exists()
    if not has_ca_file:
        raise ConnectionSetupError(f"{place}: ca_file {connection.ca_file} does not exist")
    if urlsplit(base_url).scheme == "http" and not _is_near(connection.proxy):
        raise ConnectionSetupError(
            f"{place}: with an http:// base_url, secrets would be sent unencrypted to the proxy"
        )
    for check in off:
        if check not in service.health_check_names:
            known = ", ".join(service.health_check_names)
            raise ConnectionSetupError(
                f'{place}: health_checks_off: no health check "{check}"; known: {known}'
            )
    return connection


def _check_limits(connection: Connection, place: str) -> None:
    for name, unit in (("timeout_s", "seconds"), ("total_timeout_s", "seconds"), ("largest_body_mb", "MiB")):
        value = getattr(connection, name)
        if value is not None and not 0 < value < float("inf"):
            raise ConnectionSetupError(f"{place}: {name} must be a number of {unit} greater than 0")


def audit_files(path: str | Path | None) -> tuple[str, ...]:
    """Return the absolute path of an audit log as a tuple; an empty tuple for None."""
    return () if path is None else (os.path.abspath(os.path.expanduser(path)),)


def host(service: Service, region: str | None, base_url: str | None, place: str) -> str:
    """Return the checked base URL of a region or of a given host. Raises ConnectionSetupError."""
    if not service.regions and base_url is None:
        raise ConnectionSetupError(f"{place}: set base_url: {service.title} has no regions")
    if (region is None) == (base_url is None):
        raise ConnectionSetupError(f"{place}: set either region ({', '.join(service.regions)}) or base_url")
    if region is not None and region not in service.regions:
        known = ", ".join(service.regions)
        raise ConnectionSetupError(
            f'{place}: no region "{region}"{nearest(region, service.regions)}; known: {known}'
        )
    return checked_url(base_url or service.regions.get(region or "", ""), place)


def _is_near(proxy: str | None) -> bool:
    """Return whether a proxy is on this machine; also true without a proxy."""
    try:
        return not proxy or urlsplit(f"//{proxy.rpartition('//')[2]}").hostname in LOOPBACK_NAMES
    except ValueError:
        return False


def checked_url(url: str, place: str, name: str = "base_url") -> str:
    """Return a URL without a trailing slash, if it is safe to send secrets to it.

    URLs with https are safe, and http on this machine. Raises ConnectionSetupError, whose message begins with
    `place` and `name`.
    """
    try:
        parts = urlsplit(url)
        is_plain = parts.port != 0 and not (parts.query or parts.fragment or "@" in parts.netloc)
    except ValueError:
        is_plain = False
    if not is_plain or parts.scheme not in ("https", "http") or not parts.hostname:
        raise ConnectionSetupError(f"{place}: {name} must look like https://app.example.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_NAMES:
        raise ConnectionSetupError(f"{place}: {name} must use https://, because http:// is not encrypted")
    return url.rstrip("/")
