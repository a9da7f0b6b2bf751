"""The restrictions of a run (read-only, audit log), from its job and its connection."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from connector.catalog.action import Action
from connector.connections.connection import Connection, audit_files
from connector.errors import ReadOnlyError, RunError, file_errors
from connector.runs.job import Job


def check_policy(action: Action, job: Job, connection: Connection | None = None) -> None:
    """Raise ReadOnlyError if the action changes something, but the job or the connection is read-only."""
    if action.effect == "read" or not (job.read_only or (connection and connection.read_only)):
        return
    reason = "the run is read-only"
    if connection and connection.read_only:
        reason = f"the connection is read-only ({connection.origin})"
    raise ReadOnlyError(f'{action.name} has the effect "{action.effect}", but {reason}; nothing was sent')


def apply_policy(action: Action, job: Job, connection: Connection) -> Connection:
    """Return the connection with the read-only and audit settings of the job added.

    Raises ReadOnlyError for an action that they do not allow. The connection's client also checks each
    request, because a handler can send requests that its action does not declare.
    """
    check_policy(action, job, connection)
    audit = tuple(dict.fromkeys((*connection.audit, *audit_files(job.audit))))
    return replace(connection, read_only=connection.read_only or job.read_only, audit=audit)


def check_files_folder(action: Action, folder: Path | None) -> None:
    """Raise RunError if files cannot be written to the folder for downloads."""
    with file_errors(folder):
        if folder is None or not folder.is_dir():
            raise RunError(
                f"{action.name} returns files: use --files FOLDER with an existing folder for them"
            )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RunError(f"{folder}: no permission to write files in this folder")
