"""Requests and how they are encoded, and responses and how they are decoded."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import pytest

from connector.errors import RowError, RunError
from connector.http.messages import (
    MultipartPart,
    Request,
    Response,
    build_path,
    encode_body,
    escape_target,
    path_segment,
)

# Requests


def test_a_request_is_compared_copied_and_frozen_like_a_dataclass() -> None:
    given: dict[str, Any] = {field.name: f"any {field.name}" for field in fields(Request)}
    one = Request(**given)
    assert vars(one) == given
    assert Request(*given.values()) == one
    assert replace(one) == one
    for name in given:
        other: dict[str, Any] = {name: "other"}
        assert (replace(one, **other) == one) is (name in ("result", "template"))
        with pytest.raises(FrozenInstanceError):
            setattr(one, name, "other")
    assert Request("GET", "/v2/x") == replace(one, **vars(Request("GET", "/v2/x")))


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        (12, "12"),
        (True, "true"),
        ("plain", "plain"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("a%2fb", "a%252fb"),
        ("a\\b", "a%5Cb"),
        ("100%", "100%25"),
        ("..a/b..", "..a%2Fb.."),
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


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            " ",
            "\t",
            "a\nb",
            "a\0b",
            "a\x7fb",
            "\r\nHost: x",
            ".",
            "..",
            " .. ",
            "../..",
            "a/../b",
            "a/.",
            "..\\a",
        ),
        *(
            "..;a",
            "a/..;x=1/b",
            "%2e%2e",
            "%2E",
            ".%2e",
            "a%2f..%2fb",
            "..%2f",
            "%252e%252e",
            "%25252e%25252e%25252fa",
        ),
    ],
)
def test_a_path_value_that_could_leave_its_segment_is_refused(value: str) -> None:
    with pytest.raises(RowError, match="cannot be part of an API path") as raised:
        build_path("/v2/thing/{id}", {"id": value})
    assert raised.value.code == "input_invalid"


def test_a_broken_character_in_a_path_or_query_is_refused() -> None:
    for make in (lambda: path_segment("\ud800"), lambda: Request("GET", "/v2", (("q", "\ud800"),)).target):
        with pytest.raises(RowError, match="invalid character") as raised:
            make()
        assert raised.value.code == "input_invalid"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("/v2/x?q=a%20b&c=d", "/v2/x?q=a%20b&c=d"),
        ("/a b/ü", "/a%20b/%C3%BC"),
        ("/a\r\nhost: x", "/a%0D%0Ahost:%20x"),
        ("", ""),
    ],
)
def test_a_target_that_somebody_typed_is_escaped_where_it_has_to_be(text: str, escaped: str) -> None:
    assert escape_target(text) == escaped


def test_placeholders_have_the_vendors_names() -> None:
    path = "/v2/scan-groups/{scan-group-id}/of/{organizationId}"
    assert build_path(path, {"scan-group-id": 7, "organizationId": 2}) == "/v2/scan-groups/7/of/2"


def test_a_placeholder_without_a_value_is_a_fault_of_the_run() -> None:
    with pytest.raises(RunError, match=r"no value for \{id\}"):
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
        Request("POST", "/v2/x", parts=(MultipartPart("a", "application/json", body),)),
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
        MultipartPart("comment", "application/json", {"public": True, "body": "Grüße"}),
        MultipartPart("note", None, "plain ü"),
        MultipartPart("count", None, 3),
        MultipartPart("csv", "text/csv", path=csv),
        MultipartPart("files", path=csv),
        MultipartPart("files", path=odd),
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
    with pytest.raises(RowError, match="invalid character") as raised:
        encode_body(Request("POST", "/v2/x", parts=(MultipartPart("note", None, "\ud800"),)))
    assert raised.value.code == "input_invalid"


def test_a_file_that_vanished_is_an_error_of_the_row(tmp_path: Path) -> None:
    with pytest.raises(RowError, match=r"csv: cannot read the file .*gone.csv: No such file") as raised:
        encode_body(Request("POST", "/v2/x", parts=(MultipartPart("csv", path=tmp_path / "gone.csv"),)))
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
    with pytest.raises(RowError, match=r"invalid JSON .*'nope'") as raised:
        Response(200, body=b"nope", attempts=2, request_id="r-1").json()
    error = raised.value
    assert (error.code, error.refused, error.status) == ("bad_response", False, 200)
    assert (error.attempts, error.request_id) == (2, "r-1")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": null}', b'"id"'])
def test_a_member_that_is_due_and_missing(body: bytes) -> None:
    with pytest.raises(RowError, match='without the required "id"') as raised:
        Response(200, body=body).member("id")
    assert (raised.value.code, raised.value.refused) == ("bad_response", False)


def test_a_member_is_given() -> None:
    assert Response(200, body=b'{"id": 0}').member("id") == 0


def test_a_page_is_decoded_once() -> None:
    class Body(bytes):
        decoded = 0

        def decode(self, *args: Any, **more: Any) -> str:
            Body.decoded += 1
            return super().decode(*args, **more)

    response = Response(200, {"content-type": "application/json; charset=latin-1"}, Body(b'[1.10, "\xe9"]'))
    assert response.is_text
    plain = response.with_plain_numbers()
    assert (plain.json(), plain.text, Body.decoded) == ([1.1, "\xe9"], '[1.10, "\xe9"]', 1)
