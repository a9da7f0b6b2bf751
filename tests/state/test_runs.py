"""Runs that workers share: who holds a part writes, and who was taken for dead does not."""

from __future__ import annotations

import re
import shutil
import socket
import sys
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connector.errors import RowError, RunError, RunStoppedError
from connector.files.unfinished import SentRequests
from connector.http.messages import Response
from connector.runs.rerun_outputs import check_complete
from connector.state import envelope_blocks, parts, removed_runs, run_output, run_place, worker_file
from connector.state.database import Database, Row
from connector.state.databases import open_database
from connector.state.parts import Part, take_part
from connector.state.run_output import SharedOutput
from connector.state.run_table import Claim
from connector.state.runs import DatabaseRunStore
from connector.state.unfinished_run import discard_unfinished
from tests.fakes import wait_until
from tests.files.outputs import POST, RUN, envelope, refusal, rows, start, written
from tests.state.conftest import Open


def expire(url: str) -> None:
    """Let all leases be over, as if their workers had stopped 16 s ago."""
    open_database(url).run("UPDATE connector_part SET seen = seen - interval '16 s'")


def test_another_worker_continues_where_the_first_one_ended(worker: Open, tmp_path: Path) -> None:
    first = worker("a", "new")
    first.write(envelope(1).line() + envelope(2, last=False).line())
    first.journal.sent(2, 0, POST)
    first.journal.answered(2, 0, Response(201, {}, b'{"id": 7}'))
    first.journal.sent(3, 0, POST)
    first.journal.sent(4, 0, POST)
    first.journal.refused(4, 0)
    first.close()
    second = worker("b", "resume")
    assert (second.done_rows, rows(second.partial)) == (1, [1])
    answered = second.journal.recorded(2, 0, POST)
    assert answered is not None
    assert (answered.status, answered.body) == (201, b'{"id": 7}')
    with pytest.raises(RowError, match="interrupted before its response was received"):
        second.journal.recorded(3, 0, POST)
    assert second.journal.recorded(4, 0, POST) is None
    second.write(b"".join(envelope(row).line() for row in (2, 3, 4)))
    second.finish()
    assert rows(tmp_path / "b/out.jsonl") == [1, 2, 3, 4]
    assert not second.folder.exists()


def test_a_block_that_ends_within_a_row_is_cut_there(worker: Open) -> None:
    first = worker("a", "new")
    first.write(envelope(1).line())
    first.write(envelope(2).line() + envelope(3, last=False).line())
    first.write(envelope(3, last=False).line())
    first.close()
    second = worker("b", "resume")
    assert second.done_rows == 2
    second.write(envelope(3).line())
    second.close()
    assert rows(worker("c", "resume").partial) == [1, 2, 3]


def test_large_blocks_are_not_read_at_once(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(envelope_blocks, "_READ_BYTES", 10)
    lines = [b"a" * size for size in (4, 6, 11, 25, 3, 3, 3, 3)] + [b"b"] * 40
    output = worker("a", "new")
    for some in lines:
        output.write(some)
    database, run, read = open_database(postgres), Database.run, list[list[int]]()

    def spy(*arguments: Any, **settings: Any) -> list[Row]:
        found = run(*arguments, **settings)
        if "octet_length" in arguments[1]:
            read.append([len(some) for _, some in found])
        return found

    monkeypatch.setattr(Database, "run", spy)
    assert [some for _, some in envelope_blocks.blocks(database, output.part.run, 0)] == lines
    assert read == [[4, 6], [11], [25], [3, 3, 3], [3] + [1] * 7, *[[1] * 10] * 3, [1] * 3, []]
    monkeypatch.undo()


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
    statements, later_s = 0, 0.0
    flush, uptime = Part.flush, parts._uptime

    def count(part: Part) -> None:
        nonlocal statements
        statements += 1
        flush(part)

    monkeypatch.setattr(Part, "flush", count)
    monkeypatch.setattr(parts, "_uptime", lambda: uptime() + later_s)
    first = worker("a", "new")
    statements = 0
    first.journal.require_lease()
    assert statements == 0
    later_s += parts.LEASE_S / 2  # as after a pause of the machine; the thread has renewed nothing yet
    first.journal.require_lease()
    assert statements == 1
    parts.LEASES._renew(first.part.database, [first.part])
    first.journal.require_lease()
    assert statements == 1
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
        count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return int(database.run(count)[0][0])

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


def test_an_unfinished_run_with_its_state_in_files_is_not_replaced(worker: Open, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "a/out.jsonl"
    first = start(path)
    first.journal.sent(1, 0, POST)
    first.write(envelope(1).line())
    first.close()
    with pytest.raises(
        RunError, match=r"an unfinished run is in .*out\.jsonl\.run, and not in postgresql:.* --restart would"
    ):
        worker("a", "new")
    assert rows(first.partial) == [1]
    worker("a", "restart").close()
    assert "there is no unfinished run to resume" in refusal(path, "resume")


def test_an_unfinished_run_with_its_state_in_a_database_is_not_replaced(worker: Open, tmp_path: Path) -> None:
    first = worker("a", "new")
    first.write(envelope(1).line())
    first.close()
    path = tmp_path / "a/out.jsonl"
    assert "belongs to a run whose state is in a database: use --state" in refusal(path)
    start(path, "restart").close()
    assert "use --resume to continue it" in refusal(path)


OTHER = {**RUN, "templates": "of another job"}


def of_another_place(first: SharedOutput) -> str:
    return re.escape(f"is that of {first.path} on {socket.gethostname()}, perhaps of another job: ")


def test_an_unfinished_run_of_another_job_is_not_replaced(
    worker: Open, postgres: str, tmp_path: Path
) -> None:
    first, store = worker("a", "new"), DatabaseRunStore(postgres)
    first.write(envelope(1).line())
    first.close()
    (tmp_path / "b").mkdir()
    elsewhere = tmp_path / "b/out.jsonl"
    with pytest.raises(
        RunError, match=rf"an unfinished run is in .*, that of {first.path} on .*, or another name"
    ):
        worker("b", "new", OTHER)
    for refused in (
        lambda: worker("b", "restart", OTHER),
        lambda: store.discard(elsewhere),
        lambda: store.check_own(elsewhere),
        lambda: store.check_own(elsewhere, OTHER),
    ):
        with pytest.raises(RunError, match=of_another_place(first)):
            refused()
    with pytest.raises(RunError, match=r"differs from the unfinished one in its templates: .* It is that of"):
        worker("b", "resume", OTHER)
    store.check_own(elsewhere, {**RUN, "engine": "temporal"})
    assert worker("b", "resume").done_rows == 1


@pytest.mark.parametrize("how", ["the same file", "the same job", "moved since", "finished"])
def test_a_run_that_is_meant_is_replaced(worker: Open, how: str) -> None:
    first = worker("a", "new")
    first.write(envelope(1).line())
    if how == "finished":
        first.finish()
    first.close()
    if how == "moved since":
        worker("b", "resume").close()
    again = worker("a" if how == "the same file" else "b", "restart", RUN if how == "the same job" else OTHER)
    assert again.done_rows == 0


@pytest.mark.parametrize("is_same_disk", [False, True])
def test_a_file_of_another_machine_is_another_one_unless_it_is_on_the_same_disk(
    worker: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_same_disk: bool
) -> None:
    """Containers of different jobs can have the same paths, and those of one job different names."""
    first = worker("a", "new")
    first.close()
    if not is_same_disk:
        shutil.rmtree(first.folder)
    monkeypatch.setattr(run_place.socket, "gethostname", lambda: "another")
    if is_same_disk:
        worker("a", "restart", OTHER)
    else:
        with pytest.raises(RunError, match="is that of "):
            worker("a", "restart", OTHER)


def before_claim(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let something happen after the next run has checked its output, and before it begins."""
    claim = DatabaseRunStore.claim

    def claim_later(*arguments: Any) -> Claim:
        monkeypatch.setattr(DatabaseRunStore, "claim", claim)
        act()
        return claim(*arguments)

    monkeypatch.setattr(DatabaseRunStore, "claim", claim_later)


@pytest.mark.parametrize("is_finished", [False, True])
def test_a_run_that_began_after_the_check_is_not_replaced(
    worker: Open, monkeypatch: pytest.MonkeyPatch, is_finished: bool
) -> None:
    """Otherwise a process that was paused after its check would run all rows again."""

    def begin() -> None:
        first = worker("a", "new")
        first.journal.sent(1, 0, POST)
        first.write(envelope(1).line())
        if is_finished:
            first.finish()
        first.close()

    before_claim(monkeypatch, begin)
    with pytest.raises(RunError, match="another worker has started this run in the meantime"):
        worker("b", "new")
    assert worker("c", "resume").done_rows == 1


def test_a_run_that_was_removed_after_the_check_is_not_begun_by_resuming_it(
    worker: Open, monkeypatch: pytest.MonkeyPatch, postgres: str
) -> None:
    worker("a", "new").close()
    database = open_database(postgres)
    before_claim(monkeypatch, lambda: database.run("DELETE FROM connector_run"))
    with pytest.raises(RunError, match="there is no unfinished run to resume"):
        worker("b", "resume")
    assert database.run("SELECT count(*) FROM connector_run") == [(0,)]


def test_a_finished_run_is_written_again_elsewhere(worker: Open, tmp_path: Path, postgres: str) -> None:
    first = worker("a", "new")
    first.write(envelope(1).line())
    first.finish()
    again = worker("b", "resume")
    assert again.done_rows == 1
    again.finish()
    assert written(tmp_path / "a/out.jsonl") == written(tmp_path / "b/out.jsonl")
    with pytest.raises(RunError, match="already exists; use --restart"):
        worker("b", "new")
    assert worker("c", "new").done_rows == 0  # where it is not, another run can begin


def test_finished_runs_are_deleted_after_a_week(worker: Open, postgres: str) -> None:
    first = worker("a", "new")
    first.journal.sent(1, 0, POST)
    first.write(envelope(1).line())
    first.finish()
    database = open_database(postgres)
    database.run("UPDATE connector_run SET output = 'old', finished = finished - interval '8 days'")
    worker("b", "new")
    assert database.run("SELECT output FROM connector_run") == [("out.jsonl",)]
    assert database.run("SELECT count(*) FROM connector_part") == [(1,)]
    for table in ("journal", "envelopes"):
        assert database.run(f"SELECT count(*) FROM connector_{table}") == [(0,)]


def test_what_a_removed_run_has_left_is_deleted_little_by_little(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise no run could begin once there is one with more than can be deleted in time."""
    monkeypatch.setattr(removed_runs, "_AT_ONCE", {"journal": 2, "envelopes": 2, "rows": 2})
    monkeypatch.setattr(removed_runs, "LONGEST_S", 0)
    first = worker("a", "new")
    for row in range(1, 4):
        first.journal.sent(row, 0, POST)
        first.write(envelope(row).line())
    first.close()
    database = open_database(postgres)

    def left() -> list[int]:
        tables = ("journal", "envelopes", "removed_run")
        return [database.run(f"SELECT count(*) FROM connector_{table}")[0][0] for table in tables]

    found = []
    for name in "bcde":
        worker(name, "restart").close()
        found.append(left())
    assert [journal for journal, _, _ in found] == [1, 0, 0, 0]
    assert [envelopes for _, envelopes, _ in found] == [3, 3, 1, 0]
    monkeypatch.setattr(removed_runs, "LONGEST_S", 60)
    worker("f", "restart")
    assert left() == [0, 0, 0]


def test_another_run_is_not_resumed_and_what_differs_is_named(worker: Open) -> None:
    first = worker("a", "new")
    first.journal.sent(1, 0, POST)
    first.close()
    with pytest.raises(
        RunError, match=r"differs from the unfinished one in its input: .* 1 request that cannot"
    ):
        worker("a", "resume", {**RUN, "input": "other"})
    with pytest.raises(
        RunError, match=r"an unfinished run is in postgresql://127.* --restart would repeat 1 request"
    ):
        worker("b", "new")
    worker("b", "resume").finish()
    with pytest.raises(
        RunError, match=r"differs from the finished one in its input: .* --restart to overwrite it"
    ) as error:
        worker("a", "resume", {**RUN, "input": "other"})
    assert "--export" not in str(error.value)


def test_a_run_is_resumed_without_counting_its_requests(
    worker: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a large run would not fit into the memory, nor into the time limit of a statement."""
    worker("a", "new").close()
    monkeypatch.setattr(DatabaseRunStore, "sent_by_unfinished_run", None)
    worker("b", "resume")


def test_without_a_run_there_is_nothing_to_resume(worker: Open) -> None:
    with pytest.raises(RunError, match=r"there is no unfinished run to resume in postgresql://"):
        worker("a", "resume")


def test_what_is_kept_is_the_same_for_the_worker_that_takes_over(worker: Open) -> None:
    first = worker("a", "new")
    assert first.keep("since", lambda: {"since": 5}) == {"since": 5}
    first.close()
    assert worker("b", "resume").keep("since", lambda: {"since": 9}) == {"since": 5}


def test_revised_envelopes_replace_those_before(worker: Open) -> None:
    first = worker("a", "new")
    for row in (1, 2):
        first.write(envelope(row).line())
    first.revise([envelope(1, result="new").line(), envelope(2).line()])
    first.close()
    assert [line["result"] for line in written(worker("b", "resume").partial)] == ["new", None]


def test_the_names_of_an_output_on_this_machine_are_the_same_run(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connector.common.redaction import Redactor
    from connector.files.file_output import OutputSettings
    from connector.files.output_formats import OutputForm
    from connector.state.runs import DatabaseRunStore

    monkeypatch.chdir(tmp_path)
    store = DatabaseRunStore(postgres)
    store.open(OutputSettings(Path("out.jsonl"), OutputForm(), RUN, "new", Redactor())).close()
    for name in (Path("out.jsonl"), Path("./out.jsonl"), tmp_path / "out.jsonl"):
        assert store.is_interrupted(name)
    assert not store.is_interrupted(tmp_path / "other.jsonl")


@pytest.mark.parametrize("error", [ValueError("not JSON"), KeyboardInterrupt()])
def test_a_run_that_cannot_be_opened_is_released_at_once(
    worker: Open, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    first = worker("a", "new")
    first.write(envelope(1).line())
    first.close()
    with monkeypatch.context() as patched:

        def fail(*_: object) -> None:
            raise error

        patched.setattr(run_output.DatabaseJournal, "read", fail)
        with pytest.raises((RunError, KeyboardInterrupt), match=r"cannot be read: not JSON|^$"):
            worker("b", "resume")
    assert rows(worker("c", "resume").partial) == [1]


@pytest.mark.parametrize(("platform", "same"), [("darwin", True), ("linux", False)])
def test_an_accent_is_one_character_or_two_as_for_the_file_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, same: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", platform)
    one, two = (
        worker_file.key_of(Path(unicodedata.normalize(form, "Zürich.jsonl"))) for form in ("NFC", "NFD")
    )
    monkeypatch.undo()
    assert (one == two) == same


def test_a_run_that_is_discarded_leaves_nothing_in_the_database(worker: Open, postgres: str) -> None:
    first = worker("a", "new")
    first.journal.sent(1, 0, POST)
    first.write(envelope(1).line())
    store = DatabaseRunStore(postgres)
    with pytest.raises(RunError, match="another run is writing this file"):
        store.discard(first.path)
    first.close()
    store.discard(first.path)
    for table in ("run", "part", "journal", "envelopes", "removed_run"):
        assert open_database(postgres).run(f"SELECT * FROM connector_{table}") == []


def test_an_unfinished_run_is_removed_by_its_id_unless_it_is_resumed_or_finished(
    worker: Open, postgres: str
) -> None:
    first = worker("a", "new")
    first.journal.sent(1, 0, POST)
    first.write(envelope(1).line())
    first.close()
    database, other = open_database(postgres), first.path.parent.parent / "out.jsonl"
    seen: list[SentRequests] = []

    def refuse(sent: SentRequests) -> None:
        """Nobody can take over after this look."""
        seen.append(sent)
        for table in ("run", "part"):
            with psycopg.connect(postgres) as connection, pytest.raises(psycopg.errors.LockNotAvailable):
                connection.execute(f"SELECT 1 FROM connector_{table} FOR KEY SHARE NOWAIT".encode())
        raise RunError("kept")

    with pytest.raises(RunError, match="kept"):
        discard_unfinished(database, other, first.run_id, refuse)
    assert seen == [SentRequests({1: 1})]
    second = worker("b", "resume")
    with pytest.raises(RunError, match="another worker is running it"):
        discard_unfinished(database, other, first.run_id, seen.append)
    second.finish()
    second.close()
    with pytest.raises(RunError, match="was finished or removed by another process"):
        discard_unfinished(database, other, first.run_id, seen.append)
    assert (len(seen), len(database.run("SELECT 1 FROM connector_run"))) == (1, 1)


def test_an_output_that_is_on_another_machine_is_named_as_such(worker: Open, postgres: str) -> None:
    first = worker("a", "new")
    first.write(envelope(1).line())
    first.finish()
    check_complete(first.path, postgres)
    first.path.unlink()
    with pytest.raises(RunError, match="is on another machine, or was deleted; execute the command"):
        check_complete(first.path, postgres)
    with pytest.raises(RunError, match="no such output file"):
        check_complete(first.path.with_name("other.jsonl"), postgres)
