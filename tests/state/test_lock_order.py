"""The parts of a run are locked in one order, so that there are no deadlocks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from connector.state import parts
from connector.state.database import Database
from connector.state.databases import open_database
from connector.state.group_statement import Write, execute
from connector.state.parts import Part, require_free
from tests.fakes import wait_until
from tests.state.conftest import WAITS_FOR_LOCK


def two_parts(database: Database) -> list[Part]:
    """Return two held parts of a run, the later one first."""
    ((run,),) = database.run(
        "INSERT INTO connector_run (output, fingerprint) VALUES ('out', '{}') RETURNING id"
    )
    return [parts.take_part(database, run, number, "out", "me")[0] for number in (2, 1)]


def envelopes_of(database: Database, held: list[Part]) -> None:
    execute(database, [Write("envelopes", part.key, (b"{}\n",)) for part in held])


def leases_of(database: Database, held: list[Part]) -> None:
    parts._renew(database, [part.key for part in held])


@pytest.mark.parametrize("write", [envelopes_of, leases_of])
def test_a_write_to_several_parts_does_not_hold_one_while_it_waits_for_an_earlier_one(
    postgres: str, write: Callable[[Database, list[Part]], None]
) -> None:
    database = open_database(postgres)
    held = two_parts(database)
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as transaction:
            require_free(transaction, "out", "me", held[0].run, 1)
            written = pool.submit(write, database, held)
            wait_until(lambda: bool(database.run(f"SELECT 1 FROM pg_stat_activity WHERE {WAITS_FOR_LOCK}")))
            require_free(transaction, "out", "me", held[0].run)  # a deadlock, if the write has locked part 2
        written.result()
