"""The records of runs in a database, as JSON texts by their ids."""

from __future__ import annotations

from collections.abc import Iterator

from connector.state.database import Database
from connector.state.databases import nothing_sent


class DatabaseRecords:
    """Records of runs of all machines.

    If the database cannot be used, `write` and `keep_latest` raise RunStoppedError, the others RunError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.shown = database.shown

    def write(self, id: str, record: str) -> None:
        """Replace a record."""
        self._database.run(
            "INSERT INTO connector_record (id, record) VALUES (%s, %s)"
            " ON CONFLICT (id) DO UPDATE SET record = excluded.record, changed = now()",
            [id, record],
        )

    def read(self, id: str) -> str | None:
        """Return the record with an id, or None."""
        with nothing_sent():
            rows = self._database.run("SELECT record FROM connector_record WHERE id = %s", [id])
        return str(rows[0][0]) if rows else None

    def all(self) -> Iterator[tuple[str, str]]:
        """Yield the ids and records."""
        with nothing_sent():
            rows = self._database.run("SELECT id, record FROM connector_record")
        yield from rows

    def delete(self, id: str) -> None:
        """Delete the record with an id, if there is one."""
        with nothing_sent():
            self._database.run("DELETE FROM connector_record WHERE id = %s", [id])

    def keep_latest(self, count: int) -> None:
        """Delete all records but the latest ones."""
        self._database.run(
            "DELETE FROM connector_record WHERE id IN"
            " (SELECT id FROM connector_record ORDER BY changed DESC OFFSET %s)",
            [count],
        )
