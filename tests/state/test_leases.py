"""Leases of runs: a worker that was replaced records nothing more."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from connector.errors import RunError, RunStoppedError
from connector.http.messages import Response
from connector.state import parts
from connector.state.databases import open_database
from connector.state.parts import LEASES, take_part
from connector.state.runs import DatabaseRunStore
from tests.fakes import wait_until
from tests.files.outputs import POST, envelope
from tests.state.conftest import WAITS_FOR_LOCK, Open, expire


def test_a_run_that_is_running_is_left_alone(worker: Open, postgres: str) -> None:
    first = worker("a", "new")
    with pytest.raises(
        RunError, match=r"another worker is running it, or ended less than 15 s ago; try again in 1\d s"
    ):
        worker("b", "resume")
    with pytest.raises(RunError, match="another worker is running it") as caught:
        worker("b", "restart")
    assert caught.value.transient
    first.write(envelope(1).line())


def test_a_run_can_be_resumed_while_workers_run_its_parts(worker: Open, postgres: str) -> None:
    """On Temporal, workers continue when its starter is killed, and another starter follows the run."""
    first, store = worker("a", "new"), DatabaseRunStore(postgres)
    output = first.path.parent.parent / "b" / first.path.name
    with pytest.raises(RunError, match="another worker is running it"):
        store.check_not_running(output, resumes=True)
    part, _ = take_part(store.database, first.part.run, 1, "part 1", "worker")
    first.part.release()
    store.check_not_running(output, resumes=True)
    with pytest.raises(RunError, match="another worker is running it"):
        store.check_not_running(output)
    part.release()
    store.check_not_running(output)


def test_a_renewal_that_comes_after_the_release_of_a_part_does_not_take_it_again(
    worker: Open, postgres: str
) -> None:
    first = worker("a", "new")
    first.part.release()
    with pytest.raises(RunStoppedError):
        LEASES.renew(first.part)
    assert worker("b", "resume").done_rows == 0


def test_an_ended_lease_alone_takes_nothing_away(worker: Open, postgres: str) -> None:
    first = worker("a", "new")
    expire(postgres)
    first.journal.sent(1, 0, POST)
    first.journal.require_held()
    first.write(envelope(1).line())
    first.close()
    assert worker("b", "resume").done_rows == 1


@pytest.mark.parametrize("how", ["resume", "restart"])
def test_a_worker_that_was_replaced_records_nothing_more(worker: Open, postgres: str, how: str) -> None:
    first = worker("a", "new")
    expire(postgres)
    second = worker("b", how)
    records: list[Callable[[], object]] = [
        lambda: first.journal.sent(1, 0, POST),
        first.journal.require_held,
        lambda: first.write(envelope(1).line()),
        lambda: first.revise([envelope(1).line()]),
        first.finish,
    ]
    for record in records:
        with pytest.raises(RunStoppedError, match="another worker has taken over this run"):
            record()
    first.journal.answered(1, 0, Response(200, {}, b""))  # says nothing, and records nothing
    first.close()
    database = open_database(postgres)
    assert database.run("SELECT count(*) FROM connector_journal") == [(0,)]
    assert database.run("SELECT count(*) FROM connector_envelopes") == [(0,)]
    second.write(envelope(1).line())
    second.finish()


def test_a_fresh_lease_is_known_without_the_database_until_it_is_old(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later_s, uptime = 0.0, parts._uptime
    monkeypatch.setattr(parts, "RENEW_S", 600.0)
    monkeypatch.setattr(parts, "_uptime", lambda: uptime() + later_s)
    first = worker("a", "new")
    with monkeypatch.context() as without_database:
        without_database.setattr(first.part.database, "run", None)
        assert not first.journal.require_lease()
    later_s += parts.LEASE_S / 2  # as after a pause of the machine
    expire(postgres)
    assert first.journal.require_lease()
    assert not first.journal.require_lease()
    with pytest.raises(RunError, match="another worker is running it"):
        worker("b", "resume")  # The lease was renewed, so that nobody can take over before a request is sent.
    later_s += parts.LEASE_S / 2
    expire(postgres)
    second = worker("b", "resume")
    parts.LEASES._renew(first.part.database, [first.part, second.part])
    with pytest.raises(RunStoppedError, match="another worker has taken over this run"):
        first.journal.require_lease()
    second.journal.require_lease()


def test_a_worker_whose_takeover_the_database_has_lost_records_nothing_more(
    worker: Open, postgres: str
) -> None:
    """As when a replica that lacks the latest transactions replaces the database."""
    first, database = worker("a", "new"), open_database(postgres)
    expire(postgres)
    lost = worker("b", "resume")
    database.run("UPDATE connector_part SET fence = %s, seen = NULL", [first.part.fence])
    third = worker("c", "resume")
    with pytest.raises(RunStoppedError, match="another worker has taken over this run"):
        lost.write(envelope(1).line())
    third.write(envelope(1).line())


def test_a_takeover_waits_for_an_intent_that_is_being_recorded(worker: Open, postgres: str) -> None:
    """Otherwise it would not see the intent, which is confirmed afterwards, and send the request again."""
    first, database = worker("a", "new"), open_database(postgres)
    expire(postgres)

    def waiting() -> int:
        return int(database.run(f"SELECT count(*) FROM pg_stat_activity WHERE {WAITS_FOR_LOCK}")[0][0])

    with ThreadPoolExecutor(2) as pool:
        with suppress(ZeroDivisionError), database.transaction() as transaction:
            transaction.run(
                "INSERT INTO connector_journal (run, part, row_number, step, request, digest)"
                " VALUES (%s, 0, 1, 0, '', '')",
                [first.part.run],
            )
            intent = pool.submit(first.journal.sent, 1, 0, POST)  # waits: the row is not free yet
            wait_until(lambda: waiting() == 1)
            takeover = pool.submit(worker, "b", "resume")
            wait_until(lambda: waiting() == 2 or takeover.done())
            raise ZeroDivisionError  # rolls back, so that the intent is recorded
        intent.result()
        assert takeover.result().journal.has_sent(1)


def test_a_process_on_the_same_disk_knows_that_the_earlier_one_ended(worker: Open, postgres: str) -> None:
    first = worker("a", "new")
    first.write(envelope(1).line())
    first._release()  # as the system does it when a process is killed
    assert worker("a", "resume").done_rows == 1
