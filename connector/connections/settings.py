"""Reads the settings of connections from YAML files and environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from connector.catalog.service import Service
from connector.common import strict_yaml
from connector.common.json_text import kind
from connector.connections.secret_store import FIELDS as SECRETS
from connector.errors import ConnectionSetupError, RunError, nearest

_FIELDS: dict[str, tuple[type, ...]] = {
    "region": (str,),
    "base_url": (str,),
    "client_id": (str,),
    "client_secret": (str,),
    "access_token": (str,),
    "refresh_token": (str,),
    "scope": (str,),
    "timeout_s": (int, float),
    "total_timeout_s": (int, float),
    "largest_body_mb": (int, float),
    "verify_tls": (bool,),
    "ca_file": (str,),
    "proxy": (str,),
    "health_checks_off": (list,),
    "allow_short_secrets": (bool,),
    "read_only": (bool,),
    "audit": (str,),
    "timezone": (str,),
    "state": (str,),
}
_TYPE_NAMES: dict[type, str] = {
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    list: "an array",
}
SETTINGS = tuple(name for name in _FIELDS if name not in SECRETS)
"""The keys that the file of a saved connection can have, besides `service`."""
SAFEGUARDS = ("read_only", "audit")
"""The settings that environment variables add to any connection."""
OF_ANY = (*SAFEGUARDS, "state")
"""The settings whose environment variables alone do not make a connection."""
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def is_file(named: str) -> bool:
    """Return whether `named` is a path, with a folder or a YAML extension, and not a connection's name."""
    return "/" in named or "\\" in named or named.lower().endswith((".yaml", ".yml"))


def absolute_file(named: str) -> str:
    """Return the absolute path of a connection's file; the name of a saved connection is unchanged."""
    return os.path.abspath(named) if is_file(named) else named


def read_settings(service: Service, path: Path) -> dict[str, Any]:
    """Return the settings in a connection's YAML file as written, without `service`.

    Raises ConnectionSetupError with file and line.
    """
    try:
        data = strict_yaml.load(path, may_quote=False)
    except RunError as error:
        raise ConnectionSetupError(str(error)) from None
    if not isinstance(data, dict):
        raise ConnectionSetupError(f"{path}: a mapping is expected, not {kind(data)}")
    settings: dict[str, Any] = {}
    for name, value in data.items():
        if name == "service" and value == service.name:
            continue
        place = place_of(path, name)
        if name == "service":
            raise ConnectionSetupError(f"{place}: this connection is for another service than {service.name}")
        check_setting(service, name, value, place)
        settings[name] = value
    return settings


def check_setting(service: Service, name: str, value: Any, place: str) -> None:
    """Raise ConnectionSetupError, naming `place`, for an unknown setting and a value of a wrong type."""
    fields = fields_of(service)
    if name not in fields:
        raise ConnectionSetupError(f'{place}: unknown setting "{name}"{nearest(str(name), fields)}')
    types = fields[name]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ConnectionSetupError(f"{place}: {name} must be {_expected(types)}, not {kind(value)}")


def fields_of(service: Service) -> dict[str, tuple[type, ...]]:
    """Return the Python types of each setting that a service's connections can have, by setting."""
    return {**_FIELDS, **dict.fromkeys(service.settings, (str,))}


def settings_of(service: Service) -> tuple[str, ...]:
    """Return the keys that the file of a service's saved connection can have, besides `service`."""
    return (*SETTINGS, *service.settings)


def _expected(types: tuple[type, ...]) -> str:
    """Return the JSON types that a setting can have, for a message."""
    return " or ".join(dict.fromkeys(_TYPE_NAMES[type_] for type_ in types))


def place_of(path: Path, name: str) -> str:
    """Return the file and line of a setting, for a message."""
    return f"{path}, line {strict_yaml.line_of(path, [name])}"


def expanded(
    settings: Mapping[str, Any], place: Callable[[str], str], environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Return settings with `${NAME}` replaced by environment variables.

    Raises ConnectionSetupError, with the `place` of the setting, if a variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise ConnectionSetupError(f"{place(key)}: the environment variable {match[1]} is not set")
        return environment[match[1]]

    found = dict(settings)
    for key, text in settings.items():
        if isinstance(text, str):
            found[key] = _VARIABLE.sub(value, text)
    return found


def settings_of_environment(
    service: Service, environment: Mapping[str, str], names: Iterable[str]
) -> dict[str, Any]:
    """Return the settings `names` that are set by environment variables (PREFIX_REGION)."""
    fields = fields_of(service)
    settings: dict[str, Any] = {}
    for name in names:
        variable = service.environment + name.upper()
        if text := environment.get(variable):
            settings[name] = _typed(text, fields[name], variable)
    return settings


def _typed(text: str, types: tuple[type, ...], variable: str) -> Any:
    if list in types:
        return text.split(",")
    if bool in types:
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise ConnectionSetupError(f'{variable}: "{text}" is neither true nor false')
        return text.lower() in ("true", "1", "yes")
    if float in types:
        try:
            return float(text)
        except ValueError:
            raise ConnectionSetupError(f'{variable}: "{text}" is not a number') from None
    return text
