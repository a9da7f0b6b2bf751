"""The journal: what was sent and answered is known again after the end of the process at any instant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from connector.common.redaction import HIDDEN, Redactor
from connector.errors import RowError, RunError, RunStoppedError
from connector.files.journal import VERSION, Head, Journal, read_head
from connector.http.messages import MultipartPart, Request, Response

RUN = {"action": "a", "templates": "t", "connection": "c", "input": "i", "settings": "s"}
POST = Request("POST", "/v2/thing", body={"a": 1}, effect="write", idempotent=False)
UPLOAD = Request(
    "POST", "/v2/file", parts=(MultipartPart("file", path=Path("x.csv")),), effect="write", idempotent=False
)
ANSWER = Response(
    201,
    {"content-type": "application/json", "location": "/v2/thing/7", "set-cookie": "x"},
    b'{"id": 7}',
    request_id="r-1",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def begin(path: Path, redactor: Redactor | None = None) -> Journal:
    journal = Journal(path, redactor or Redactor())
    journal.begin(RUN)
    return journal


def resume(path: Path, after_row: int = 0) -> Journal:
    """What a new process knows of it."""
    journal = Journal(path, Redactor())
    journal.resume(after_row)
    return journal


def in_doubt(journal: Journal, row: int, step: int, request: Request) -> str:
    with pytest.raises(RowError) as caught:
        journal.recorded(row, step, request)
    assert (caught.value.code, caught.value.refused) == ("outcome_unknown", False)
    assert "check before you send it again" in str(caught.value)
    return str(caught.value)


def test_what_was_answered_is_told_again(path: Path) -> None:
    journal = begin(path)
    journal.sent(1, 0, POST)
    journal.answered(1, 0, ANSWER)
    journal.close()
    again = resume(path).recorded(1, 0, POST)
    assert again == Response(
        201,
        {"content-type": "application/json", "location": "/v2/thing/7"},
        b'{"id": 7}',
        request_id="r-1",
    )


def test_what_was_sent_without_an_answer_is_in_doubt(path: Path) -> None:
    journal = begin(path)
    journal.sent(3, 1, POST)
    journal.close()
    assert "POST /v2/thing: the run was interrupted before its response was received" in in_doubt(
        resume(path), 3, 1, POST
    )


def test_what_was_refused_or_never_sent_is_sent_again(path: Path) -> None:
    journal = begin(path)
    journal.sent(1, 0, POST)
    journal.refused(1, 0)
    journal.close()
    resumed = resume(path)
    assert resumed.recorded(1, 0, POST) is None
    assert resumed.recorded(1, 1, POST) is None
    assert resumed.recorded(2, 0, POST) is None
    resumed.sent(1, 0, POST)
    resumed.close()
    in_doubt(resume(path), 1, 0, POST)


def test_a_row_in_doubt_sends_nothing_more_by_another_way(path: Path) -> None:
    """What the row reads may have changed since, so that it comes to its writes in another order."""
    journal = begin(path)
    journal.sent(1, 0, UPLOAD)
    journal.refused(1, 0)
    journal.sent(1, 1, POST)
    journal.close()
    for step in (0, 2):
        message = in_doubt(resume(path), 1, step, UPLOAD)
        assert message.startswith("POST /v2/thing: the run was interrupted before its response was received")
    assert resume(path).recorded(2, 0, UPLOAD) is None


def test_within_one_run_nothing_is_replayed(path: Path) -> None:
    journal = begin(path)
    journal.sent(1, 0, POST)
    journal.answered(1, 0, ANSWER)
    assert journal.recorded(1, 0, POST) is None
    journal.close()


@pytest.mark.parametrize(
    "other",
    [
        Request("PUT", "/v2/thing", body={"a": 1}),
        Request("POST", "/v2/thing/2", body={"a": 1}),
        Request("POST", "/v2/thing", query=(("x", "1"),), body={"a": 1}),
        Request("POST", "/v2/thing", body={"a": 2}),
        Request("POST", "/v2/thing"),
        UPLOAD,
    ],
)
def test_another_request_in_the_same_place_is_in_doubt(path: Path, other: Request) -> None:
    journal = begin(path)
    journal.sent(1, 0, POST)
    journal.answered(1, 0, ANSWER)
    journal.close()
    assert "the interrupted run sent a different request for this row" in in_doubt(resume(path), 1, 0, other)


def test_an_upload_is_known_again_without_its_file(path: Path) -> None:
    journal = begin(path)
    journal.sent(1, 0, UPLOAD)
    journal.answered(1, 0, Response(204))
    journal.close()
    response = resume(path).recorded(1, 0, UPLOAD)
    assert response is not None
    assert (response.status, response.json()) == (204, None)


def test_rows_that_have_their_envelope_are_forgotten(path: Path) -> None:
    journal = begin(path)
    for row in (1, 2, 3):
        journal.sent(row, 0, POST)
    journal.close()
    resumed = resume(path, after_row=2)
    assert resumed.recorded(1, 0, POST) is None
    assert resumed.recorded(2, 0, POST) is None
    in_doubt(resumed, 3, 0, POST)


def test_a_half_written_request_was_not_sent(path: Path) -> None:
    journal = begin(path)
    journal.sent(1, 0, POST)
    journal.close()
    whole = path.read_bytes()
    for cut in (1, 10, len(whole.splitlines(True)[-1]) - 1):
        path.write_bytes(whole[:-cut])
        assert resume(path).recorded(1, 0, POST) is None
        assert path.read_bytes() == whole.splitlines(True)[0]


def test_a_half_written_answer_leaves_its_request_in_doubt(path: Path) -> None:
    journal = begin(path)
    journal.sent(1, 0, POST)
    journal.answered(1, 0, ANSWER)
    journal.close()
    path.write_bytes(path.read_bytes()[:-5])
    in_doubt(resume(path), 1, 0, POST)


@pytest.mark.parametrize(
    ("body", "again"),
    [
        (b"", b""),
        (b"  ", b"  "),
        (b"null", b"null"),
        (b"not json", b"not json"),
        (b"\xfd\xfc", "\ufffd\ufffd".encode()),
        (b'{"a": "\\ud800"}', b'{"a": "\\ud800"}'),
        ('{"a": "ü"}'.encode(), '{"a": "ü"}'.encode()),
        (b"[1, 2]", b"[1, 2]"),
    ],
)
def test_any_answer_can_be_told_again(path: Path, body: bytes, again: bytes) -> None:
    journal = begin(path)
    journal.sent(1, 0, POST)
    journal.answered(1, 0, Response(200, body=body))
    journal.close()
    found = resume(path).recorded(1, 0, POST)
    assert found is not None
    assert found.body == again


def test_no_secret_is_written(path: Path) -> None:
    journal = begin(path, Redactor(["S3cret"], ["password"]))
    answers: list[tuple[dict[str, str], bytes]] = [
        ({}, b'{"password": "p4ss", "a": ["xS3cretx"]}'),
        ({"location": "https://x/?key=S3cret", "content-type": "text/S3cret"}, b"plain S3cret"),
    ]
    for row, (headers, body) in enumerate(answers, 1):
        journal.sent(row, 0, POST)
        journal.answered(row, 0, Response(200, headers, body))
    journal.close()
    text = path.read_text(encoding="utf-8")
    assert "S3cret" not in text
    assert "p4ss" not in text
    assert json.dumps([json.loads(line) for line in text.splitlines()], ensure_ascii=False).count(HIDDEN) == 5


def test_every_line_is_what_the_schema_says(path: Path) -> None:
    journal = begin(path, Redactor(["S3cret"]))
    journal.sent(1, 0, POST)
    journal.answered(1, 0, ANSWER)
    journal.sent(1, 1, UPLOAD)
    journal.refused(1, 1)
    journal.sent(2, 0, Request("DELETE", "/v2/ü"))
    journal.answered(2, 0, Response(200, body=b'["\\ud800"]'))
    journal.close()
    check = validator(schema("journal.schema.json"))
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert len(lines) == 7
    for line in lines:
        check.validate(line)
    wrong: list[Any] = [
        {},
        {**lines[0], "journal": VERSION + 1},
        {**lines[1], "row": 0},
        {**lines[1], "x": 1},
        [],
    ]
    assert not any(check.is_valid(line) for line in wrong)


# --- the file ----------------------------------------------------------------------------------------------


def test_the_fingerprint_is_read_back(path: Path) -> None:
    begin(path).close()
    assert read_head(path) == Head(RUN, fsync=False, version=2)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"", "cannot be read"),
        (b"x\n", "cannot be read"),
        (b"[]\n", "cannot be read"),
        (b'{"run": {}}\n', "cannot be read"),
        (b"\xff\n", "cannot be read"),
        (b'{"journal": 99, "run": {}}\n', "the journal has version 99"),
    ],
)
def test_a_head_that_cannot_be_read_is_a_fault(path: Path, head: bytes, message: str) -> None:
    path.write_bytes(head)
    with pytest.raises(RunError, match=message):
        read_head(path)
    path.unlink()
    with pytest.raises(RunError, match="cannot be read"):
        read_head(path)


def test_the_version_is_that_of_the_schema() -> None:
    assert schema("journal.schema.json")["$id"].endswith(f":{VERSION}")


def test_a_journal_that_is_not_open_cannot_be_written(path: Path) -> None:
    with pytest.raises(RunStoppedError, match="not open"):
        Journal(path, Redactor()).sent(1, 0, POST)
    Journal(path, Redactor()).close()
