"""The pages of runs in progress, of ended runs, and of killed runs, however they were started."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from connector.catalog.catalog import Catalog
from connector.common.redaction import Redactor
from connector.common.user_folders import records_folder
from connector.files.file_output import OutputSettings
from connector.files.output_formats import OutputForm
from connector.files.work_folder import partial_output_of
from connector.runs.job import Job
from connector.runs.output_names import absolute, id_of
from connector.runs.record import Record
from connector.runs.records import save
from connector.runs.run_state import state_of
from connector.sandbox.ninjaone.server import Sandbox
from connector.state.setting import VARIABLE
from connector.web.run_pages import FAILED_SHOWN, LISTED
from connector.web.runs.envelopes import Envelopes
from connector.web.runs.plot import make_plot, time_text
from tests.fakes import write_lines
from tests.interruption import hold_from, release
from tests.loopback import Server
from tests.postgres import PASSWORD
from tests.web.guest import Guest, open_site, until


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


@pytest.fixture
def start(connection_file: Path, tmp_path: Path) -> Iterator[Any]:
    """Starts `ninjaone run update_device` over so many rows by the command line."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(rows: int, *options: str) -> subprocess.Popen[bytes]:
        write_lines(tmp_path / "rows.jsonl", [{"n": n} for n in range(1, rows + 1)])
        command = ["update_device", "-i", "rows.jsonl", "-o", "out.jsonl", "-c", str(connection_file)]
        templates = ["-t", "device_id={{ n }}", "-t", "display_name=PC {{ n }}"]
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "connector", "run", *command, *templates, *options],
                cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.wait()


@pytest.fixture
def id(tmp_path: Path) -> str:
    """The id of the run to this output."""
    return id_of(absolute(tmp_path / "out.jsonl"))


@pytest.fixture
def database(postgres: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database without its password, which the environment has."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return postgres.replace(f":{PASSWORD}", "")


def record(output: Path, **more: Any) -> Record:
    return Record(absolute(output), Job("update_device", input="x", output=str(output)), {}, 1000.0, **more)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


# A run that the command line has started


def test_a_run_of_the_command_line_is_watched_while_it_goes_on(
    guest: Guest, start: Any, id: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    def watched() -> str:
        page = guest.get(f"/runs/{id}").text
        return page if "of 40" in page and "Latest envelopes" in page else ""

    hold_from(sandbox, 10)
    process = start(40, "--delay-ms", "100")  # some seconds, for which there is a plot
    page = until(watched)
    assert 'data-state="live"' in page
    assert "<progress" in page
    so_far = guest.get(f"/runs/{id}/envelopes").text.splitlines()
    assert 0 < len(so_far) < 40
    assert "running" in text_of(guest.get("/runs").text)
    release(sandbox)
    assert process.wait() == 1
    page = guest.get(f"/runs/{id}").text
    assert 'data-state="still"' in page
    assert "finished" in text_of(page)
    assert "Rows 40 Succeeded 25 Failed 15" in text_of(page)
    assert 'class="line" d="M46.0 ' in page
    assert guest.get(f"/runs/{id}/envelopes").data == (tmp_path / "out.jsonl").read_bytes()


def test_a_database_that_cannot_be_used_is_tried_once_for_a_page(
    guest: Guest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = {"ended": 1001.0, "summary": {"stopped": True}}
    with Server((lambda talk: None,)) as server:
        state = f"postgresql://127.0.0.1:{server.port}/x?sslmode=disable&gssencmode=disable"
        for name, more in {"a": {}, "b": {}, "c": stopped, "d": stopped}.items():
            job = Job("update_device", input="rows.csv", output=str(tmp_path / name), state=state)
            save(Record(absolute(job.output), job, {}, 1000.0, **more))
        monkeypatch.setenv(VARIABLE, state)
        assert "the database cannot be used" in guest.get("/runs").text
        assert server.connections == 1
        guest.get("/runs")
        assert server.connections == 2  # Another page tries it again.


@pytest.mark.parametrize("state", ["files", pytest.param("database", marks=pytest.mark.slow)])
def test_a_run_that_was_killed_says_so_and_is_resumed(
    guest: Guest, start: Any, id: str, tmp_path: Path, sandbox: Sandbox, request: Any, state: str
) -> None:
    options = ["--state", request.getfixturevalue("database")] if state == "database" else []
    hold_from(sandbox, 10)
    process = start(30, "--delay-ms", "10", *options)
    until(lambda: "of 30" in guest.get(f"/runs/{id}").text)
    process.send_signal(signal.SIGKILL)
    process.wait()
    release(sandbox)
    page = guest.wait(id)
    assert "interrupted, can be resumed" in text_of(page)
    response = guest.post(f"/runs/{id}/resume", {"once": "1"}).get_json()
    left = re.search(r"This runs (\d+) rows on 127.0.0.1", response["ask"])
    assert left is not None
    assert guest.post(f"/runs/{id}/resume", {"once": "1", "confirmed": left[1]}).get_json() == {
        "location": f"/runs/{id}"
    }
    assert "finished" in text_of(guest.wait(id))
    written = [json.loads(line)["row"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert written == list(range(1, 31))


def test_a_step_of_a_job_is_not_resumed_by_itself(guest: Guest, tmp_path: Path) -> None:
    job = Job("update_device", input="x", output=str(tmp_path / "out.jsonl"), step="rename")
    partial = partial_output_of(tmp_path / "out.jsonl")
    partial.parent.mkdir()
    (partial.parent / "journal.jsonl").write_text("{}\n")
    save(Record(absolute(tmp_path / "out.jsonl"), job, {}, 1000.0, summary={"rows": 1, "stopped": True}))
    page = guest.get(f"/runs/{id_of(absolute(tmp_path / 'out.jsonl'))}").text
    assert 'id="resume"' not in page
    assert "This run is the step &#34;rename&#34; of a job." in page
    assert "repeat the command that started it with --resume" in page


# States


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"ended": 1010.0, "summary": {}}, "finished"),
        ({"ended": 1010.0, "summary": {"stopped": True}}, "stopped"),
        ({"seen": 1019.0}, "running"),
        ({"seen": 1000.0}, "killed"),
        ({}, "killed"),
        ({"seen": 2000.0}, "killed"),
    ],
)
def test_how_a_run_is_by_its_record(tmp_path: Path, more: dict[str, Any], state: str) -> None:
    assert state_of(record(tmp_path / "out.jsonl", **more), 1020.0) == state


def test_a_run_that_is_held_up_is_not_taken_for_a_killed_one(tmp_path: Path) -> None:
    partial = partial_output_of(tmp_path / "out.jsonl")
    partial.parent.mkdir()
    with FileLock(partial.parent / "lock"):
        assert state_of(record(tmp_path / "out.jsonl", seen=1000.0), 1020.0) == "running"
    assert state_of(record(tmp_path / "out.jsonl", seen=1000.0), 1020.0) == "killed"


def test_the_database_of_a_run_says_whether_it_is_held_up(
    database: str, tmp_path: Path, guest: Guest, id: str
) -> None:
    from connector.state.databases import open_database
    from connector.state.runs import DatabaseRunStore

    DatabaseRunStore(database).open(
        OutputSettings(tmp_path / "out.jsonl", OutputForm(), {}, "new", Redactor())
    ).close()
    here = record(tmp_path / "out.jsonl", seen=1000.0)
    there = replace(here, job=replace(here.job, state=database))
    save(there)
    assert 'id="resume"' in guest.get(f"/runs/{id}").text
    open_database(database).run("UPDATE connector_part SET worker = 'another', seen = clock_timestamp()")
    assert [state_of(here, 1020.0), state_of(there, 1020.0)] == ["killed", "running"]


def test_the_lock_of_a_run_that_goes_on_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def touched(*_: object) -> None:
        raise AssertionError("the lock was asked for")

    monkeypatch.setattr("connector.runs.run_state.store_of", touched)
    assert state_of(record(tmp_path / "out.jsonl", seen=1019.0), 1020.0) == "running"
    assert state_of(record(tmp_path / "out.jsonl", ended=1019.0, summary={}), 1020.0) == "finished"


# Envelopes


def envelope(row: int, code: str | None = None, **more: Any) -> dict[str, Any]:
    error = f"row {row} failed" if code else None
    meta = {"code": code, "status": 404 if code else 200}
    return {"has_error": bool(code), "error": error, "result": {"n": row}, "row": row, "meta": meta, **more}


def lines(path: Path, envelopes: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(json.dumps(e, separators=(",", ":")).encode() + b"\n" for e in envelopes))
    return path


def test_failed_rows_come_by_pages_and_by_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.web.runs.envelopes._BLOCK", 250)  # less than two lines
    codes = ["not_found", "conflict", None]
    path = lines(tmp_path / "out.jsonl", [envelope(n, codes[n % 3]) for n in range(1, 101)])
    envelopes = Envelopes(path, "jsonl", Redactor())
    first = envelopes.failed(10)
    assert [e.row for e in first.rows] == [1, 3, 4, 6, 7, 9, 10, 12, 13, 15]
    assert first.next_after == 15
    assert envelopes.failed(10, after=15).rows[0].row == 16
    found = envelopes.failed(50, code="conflict")
    assert ([e.row for e in found.rows], found.next_after) == (list(range(1, 101, 3)), None)


@pytest.mark.parametrize("name", ["out.json", "out.csv"])
def test_failed_rows_are_found_in_every_format(tmp_path: Path, name: str) -> None:
    listed = [envelope(1), envelope(2, "conflict")]
    csv = "row,has_error,error,n\n1,false,,1\n2,true,row 2 failed,\n"
    (tmp_path / name).write_text(json.dumps(listed) if name == "out.json" else csv)
    page = Envelopes(tmp_path / name, "json" if name == "out.json" else "csv", Redactor()).failed(10)
    assert [(e.row, e.text) for e in page.rows] == [(2, "row 2 failed")]


def test_the_last_envelopes_are_read_from_the_end_without_a_line_that_is_being_written(
    tmp_path: Path,
) -> None:
    path = lines(tmp_path / "out.jsonl", [envelope(n, padding="x" * 1000) for n in range(1, 1001)])
    with path.open("ab") as file:
        file.write(b'{"has_error":fal')
    assert [e.row for e in Envelopes(path, "jsonl", Redactor()).last(3)] == [1000, 999, 998]
    lines(path, [envelope(1), envelope(2, padding="x" * 300_000)])
    assert [e.row for e in Envelopes(path, "jsonl", Redactor()).last(3)] == [2, 1]
    path.write_bytes(b"")
    assert Envelopes(path, "jsonl", Redactor()).last(3) == []


def test_what_the_service_holds_secret_is_shown_by_no_page(guest: Guest, tmp_path: Path) -> None:
    """Also where the run itself was told to reveal it."""
    secret = envelope(1, result={"password": "hunter2-hunter2", "name": "<b>switch</b>"})
    path = lines(tmp_path / "out.jsonl", [secret])
    save(record(path, ended=1010.0, summary={"rows": 1, "succeeded": 1}))
    page = guest.get(f"/runs/{id_of(absolute(path))}").text
    assert "hunter2" not in page
    assert "•••" in page
    assert "&lt;b&gt;switch&lt;/b&gt;" in page


def test_an_output_that_is_gone_is_no_fault(guest: Guest, tmp_path: Path) -> None:
    save(record(tmp_path / "out.jsonl", ended=1010.0, summary={"rows": 3, "failed": 3, "repeatable": 3}))
    id = id_of(absolute(tmp_path / "out.jsonl"))
    page = guest.get(f"/runs/{id}").text
    assert "The output file no longer exists." in page
    assert 'id="rerun"' not in page
    assert guest.get(f"/runs/{id}/envelopes").status_code == 404


def broken_record(name: str, change: dict[str, Any] | str, folder: Path) -> None:
    """Replace a run's record by something else, or change some of its members."""
    save(record(folder / name, ended=1010.0, summary={"rows": 1}))
    path = records_folder() / f"{id_of(absolute(folder / name))}.json"
    if isinstance(change, str):
        path.write_text(change)
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))


BROKEN: dict[str, dict[str, Any] | str] = {
    "no JSON": "{",
    "a list": "[]",
    "another version": {"record": 99},
    "another job": {"job": {"no_setting": 1}},
    "text for a time": {"started": "yesterday"},
    "a time that no calendar has": {"started": 1e300},
    "a path that cannot exist": {"output": "/x/\ud800.jsonl"},
    "text for a number": {"summary": {"rows": "many"}},
    "text for the summary": {"summary": "fine"},
    "text for the total": {"total": "all"},
    "codes without rows": {"summary": {"codes": {"conflict": {}}}},
    "text for the codes": {"summary": {"codes": "none"}},
    "text for the timeline": {"timeline": 5},
    "a list for the action": {"job": {"action": ["update_device"], "input": "x"}},
    "a number for the steps": {"job": {"action": "get_device", "step_outputs": 5}},
    "numbers as the steps": {"job": {"action": "get_device", "step_outputs": [5]}},
    "numbers for the process": {"process": [1, 2]},
    "numbers for the connections": {"summary": {"connections": 5}},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_broken_record_is_named_and_the_other_runs_are_listed(
    guest: Guest, tmp_path: Path, change: dict[str, Any] | str
) -> None:
    save(record(tmp_path / "good.jsonl", ended=1010.0, summary={"rows": 7, "succeeded": 7}))
    broken_record("broken.jsonl", change, tmp_path)
    response = guest.get("/runs")
    assert response.status_code == 200
    assert "7 succeeded" in text_of(response.text)
    assert "1 run could not be read: " in text_of(response.text)
    id = id_of(absolute(tmp_path / "broken.jsonl"))
    assert f"{id}.json: cannot be read: " in response.text or "broken.jsonl: this run" in response.text
    assert guest.get(f"/runs/{id}").status_code in (404, 500)


@pytest.mark.parametrize("state", [{}, {"ended": 1010.0, "summary": {"stopped": True}}])
@pytest.mark.parametrize("place", ["a folder replaced by a file", "an output that is a folder", "no access"])
def test_an_output_out_of_reach_is_no_fault_of_the_other_runs(
    guest: Guest, tmp_path: Path, place: str, state: dict[str, Any]
) -> None:
    folder = tmp_path / "out"
    output = folder / "out.jsonl"
    if place == "no access":
        output = folder / ("x" * 300 + ".jsonl")  # the system refuses to look at it, also for root
        folder.mkdir()
    elif place == "an output that is a folder":
        output.mkdir(parents=True)
    else:
        folder.write_text("a file now")
    save(record(output, **state))
    save(record(tmp_path / "good.jsonl", ended=1010.0, summary={"rows": 7, "succeeded": 7}))
    response = guest.get("/runs")
    assert response.status_code == 200
    assert "7 succeeded" in text_of(response.text)
    page = guest.get(f"/runs/{id_of(absolute(output))}")
    if place == "no access":
        assert "1 run could not be read: " in text_of(response.text)
        assert str(output) in response.text
        assert "File name too long" in response.text
        assert (page.status_code, "File name too long" in page.text) == (500, True)
        resumed = guest.post(f"/runs/{id_of(absolute(output))}/resume", {"once": "1"})
        assert (resumed.status_code, "File name too long" in resumed.get_json()["error"]) == (400, True)


def test_something_else_in_the_place_of_an_output_is_no_fault(guest: Guest, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text('{"has_error":true}\n{"a":1}\nx\n')
    save(record(tmp_path / "out.jsonl", ended=1010.0, summary={"rows": 3, "failed": 3}))
    assert guest.get(f"/runs/{id_of(absolute(tmp_path / 'out.jsonl'))}").status_code == 200


# Pages


def test_runs_are_listed_the_newest_first_and_by_pages(guest: Guest, tmp_path: Path) -> None:
    for n in range(LISTED + 5):
        save(
            Record(tmp_path / f"{n}.jsonl", Job("update_device", output=f"{n}.jsonl"), {}, 1000.0 + n, 2000.0)
        )
    page = guest.get("/runs").text
    assert page.index(id_of(tmp_path / f"{LISTED + 4}.jsonl")) < page.index(id_of(tmp_path / "5.jsonl"))
    assert id_of(tmp_path / "4.jsonl") not in page
    assert id_of(tmp_path / "4.jsonl") in guest.get("/runs", page="2").text


def test_without_any_run_the_list_says_what_to_do(guest: Guest) -> None:
    assert "No runs yet." in guest.get("/runs").text


def test_a_run_of_an_action_that_is_no_more_is_listed(guest: Guest, tmp_path: Path) -> None:
    save(
        Record(
            tmp_path / "o.jsonl", Job("no_such", output="o.jsonl"), {}, 1000.0, 1010.0, summary={"rows": 1}
        )
    )
    assert guest.get(f"/runs/{id_of(tmp_path / 'o.jsonl')}").status_code == 200
    assert "no_such" in guest.get("/runs").text


@pytest.mark.parametrize(
    "path", ["/runs/x", f"/runs/{'0' * 32}", f"/runs/{'0' * 32}/envelopes", "/runs/../x"]
)
def test_what_names_no_run_is_not_there(guest: Guest, path: str) -> None:
    response = guest.get(path)
    assert response.status_code == 404
    assert 'href="../static/style.css"' in response.text or path.endswith("/envelopes") or ".." in path


def test_many_failed_rows_fill_more_than_a_page(guest: Guest, tmp_path: Path) -> None:
    path = lines(tmp_path / "out.jsonl", [envelope(n, "conflict") for n in range(1, 101)])
    codes = {"conflict": {"rows": 100, "example": "row 1: no"}}
    save(record(path, ended=1010.0, summary={"rows": 100, "failed": 100, "codes": codes}))
    id = id_of(absolute(path))
    page = guest.get(f"/runs/{id}").text
    (after,) = re.findall(r'id="next-page" href="\?code=&amp;after=(\d+)"', page)
    assert int(after) == FAILED_SHOWN
    assert "row 26 failed" in guest.get(f"/runs/{id}", code="conflict", after=after).text


# The plot


def test_the_plot_shows_the_rate_between_points() -> None:
    plot = make_plot([(0.0, 0), (10.0, 100), (20.0, 100), (30.0, 130), (30.2, 131)])
    assert plot is not None
    assert plot.described == "Rows per second over 30.2 s: 4.3/s on average, at most 10.0/s."
    assert [(after, rows) for after, rows, _ in plot.listed] == [
        ("10 s", "100"),
        ("20 s", "100"),
        ("30.2 s", "131"),
    ]
    assert [tick.label for tick in plot.y_ticks] == ["0", "5", "10"]
    assert [tick.label for tick in plot.x_ticks] == ["0 s", "10 s", "20 s", "30 s"]
    corners = [tuple(map(float, c.split())) for c in plot.line.removeprefix("M").split(" L")]
    assert corners[0] == (46.0, 12.0)
    assert corners[3][1] == 156.0


@pytest.mark.parametrize("timeline", [[], [(0.0, 0)], [(0.0, 0), (0.3, 3)], [(0.0, 0), (0.0, 1), (0.0, 2)]])
def test_a_run_that_was_too_short_has_no_plot(timeline: list[tuple[float, int]]) -> None:
    assert make_plot(timeline) is None


def test_a_run_that_stands_still_has_a_plot() -> None:
    plot = make_plot([(0.0, 0), (5.0, 0), (10.0, 0)])
    assert plot is not None
    assert plot.described.endswith("0.0/min on average, at most 0.0/min.")


def test_times_are_written_for_people() -> None:
    assert [time_text(s) for s in (0, 1.5, 99, 200, 7500)] == ["0 s", "1.5 s", "99 s", "3:20 min", "2:05 h"]
