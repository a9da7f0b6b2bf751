"""Health checks of a connection: sign-in, permissions and scopes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connector.catalog.catalog import Catalog
from connector.catalog.service import HealthCheck, Service
from connector.client.client import Client
from connector.errors import RowError
from connector.invocation.bindings import bind
from connector.invocation.invoke import Invoker

_OFF = "turned off for this connection"


@dataclass(frozen=True)
class Finding:
    """The result of one health check. `ok` is None if it was skipped; `message` has the reason or advice."""

    title: str
    ok: bool | None
    message: str


def examine(service: Service, catalog: Catalog, client: Client) -> Iterator[Finding]:
    """Yield the results of the sign-in, the service's health checks, and a check of the token's scopes.

    Checks that the connection turns off are skipped.
    """
    try:
        scopes = client.sign_in()
    except RowError as error:
        yield Finding("Sign-in", False, str(error))
        for check in service.health_checks:
            yield Finding(check.title, None, "skipped, because the sign-in failed")
        return
    yield Finding("Sign-in", True, f"signed in at {client.connection.base_url}")
    off = client.connection.health_checks_off
    for check in service.health_checks:
        if check.title.lower() in off:
            yield Finding(check.title, None, _OFF)
        else:
            yield _try(check, service, catalog, client)
    yield Finding("Scopes", None, _OFF) if "scopes" in off else _scopes(service, scopes)


def _try(check: HealthCheck, service: Service, catalog: Catalog, client: Client) -> Finding:
    action = catalog.action(service.prefix + check.action)
    invoker = Invoker(action, service, bind(action, dict(check.inputs)), client, uploads=Path())
    (envelope,) = invoker.envelopes(1, {})
    if envelope.has_error:
        needed = f". It requires the scope {check.scope}" if check.scope else ""
        return Finding(check.title, False, f"{envelope.error}{needed}")
    size = len(envelope.result) if isinstance(envelope.result, list) else 1
    return Finding(check.title, True, f"listed (sample size: {size})")


def _scopes(service: Service, scopes: tuple[str, ...]) -> Finding:
    if not scopes:
        return Finding("Scopes", None, "the scopes of the token are not known")
    lacking = [
        f"{purpose} need {scope}, which it lacks"
        for scope, purpose in service.scopes.items()
        if scope not in scopes
    ]
    said = "; ".join([f"the token carries {' '.join(scopes)}", *lacking])
    return Finding("Scopes", not lacking, said)
