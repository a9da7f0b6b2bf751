"""The connections and accounts of a run whose rows belong to several tenants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from threading import Event, Thread

from connector.client.client import Client
from connector.client.factory import open_client
from connector.common import json_text
from connector.connections.connection import Connection, load_connection
from connector.errors import ConnectionSetupError, RunStoppedError
from connector.runs.account import Account
from connector.runs.job import Job
from connector.runs.policy import apply_policy
from connector.runs.prepared import Prepared
from connector.runs.tenant_sign_in import SignIns


def check_tenants(prepared: Prepared) -> dict[str, Connection]:
    """Return the connections by tenant, after at least one has signed in.

    Raises ConnectionSetupError if no one can sign in, or a connection is not valid.
    """
    connections = tenant_connections(prepared)
    state = prepared.job.state
    clients = {
        name: open_client(prepared.service, connection, 0, state=state)
        for name, connection in connections.items()
    }
    sign_ins = SignIns(len(clients))

    def try_one(name: str, client: Client) -> None:
        with suppress(RunStoppedError):  # `require_one` raises it
            sign_ins.try_one(name, client)

    for given in clients.items():
        Thread(target=try_one, args=given, daemon=True).start()
    sign_ins.require_one(Event())
    return connections


def tenant_connections(prepared: Prepared) -> dict[str, Connection]:
    """Return the connections that rows can select, keyed by the names used in rows.

    Raises ConnectionSetupError, also if two of them are the same account.
    """
    connections: dict[str, Connection] = {}
    names: dict[str, str] = {}
    for name, connection_name in sorted(prepared.job.allow_connections.items()):
        connection = load_connection(prepared.service, connection_name)
        connection = apply_policy(prepared.action, prepared.job, connection)
        same = names.setdefault(connection.account, name)
        if same != name:
            raise ConnectionSetupError(
                f"allow_connections: {same} and {name} are the same account: {connection.base_url}, "
                f"{connection.client_id or 'the same access_token'}. Remove one of them"
            )
        connections[name] = connection
    return connections


def account_of(prepared: Prepared) -> Account:
    """Return a job's account or accounts, for `run.fingerprint`."""
    if prepared.choose:
        return accounts_of(prepared.job, tenant_connections(prepared))
    connection = load_connection(prepared.service, prepared.job.connection)
    return Account(connection.account, connection.timezone)


def accounts_of(job: Job, connections: Mapping[str, Connection]) -> Account:
    """Return the accounts that rows can select."""
    key = json_text.dumps([job.connection, {name: its.account for name, its in connections.items()}])
    return Account(key, {name: its.timezone for name, its in connections.items() if its.timezone})


def secrets_of(connections: Mapping[str, Connection]) -> Iterator[str]:
    """Return the secrets of all connections."""
    return (secret for connection in connections.values() for secret in connection.secrets)
