"""Requests and how they are written; the transport over real sockets on loopback."""

from __future__ import annotations

import gzip
import json
import os
import socket
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.errors import AnswerLost, ConnectionFault, NotSent, RowError, RunFault
from connector.http import (
    Part,
    Request,
    Response,
    build_path,
    encode_body,
    path_segment,
)
from connector.transport import HttpTransport
from tests.loopback import CERTIFICATE, PATIENCE_S, Server, Talk, answering, free_port

TEXT = {"authorization": "Bearer a-token", "accept": "application/json"}


# Requests


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        (12, "12"),
        (True, "true"),
        ("plain", "plain"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("../..", "..%2F.."),
        ("%2e%2e", "%252e%252e"),
        ("a?b#c", "a%3Fb%23c"),
        ("a;b&c=d", "a%3Bb%26c%3Dd"),
        ("Zürich", "Z%C3%BCrich"),
        ("日本", "%E6%97%A5%E6%9C%AC"),
        ("...", "..."),
        ("a-b_c.d~e", "a-b_c.d~e"),
    ],
)
def test_a_path_value_stays_one_segment(value: Any, segment: str) -> None:
    assert path_segment(value) == segment
    assert build_path("/v2/thing/{id}/part", {"id": value}) == f"/v2/thing/{segment}/part"


@pytest.mark.parametrize("value", ["", " ", ".", "..", " .. ", "\t", "a\nb", "a\0b", "a\x7fb", "\r\nHost: x"])
def test_a_path_value_that_could_leave_its_segment_is_refused(value: str) -> None:
    with pytest.raises(RowError, match="cannot be part of an API path") as raised:
        build_path("/v2/thing/{id}", {"id": value})
    assert raised.value.code == "input_invalid"


def test_a_broken_character_in_a_path_or_query_is_refused() -> None:
    for make in (lambda: path_segment("\ud800"), lambda: Request("GET", "/v2", (("q", "\ud800"),)).target):
        with pytest.raises(RowError, match="broken character") as raised:
            make()
        assert raised.value.code == "input_invalid"


def test_placeholders_have_the_vendors_names() -> None:
    path = "/v2/scan-groups/{scan-group-id}/of/{organizationId}"
    assert build_path(path, {"scan-group-id": 7, "organizationId": 2}) == "/v2/scan-groups/7/of/2"


def test_a_placeholder_without_a_value_is_a_fault_of_the_run() -> None:
    with pytest.raises(RunFault, match=r"nothing is given for \{id\}"):
        build_path("/v2/thing/{id}", {"ID": 1})


def test_query_values_are_escaped_with_spaces_as_percent_20() -> None:
    query = (("df", "org = 1 AND class in (MAC,WINDOWS_SERVER)"), ("a&b", "1+1=2"), ("é", "ü"))
    assert Request("GET", "/v2/devices", query).target == (
        "/v2/devices?df=org%20%3D%201%20AND%20class%20in%20%28MAC%2CWINDOWS_SERVER%29"
        "&a%26b=1%2B1%3D2&%C3%A9=%C3%BC"
    )


def test_a_query_parameter_is_replaced_and_the_original_request_is_not() -> None:
    first = Request("GET", "/v2/devices", (("after", "5"), ("df", "x")))
    assert first.with_query("after", 17).query == (("df", "x"), ("after", "17"))
    assert first.with_query("flag", True).target.endswith("&flag=true")
    assert first.query == (("after", "5"), ("df", "x"))


def test_a_member_of_the_body_is_replaced_and_the_original_request_is_not() -> None:
    first = Request("POST", "/v2/run", body={"a": 1})
    assert first.with_body("b", [2]).body == {"a": 1, "b": [2]}
    assert Request("POST", "/v2/run").with_body("b", 2).body == {"b": 2}
    assert first.body == {"a": 1}


@pytest.mark.parametrize(
    ("effect", "idempotent", "repeatable"),
    [("read", False, True), ("write", True, True), ("write", False, False), ("destructive", False, False)],
)
def test_what_may_be_sent_twice(effect: Any, idempotent: bool, repeatable: bool) -> None:
    assert Request("POST", "/v2/x", effect=effect, idempotent=idempotent).repeatable is repeatable


# Bodies


def test_no_body_means_no_bytes_and_no_content_type() -> None:
    assert encode_body(Request("POST", "/v2/x")) == ({}, None)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ({}, b"{}"),
        (None, b"null"),
        ([1, 2.5, True], b"[1,2.5,true]"),
        ({"name": "Zürich"}, '{"name":"Zürich"}'.encode()),
        ({"name": "\ud83d"}, rb'{"name":"\ud83d"}'),
    ],
)
def test_a_json_body_is_utf8_and_broken_characters_are_escaped(body: Any, data: bytes) -> None:
    assert encode_body(Request("POST", "/v2/x", body=body)) == ({"content-type": "application/json"}, data)


@pytest.mark.parametrize("body", [{"n": float("nan")}, [float("inf")]])
def test_what_is_not_json_is_refused(body: Any) -> None:
    for request in (
        Request("POST", "/v2/x", body=body),
        Request("POST", "/v2/x", parts=(Part("a", "application/json", body),)),
    ):
        with pytest.raises(RowError, match="cannot be written as JSON") as raised:
            encode_body(request)
        assert raised.value.code == "input_invalid"


def _parts(body: bytes, headers: dict[str, str]) -> list[tuple[list[str], bytes]]:
    """Split multipart bytes into each part's header lines and content."""
    boundary = b"--" + headers["content-type"].partition("boundary=")[2].encode()
    pieces = body.split(boundary)
    assert (pieces[0], pieces[-1]) == (b"", b"--\r\n")
    found = []
    for piece in pieces[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").removesuffix(b"\r\n").partition(b"\r\n\r\n")
        found.append((head.decode().split("\r\n"), content))
    return found


def test_multipart_bytes(tmp_path: Path) -> None:
    csv, odd = tmp_path / "findings.csv", tmp_path / 'a"b\r\n ü.bin'
    csv.write_bytes(b"a,b\r\n1,2")
    odd.write_bytes(b"\x00\xff--")
    parts = (
        Part("comment", "application/json", {"public": True, "body": "Grüße"}),
        Part("note", None, "plain ü"),
        Part("count", None, 3),
        Part("csv", "text/csv", path=csv),
        Part("files", path=csv),
        Part("files", path=odd),
    )
    headers, body = encode_body(Request("POST", "/v2/x", parts=parts))
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert body is not None
    form = 'Content-Disposition: form-data; name="{}"'
    assert _parts(body, headers) == [
        (
            [form.format("comment"), "Content-Type: application/json"],
            '{"public":true,"body":"Grüße"}'.encode(),
        ),
        ([form.format("note")], "plain ü".encode()),
        ([form.format("count")], b"3"),
        ([form.format("csv") + '; filename="findings.csv"', "Content-Type: text/csv"], b"a,b\r\n1,2"),
        ([form.format("files") + '; filename="findings.csv"', "Content-Type: text/csv"], b"a,b\r\n1,2"),
        (
            [
                form.format("files") + '; filename="a%22b%0D%0A ü.bin"',
                "Content-Type: application/octet-stream",
            ],
            b"\x00\xff--",
        ),
    ]


def test_a_text_part_with_a_broken_character_is_refused() -> None:
    with pytest.raises(RowError, match="broken character") as raised:
        encode_body(Request("POST", "/v2/x", parts=(Part("note", None, "\ud800"),)))
    assert raised.value.code == "input_invalid"


def test_a_file_that_vanished_is_an_error_of_the_row(tmp_path: Path) -> None:
    with pytest.raises(RowError, match=r"csv: cannot read the file .*gone.csv: No such file") as raised:
        encode_body(Request("POST", "/v2/x", parts=(Part("csv", path=tmp_path / "gone.csv"),)))
    assert raised.value.code == "input_invalid"


# Answers


@pytest.mark.parametrize(
    ("content_type", "body", "html"),
    [
        ("text/html", b"hello", True),
        ("Text/HTML; charset=utf-8", b"hello", True),
        ("", b"  <!DOCTYPE html><html>", True),
        ("text/plain", b"\n<HTML>", True),
        ("application/json", b"<html>", False),
        ("Application/JSON", b"{}", False),
        ("", b'"<html>"', False),
        ("", b"", False),
    ],
)
def test_an_html_page_is_known_by_its_type_or_first_characters(
    content_type: str, body: bytes, html: bool
) -> None:
    assert Response(200, {"content-type": content_type}, body).is_html is html


def test_an_answer_that_is_not_json_says_so_and_may_have_been_carried_out() -> None:
    with pytest.raises(RowError, match=r"what is not JSON .*'nope'") as raised:
        Response(200, body=b"nope", attempts=2, request_id="r-1").json()
    error = raised.value
    assert (error.code, error.refused, error.status) == ("bad_response", False, 200)
    assert (error.attempts, error.request_id) == (2, "r-1")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": null}', b'"id"'])
def test_a_member_that_is_due_and_missing(body: bytes) -> None:
    with pytest.raises(RowError, match='without the "id" that is due') as raised:
        Response(200, body=body).member("id")
    assert (raised.value.code, raised.value.refused) == ("bad_response", False)


def test_a_member_is_given() -> None:
    assert Response(200, body=b'{"id": 0}').member("id") == 0


# The transport


@pytest.fixture
def open_transport() -> Iterator[Any]:
    """Makes transports, and closes them."""
    made: list[HttpTransport] = []

    def open_transport(base_url: str, **options: Any) -> HttpTransport:
        made.append(HttpTransport(base_url, **{"timeout_s": PATIENCE_S, **options}))
        return made[-1]

    yield open_transport
    for transport in made:
        transport.close()


def get(transport: HttpTransport, target: str = "/v2/x") -> Response:
    return transport.send("GET", target, TEXT, None)


def test_a_request_and_its_answer(open_transport: Any) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.answer(b'{"a":1}', "201 Created", "X-NJ-Request-Id: r-1")

    with Server((talk,)) as server:
        headers = {**TEXT, "content-type": "application/json"}
        answer = open_transport(server.base_url).send("POST", "/v2/x?q=a%20b", headers, b'{"n":1}')
    assert (answer.status, answer.json(), answer.headers["x-nj-request-id"]) == (201, {"a": 1}, "r-1")
    (received,) = server.received
    assert received.line == "POST /v2/x?q=a%20b HTTP/1.1"
    assert received.body == b'{"n":1}'
    assert received.headers["host"] == f"127.0.0.1:{server.port}"
    assert received.headers["authorization"] == "Bearer a-token"
    assert received.headers["content-length"] == "7"


def test_a_base_url_with_a_path_is_put_in_front(open_transport: Any) -> None:
    with Server((answering,)) as server:
        get(open_transport(server.base_url + "/gateway/ninja"))
    assert server.received[0].target == "/gateway/ninja/v2/x"


def test_escaped_segments_are_sent_as_they_are(open_transport: Any) -> None:
    with Server((answering,)) as server:
        get(open_transport(server.base_url), build_path("/v2/{a}/x", {"a": "../%2e/b"}))
    assert server.received[0].target == "/v2/..%2F%252e%2Fb/x"


def test_no_connection(open_transport: Any) -> None:
    with pytest.raises(NotSent, match=r"^no connection: .*Connection refused$") as raised:
        get(open_transport(f"http://127.0.0.1:{free_port()}"))
    assert raised.value.code == "network_error"
    assert "HTTPConnection" not in str(raised.value)


def test_no_connection_in_time(open_transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: Any, **__: Any) -> None:
        raise TimeoutError("timed out")

    transport = open_transport("http://127.0.0.1:1", timeout_s=0.05)
    monkeypatch.setattr("urllib3.util.connection.create_connection", slow)
    with pytest.raises(NotSent, match=r"^no connection within 0.05 s$") as raised:
        get(transport)
    assert raised.value.code == "timeout"


def test_an_unknown_host(open_transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSent, match="Name or service not known"):
        get(open_transport("https://app.example.com"))


def read_only(talk: Talk) -> None:
    talk.read()
    talk.server.done.wait(PATIENCE_S)


def test_an_answer_that_does_not_come_in_time(open_transport: Any) -> None:
    with Server((read_only,)) as server, pytest.raises(AnswerLost) as raised:
        get(open_transport(server.base_url, timeout_s=0.05))
    assert (str(raised.value), raised.value.code) == ("no whole answer within 0.05 s", "timeout")
    assert len(server.received) == 1


def test_an_answer_that_stops_half_way_in_time(open_transport: Any) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
        talk.server.done.wait(PATIENCE_S)

    with Server((talk,)) as server, pytest.raises(AnswerLost) as raised:
        get(open_transport(server.base_url, timeout_s=0.05))
    assert raised.value.code == "timeout"


def reset_unanswered(talk: Talk) -> None:
    talk.read()
    talk.reset()


def hang_up(talk: Talk) -> None:
    talk.read()


@pytest.mark.parametrize("talk", [reset_unanswered, hang_up])
def test_a_connection_that_breaks_before_the_answer(open_transport: Any, talk: Any) -> None:
    with Server((talk,)) as server, pytest.raises(AnswerLost, match="the connection broke") as raised:
        get(open_transport(server.base_url))
    assert raised.value.code == "network_error"
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":1}',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"a":1}',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    ],
)
def test_an_answer_that_is_cut_short(open_transport: Any, answer: bytes) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(answer)

    with Server((talk,)) as server, pytest.raises(AnswerLost, match="cut short") as raised:
        get(open_transport(server.base_url))
    assert raised.value.code == "bad_response"


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"\r\n\r\n"])
def test_an_answer_that_is_not_http(open_transport: Any, answer: bytes) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(answer)

    with Server((talk,)) as server, pytest.raises(AnswerLost):
        get(open_transport(server.base_url))


def test_a_chunked_answer(open_transport: Any) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n')

    with Server((talk,)) as server:
        assert get(open_transport(server.base_url)).json() == {"a": 1}


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_answer(open_transport: Any, name: str, pack: Any) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.answer(pack(b'{"a":1}'), "200 OK", f"Content-Encoding: {name}")

    with Server((talk,)) as server:
        assert get(open_transport(server.base_url)).json() == {"a": 1}


def test_a_broken_packed_answer(open_transport: Any) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.answer(b"not gzip at all", "200 OK", "Content-Encoding: gzip")

    with Server((talk,)) as server, pytest.raises(AnswerLost, match="encoding is broken") as raised:
        get(open_transport(server.base_url))
    assert raised.value.code == "bad_response"


def test_an_empty_answer(open_transport: Any) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    with Server((talk,)) as server:
        answer = get(open_transport(server.base_url))
    assert (answer.status, answer.body) == (204, b"")


def test_connections_are_kept(open_transport: Any) -> None:
    with Server((answering,)) as server:
        transport = open_transport(server.base_url)
        for number in range(5):
            get(transport, f"/v2/{number}")
    assert [r.target for r in server.received] == [f"/v2/{n}" for n in range(5)]
    assert server.connections == 1


@pytest.mark.parametrize("tls", [False, True])
def test_a_kept_connection_that_the_server_closed_is_replaced(open_transport: Any, tls: bool) -> None:
    closed = threading.Event()

    def once(talk: Talk) -> None:
        talk.read()
        talk.answer(b"1")
        talk.connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with Server((once, answering), tls) as server:
        transport = open_transport(server.base_url, ca_file=str(CERTIFICATE))
        assert get(transport).json() == 1
        assert closed.wait(PATIENCE_S)
        answer = transport.send("POST", "/v2/y", TEXT, b"{}")
        assert answer.json() == {}
    assert [r.line.split()[0] for r in server.received] == ["GET", "POST"]
    assert server.connections == 2


def test_after_a_lost_answer_the_next_request_gets_a_connection_of_its_own(open_transport: Any) -> None:
    with Server((read_only, answering)) as server:
        transport = open_transport(server.base_url, timeout_s=0.05)
        with pytest.raises(AnswerLost):
            get(transport)
        assert get(transport).json() == {}
    assert server.connections == 2


def test_threads_share_a_transport(open_transport: Any) -> None:
    def echo(talk: Talk) -> None:
        while received := talk.read():
            talk.answer(json.dumps(received.target).encode())

    answers: dict[str, Any] = {}
    with Server((echo,)) as server:
        transport = open_transport(server.base_url)

        def work(name: str) -> None:
            for number in range(10):
                target = f"/v2/{name}/{number}"
                answers[target] = get(transport, target).json()

        threads = [threading.Thread(target=work, args=(str(n),)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 60
    assert all(target == answer for target, answer in answers.items())


def test_redirects_are_not_followed(open_transport: Any) -> None:
    with Server((answering,)) as elsewhere:

        def talk(talk: Talk) -> None:
            talk.read()
            talk.answer(b"", "302 Found", f"Location: {elsewhere.base_url}/v2/x")

        with Server((talk,)) as server:
            answer = get(open_transport(server.base_url))
        assert (answer.status, answer.headers["location"]) == (302, f"{elsewhere.base_url}/v2/x")
        assert elsewhere.connections == 0


def test_a_large_body_may_take_longer_than_a_connection_may(open_transport: Any) -> None:
    body = os.urandom(1 << 20) * 16
    taken = bytearray()

    def slow(talk: Talk) -> None:
        talk.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        head = talk.read_head()
        assert head is not None
        talk.server.received.append(head)
        while len(taken) < len(body):
            taken.extend(talk._stream.read(1 << 18))
            talk.server.done.wait(0.012)
        talk.answer()

    with Server((slow,)) as server:
        assert open_transport(server.base_url, timeout_s=0.6).send("POST", "/v2/x", TEXT, body).json() == {}
    assert bytes(taken) == body
    assert server.received[0].headers["content-length"] == str(len(body))
    assert "transfer-encoding" not in server.received[0].headers


# TLS


def test_a_certificate_that_nobody_vouches_for_is_refused(open_transport: Any) -> None:
    with Server((answering,), tls=True) as server:
        with pytest.raises(NotSent, match="certificate") as raised:
            get(open_transport(server.base_url))
        assert raised.value.code == "network_error"
    assert server.connections == 1
    assert server.received == []


@pytest.mark.parametrize(
    "options",
    [
        {"ca_file": str(CERTIFICATE)},
        pytest.param(
            {"verify_tls": False},
            marks=pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning"),
        ),
    ],
)
def test_a_certificate_is_accepted_when_the_connection_says_so(open_transport: Any, options: Any) -> None:
    with Server((answering,), tls=True) as server:
        assert get(open_transport(server.base_url, **options)).json() == {}
    assert server.received[0].headers["authorization"] == "Bearer a-token"


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:9"])
def test_certificates_from_the_environment_are_accepted(
    open_transport: Any, monkeypatch: pytest.MonkeyPatch, proxy: str | None
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    transport = open_transport("https://127.0.0.1:1", proxy=proxy)
    assert transport._pool.ca_certs == str(CERTIFICATE)


def test_without_settings_the_authorities_are_those_of_requests(
    open_transport: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from requests.certs import where

    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    pool = open_transport("https://app.example.com")._pool
    # requests 2.32.2 hands over a context with the same authorities in it.
    assert pool.ca_certs == where() or pool.conn_kw.get("ssl_context")


def test_a_certificate_for_another_host_is_refused(
    open_transport: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more: find("127.0.0.1", *more))
    with Server((answering,), tls=True) as server:
        url = f"https://app.example.com:{server.port}"
        with pytest.raises(NotSent, match=r"app\.example\.com"):
            get(open_transport(url, ca_file=str(CERTIFICATE)))
    assert server.connections == 1
    assert server.received == []


def plain_text(talk: Talk) -> None:
    talk.connection.recv(1)
    talk.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def reset_at_once(talk: Talk) -> None:
    talk.connection.recv(1)
    talk.reset()


def say_nothing(talk: Talk) -> None:
    talk.server.done.wait(PATIENCE_S)


@pytest.mark.parametrize(
    ("talk", "code"),
    [(plain_text, "network_error"), (reset_at_once, "network_error"), (say_nothing, "timeout")],
)
def test_a_failed_handshake_has_sent_nothing(open_transport: Any, talk: Any, code: str) -> None:
    with Server((talk,)) as server:
        url = server.base_url.replace("http:", "https:")
        with pytest.raises(NotSent) as raised:
            get(open_transport(url, timeout_s=0.05 if code == "timeout" else PATIENCE_S))
    assert raised.value.code == code


def break_tls(talk: Talk) -> None:
    talk.read()
    os.write(talk.connection.fileno(), b"this is no TLS record, and the request has been read")


@pytest.mark.parametrize("talk", [break_tls, hang_up, reset_unanswered])
def test_tls_that_breaks_after_the_request_has_lost_the_answer(open_transport: Any, talk: Any) -> None:
    with Server((talk,), tls=True) as server, pytest.raises(AnswerLost):
        get(open_transport(server.base_url, ca_file=str(CERTIFICATE)))
    assert len(server.received) == 1


# Proxies


@pytest.mark.parametrize("by_environment", [False, True])
def test_plain_http_through_a_proxy(
    open_transport: Any, monkeypatch: pytest.MonkeyPatch, by_environment: bool
) -> None:
    with Server((answering,)) as proxy:
        address = f"http://user:pass@127.0.0.1:{proxy.port}"
        if by_environment:
            monkeypatch.setenv("http_proxy", address)
        transport = open_transport("http://localhost:1/pre", proxy=None if by_environment else address)
        assert get(transport, "/v2/x?q=1").json() == {}
    (received,) = proxy.received
    assert received.target == "http://localhost:1/pre/v2/x?q=1"
    assert received.headers["host"] == "localhost:1"
    assert received.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"


def test_no_proxy_is_heeded(open_transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server((answering,)) as server:
        assert get(open_transport(server.base_url)).json() == {}


def test_the_connections_own_proxy_comes_before_the_environment(
    open_transport: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with Server((answering,)) as proxy:
        get(open_transport("http://localhost:1", proxy=f"http://127.0.0.1:{proxy.port}"))
    assert len(proxy.received) == 1


def tunnel_to(port: int, heads: list[Any]) -> Any:
    """A proxy that opens a tunnel to this machine's `port` and notes what it was asked."""

    def talk(talk: Talk) -> None:
        heads.append(talk.read_head())
        with socket.create_connection(("127.0.0.1", port)) as inner:
            talk.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

            def back() -> None:
                try:
                    while data := inner.recv(65536):
                        talk.send(data)
                except OSError:
                    pass

            thread = threading.Thread(target=back)
            thread.start()
            while data := talk._stream.read1(65536):
                inner.sendall(data)
            inner.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE_S)

    return talk


def test_https_through_a_proxy_shows_the_proxy_no_token(open_transport: Any) -> None:
    heads: list[Any] = []
    with Server((answering,), tls=True) as server, Server((tunnel_to(server.port, heads),)) as proxy:
        transport = open_transport(
            server.base_url, ca_file=str(CERTIFICATE), proxy=f"http://user:pass@127.0.0.1:{proxy.port}"
        )
        assert get(transport).json() == {}
        transport.close()
    (head,) = heads
    assert head.line.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.")
    assert head.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
    assert "authorization" not in head.headers
    assert server.received[0].target == "/v2/x"
    assert "proxy-authorization" not in server.received[0].headers


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_has_sent_nothing(open_transport: Any, scheme: str) -> None:
    proxy = f"http://user:pass@127.0.0.1:{free_port()}"
    with pytest.raises(NotSent, match=r"^no connection: .*refused") as raised:
        get(open_transport(f"{scheme}://localhost:1", proxy=proxy))
    assert "pass" not in str(raised.value)


def test_a_proxy_that_refuses_a_tunnel_has_sent_nothing(open_transport: Any) -> None:
    def talk(talk: Talk) -> None:
        talk.read_head()
        talk.answer(b"", "407 Proxy Authentication Required")

    with Server((talk,)) as proxy, pytest.raises(NotSent, match="407"):
        get(open_transport("https://localhost:1", proxy=f"http://127.0.0.1:{proxy.port}"))


@pytest.mark.parametrize("talk", [hang_up, reset_unanswered])
def test_a_proxy_that_breaks_after_the_request_has_lost_the_answer(open_transport: Any, talk: Any) -> None:
    with Server((talk,)) as proxy, pytest.raises(AnswerLost):
        get(open_transport("http://localhost:1", proxy=f"http://127.0.0.1:{proxy.port}"))
    assert len(proxy.received) == 1


@pytest.mark.parametrize(
    "proxy",
    ["http://user:hunter2@host:port", "http://user:hunter2@", "hunter2://[::1", "ftp://user:hunter2@host"],
)
def test_a_proxy_that_cannot_be_read_is_a_fault_of_the_connection(proxy: str) -> None:
    with pytest.raises(ConnectionFault, match=r"https://app.example.com: ") as raised:
        HttpTransport("https://app.example.com", proxy=proxy)
    assert "hunter2" not in str(raised.value)


def test_certificates_that_are_not_there_are_a_fault_of_the_connection(tmp_path: Path) -> None:
    with pytest.raises(ConnectionFault, match=r"CA certificate bundle"):
        HttpTransport("https://app.example.com", ca_file=str(tmp_path / "none.pem"))
