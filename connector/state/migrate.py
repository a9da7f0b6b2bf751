"""Creates the tables of the shared state, and upgrades them to this version of the connector.

Each step is a file of `migrations`, which is executed once, in the order of its number.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from connector.errors import RunError
from connector.state.database import Database

_LOCK = 0x636F6E6E  # any number that other programs are unlikely to use
_FOLDER = Path(__file__).parent / "migrations"


@cache
def steps() -> dict[int, str]:
    """Return the statements of each step, by its number, in order."""
    files = sorted(_FOLDER.glob("*.sql"))
    return {int(file.name.partition("_")[0]): file.read_text(encoding="utf-8") for file in files}


def migrate(database: Database) -> None:
    """Execute the steps that a database lacks, each in a transaction. Raises RunError and RunStoppedError.

    Processes that start at the same time wait for each other.
    """
    applied = _applied(database)
    if applied == steps().keys():
        return
    _check_known(database, applied)
    for number, statements in steps().items():
        with database.transaction() as transaction:
            transaction.run("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            transaction.run(
                "CREATE TABLE IF NOT EXISTS connector_migration"
                " (number integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())"
            )
            if transaction.run("SELECT 1 FROM connector_migration WHERE number = %s", [number]):
                continue
            for statement in statements.split(";\n"):
                if statement.strip():
                    transaction.run(statement)
            transaction.run("INSERT INTO connector_migration (number) VALUES (%s)", [number])


def _applied(database: Database) -> set[int]:
    if database.run("SELECT to_regclass('connector_migration')") == [(None,)]:
        return set()
    return {number for (number,) in database.run("SELECT number FROM connector_migration")}


def _check_known(database: Database, applied: set[int]) -> None:
    if unknown := applied - steps().keys():
        raise RunError(
            f"{database.shown}: the tables are those of a newer version of the connector "
            f"(step {max(unknown)}); upgrade the connector on this machine"
        )
