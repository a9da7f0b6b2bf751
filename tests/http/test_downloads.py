"""Responses that are files, responses that are kept for a run, and notes of a handler in the envelope."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.client.client import Client
from connector.errors import RunError, RunStoppedError
from connector.http.downloads import file_name
from connector.http.messages import Response
from connector.runs.job import Job
from connector.runs.prepared import prepare
from tests.declared import declare, invoker
from tests.fakes import FakeTransport, reply

PDF = reply(
    b"%PDF-1.7 \xff\x00", content_type="application/pdf; q=1", content_disposition='x; filename="a b.pdf"'
)


def test_a_file_is_saved_and_described(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    action = declare(tmp_path, result="file")
    transport.answers = [PDF]
    (envelope,) = invoker(action, client, files=tmp_path).envelopes(7, {})
    path = tmp_path / "7-probe-a b.pdf"
    assert path.read_bytes() == PDF.body
    assert envelope.result == {
        "path": str(path),
        "size": len(PDF.body),
        "media_type": "application/pdf",
        "sha256": hashlib.sha256(PDF.body).hexdigest(),
    }
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="report.csv"', "report.csv"),
        ("attachment; filename*=UTF-8''caf%C3%A9.txt", "café.txt"),
        ('attachment; filename="' + "café.txt".encode().decode("latin-1") + '"', "café.txt"),
        ('attachment; filename="café.txt"', "café.txt"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="..\\\\..\\\\boot.ini"', "boot.ini"),
        ('attachment; filename=".."', "content"),
        ('attachment; filename="a\x00b\x1b.txt"', "a_b_.txt"),
        ('attachment; filename="' + "x" * 300 + '.txt"', "x" * 96 + ".txt"),
        ("attachment; filename*=UTF-8''" + "%E6%97%A5" * 200 + ".txt", "日" * 32 + ".txt"),
        ('attachment; filename="CON"', "CON"),
        ('attachment; filename="a:b|c?.txt"', "a_b_c_.txt"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\boot.ini"', "boot.ini"),
        ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("attachment; filename*=UTF-8''%ED%A0%80.txt", "___.txt"),
        ("attachment; filename*=nonsense''%ff.txt", "ÿ.txt"),
        ("attachment; filename*" + "9" * 5000 + "=x", "content"),
        ("", "content"),
        ("nonsense", "content"),
    ],
)
def test_a_name_cannot_lead_out_of_the_folder(header: str, name: str) -> None:
    assert file_name(Response(200, {"content-disposition": header})) == name


def test_an_html_file_is_no_error_and_a_throttle_page_is(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    action = declare(tmp_path, result="file")
    article = reply(b"<html><h1>How to print</h1></html>", content_type="text/html")
    page = reply(b"<html>Too many requests</html>", content_type="text/html")
    transport.answers = [article, *[page] * 6]
    run = invoker(action, client, files=tmp_path)
    assert [e.meta["code"] for n in (1, 2) for e in run.envelopes(n, {})] == [None, "rate_limited"]


def test_a_folder_that_vanished_stops_the_run(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    transport.answers = [PDF]
    run = invoker(declare(tmp_path, result="file"), client, files=tmp_path / "gone")
    with pytest.raises(RunStoppedError, match="cannot be written"):
        list(run.envelopes(1, {}))


def test_without_a_folder_nothing_is_run(tmp_path: Path) -> None:
    declare(tmp_path, result="file")
    with pytest.raises(RunError, match="use --files FOLDER with an existing folder for them"):
        prepare(Job(action="probe"), Catalog(tmp_path / "actions"))


LOOKS_UP = """
    from connector.handlers import Inputs, Note, Steps, lookup

    def handle(inputs: Inputs) -> Steps:
        statuses = (yield lookup("/v2/statuses", lang="en")).json()
        yield Note(f"{len(statuses)} statuses are known")
        yield inputs.request()
        return statuses
"""


def test_a_lookup_is_sent_once_a_run_and_a_note_is_a_warning(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    action = declare(tmp_path, handler=LOOKS_UP)
    transport.answers = [reply(b"", 400), reply(["new"]), reply({}), reply({})]
    run = invoker(action, client)
    first, second, third = (next(iter(run.envelopes(n, {}))) for n in (1, 2, 3))
    assert first.meta["code"] == "api_error"
    assert second.result == third.result == ["new"]
    assert third.meta["warnings"] == ["1 statuses are known"]
    targets = [target for _, target, _ in transport.sent]
    assert targets == ["/v2/statuses?lang=en", "/v2/statuses?lang=en", "/v2/probe", "/v2/probe"]


@pytest.mark.parametrize(("status", "asked"), [(403, 1), (404, 1), (400, 2)])
def test_a_lookup_that_is_refused_for_good_is_not_asked_for_again(
    client: Client, transport: FakeTransport, tmp_path: Path, status: int, asked: int
) -> None:
    transport.answers = [reply(b"", status)] * asked
    run = invoker(declare(tmp_path, handler=LOOKS_UP), client)
    first, second = (next(iter(run.envelopes(n, {}))) for n in (1, 2))
    assert (first.error, first.meta["code"]) == (second.error, second.meta["code"])
    assert first.has_error
    assert len(transport.sent) == asked
