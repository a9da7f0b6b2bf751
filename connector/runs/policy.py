"""The doors of a run: what a read-only job or connection does not let through, and who notes what passes."""

from __future__ import annotations

from dataclasses import replace

from connector.catalog.action import Action
from connector.connections.connection import Connection, audit_files
from connector.errors import RunError
from connector.runs.job import Job


def check_policy(action: Action, job: Job, connection: Connection | None = None) -> None:
    """Raise RunError for an action that is more than a read, where the job or the connection is read-only."""
    if action.effect == "read" or not (job.read_only or (connection and connection.read_only)):
        return
    who = "the run is read-only"
    if connection and connection.read_only:
        who = f"the connection is read-only ({connection.origin})"
    raise RunError(f'{action.name} has the effect "{action.effect}", but {who}; nothing was sent')


def apply_policy(action: Action, job: Job, connection: Connection) -> Connection:
    """Return the connection with the job's policy (read-only, audit) added, for this action. Raises RunError.

    Its client then holds every single request against them, as a handler may send what its action does not
    say.
    """
    check_policy(action, job, connection)
    audit = tuple(dict.fromkeys((*connection.audit, *audit_files(job.audit))))
    return replace(connection, read_only=connection.read_only or job.read_only, audit=audit)
