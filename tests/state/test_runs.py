"""Runs whose state is in a database: they are resumed elsewhere, and not replaced by mistake."""

from __future__ import annotations

import re
import shutil
import socket
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.common.redaction import Redactor
from connector.errors import RowError, RunError
from connector.files.file_output import OutputSettings
from connector.files.output_formats import OutputForm
from connector.http.messages import Response
from connector.runs.rerun_outputs import check_complete
from connector.state import envelope_blocks, run_output, run_place, run_table, worker_file
from connector.state.database import Database, Row
from connector.state.databases import open_database
from connector.state.run_output import DatabaseOutput
from connector.state.run_place import RunPlace
from connector.state.run_table import Claim
from connector.state.runs import DatabaseRunStore
from connector.state.setting import VARIABLE
from tests.files.outputs import POST, RUN, envelope, refusal, rows, start, written
from tests.postgres import PASSWORD
from tests.state.conftest import Open, another_encoding


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
            read.append([len(some) for _, some, _ in found])
        return found

    monkeypatch.setattr(Database, "run", spy)
    assert [some for _, some in envelope_blocks.blocks(database, output.part.run, 0)] == lines
    assert read == [[4, 6], [11], [25], [3, 3, 3], [3] + [1] * 7, *[[1] * 10] * 3, [1] * 3]
    monkeypatch.undo()


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


def of_another_place(first: DatabaseOutput) -> str:
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
        RunError, match=rf"an unfinished run is in .* \(started for {first.path} on .*, or another output"
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


@pytest.mark.parametrize("is_in_environment", [False, True])
def test_the_command_that_removes_the_run_of_another_job_has_its_database(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch, is_in_environment: bool
) -> None:
    first = worker("a", "new")
    first.close()
    if is_in_environment:
        monkeypatch.setenv(VARIABLE, postgres)
    state = "" if is_in_environment else f" --state {postgres.replace(f':{PASSWORD}', '')}"
    command = re.escape(f"; `rerun {first.path} --discard{state}` removes it")
    with pytest.raises(RunError, match=command):
        worker("b", "restart", OTHER)


@pytest.mark.parametrize(
    "how", ["the same file", "the same job", "moved since", "finished", "of an earlier version"]
)
def test_a_run_that_is_meant_is_replaced(worker: Open, postgres: str, how: str) -> None:
    first = worker("a", "new")
    first.write(envelope(1).line())
    if how == "finished":
        first.finish()
    first.close()
    if how == "moved since":
        worker("b", "resume").close()
    if how == "of an earlier version":
        open_database(postgres).run("UPDATE connector_run SET machine = NULL, path = NULL RETURNING id")
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


def test_a_path_can_have_characters_that_the_database_lacks(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_table, "key_of", lambda path: path.name)
    monkeypatch.setattr(run_place.socket, "gethostname", lambda: "číslo")
    path = tmp_path / "Müller, 5 €" / "out.jsonl"
    with another_encoding(postgres, "LATIN1") as url:
        store = DatabaseRunStore(url)
        store.claim(path, RUN, "new", "a worker", 0).part.release()
        found = store.find(path)
    assert found is not None
    assert found.is_at(path)
    assert not found.is_at(tmp_path / "Müller, 5 $" / "out.jsonl")
    assert str(found.place) == f"{path} on číslo"


def test_a_place_is_shown_as_text() -> None:
    assert str(RunPlace("a", r"/\\ \x41 \udcff")) == r"/\ A \udcff on a"


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
