"""A database that is lost for a while, without a separate server, which takes long to start."""

from __future__ import annotations

import psycopg
import pytest

from connector.state import database


class Outage:
    """Lets a database refuse connections, and ends those that are open."""

    def __init__(self, url: str) -> None:
        base, _, self._name = url.rpartition("/")
        self._server = f"{base}/postgres"
        self.url = url

    def begin(self) -> None:
        self._run(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        self._run(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
            f" WHERE datname = '{self._name}' AND backend_type = 'client backend'"
        )

    def end(self) -> None:
        self._run(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture
def outage(postgres: str, monkeypatch: pytest.MonkeyPatch) -> Outage:
    # On a busy machine, a refusal can take long, which is not the same as no response.
    monkeypatch.setattr(database, "_SLOW_S", float("inf"))
    return Outage(postgres)
