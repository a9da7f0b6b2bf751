"""Text of responses: by a byte order mark, by the declared charset, or UTF-8; never with replaced bytes."""

from __future__ import annotations

import codecs
from dataclasses import replace

import pytest

from connector.client.client import Client
from connector.http.messages import Response
from tests.client.responses import CREATE, READ, refused
from tests.fakes import FakeTransport

TEXT = '{"name": "Müller & Søn €"}'
LATIN = '{"name": "Müller & Søn"}'
JSON = "application/json"


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        (JSON, TEXT.encode(), TEXT),
        ("", TEXT.encode(), TEXT),
        (f"{JSON};charset=utf-8", TEXT.encode(), TEXT),
        (f'{JSON}; Charset="UTF8"', TEXT.encode(), TEXT),
        (f"{JSON};charset=ISO-8859-1", LATIN.encode("latin-1"), LATIN),
        (f"{JSON}; charset = iso-8859-15", TEXT.encode("iso-8859-15"), TEXT),
        (f"{JSON};charset='windows-1252';x=1", TEXT.encode("cp1252"), TEXT),
        (f"{JSON};charset=utf-16", TEXT.encode("utf-16"), TEXT),
        (f"{JSON};charset=utf-16le", TEXT.encode("utf-16-le"), TEXT),
        (f"{JSON};charset=UTF-16BE", TEXT.encode("utf-16-be"), TEXT),
        (f"{JSON};charset=utf-32", TEXT.encode("utf-32"), TEXT),
        (f"{JSON};charset=shift_jis", '"日本"'.encode("shift_jis"), '"日本"'),
        (JSON, codecs.BOM_UTF8 + TEXT.encode(), TEXT),
        (JSON, codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), TEXT),
        (JSON, codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), TEXT),
        (JSON, codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), TEXT),
        (f"{JSON};charset=iso-8859-1", codecs.BOM_UTF8 + TEXT.encode(), TEXT),
        # Unknown names, and codecs that are no charsets.
        (f"{JSON};charset=utf8mb4", TEXT.encode(), TEXT),
        (f"{JSON};charset=unicode_escape", rb'"\u0041\\"', r'"\u0041\\"'),
        (f"{JSON};charset=rot13", TEXT.encode(), TEXT),
        (f"{JSON};charset=idna", TEXT.encode(), TEXT),
    ],
)
def test_text_is_read_by_its_charset_and_kept_in_utf_8(
    client: Client, transport: FakeTransport, content_type: str, body: bytes, text: str
) -> None:
    transport.answers = [Response(200, {"content-type": content_type} if content_type else {}, body)]
    response = client.send(READ)
    assert (response.text, response.body) == (text, text.encode())
    assert Response(response.status, response.headers, response.body).text == text  # as in a journal


INVALID = [
    pytest.param(JSON, LATIN.encode("latin-1"), "utf-8", id="undeclared"),
    pytest.param(f"{JSON};charset=utf-8", LATIN.encode("latin-1"), "utf-8", id="wrongly declared"),
    pytest.param(f"{JSON};charset=utf-16", b'{"a": "odd"}x', "utf-16", id="half a character"),
    pytest.param(f"{JSON};charset=us-ascii", TEXT.encode(), "ascii", id="ASCII that is none"),
    pytest.param(f"{JSON};charset=utf-16le", b"\x00\xd8{\x00", "utf-16-le", id="a lone surrogate"),
    pytest.param(JSON, codecs.BOM_UTF8 + b"\xff", "utf-8-sig", id="marked as UTF-8"),
    pytest.param("text/plain", b"\xed\xa0\x80", "utf-8", id="a surrogate in UTF-8"),
    pytest.param("text/plain", b"ok \xc3", "utf-8", id="cut in a character"),
]


@pytest.mark.parametrize(("content_type", "body", "charset"), INVALID)
def test_invalid_bytes_are_no_success(
    client: Client, transport: FakeTransport, content_type: str, body: bytes, charset: str
) -> None:
    for request in (READ, CREATE):
        transport.answers = [Response(200, {"content-type": content_type}, body)]
        error = refused(client, request)
        assert (error.code, error.refused) == ("bad_response", False)
        assert f"bytes that are not {charset} text" in str(error)
        assert ("It may have taken effect" in str(error)) is (request is CREATE)


@pytest.mark.parametrize(("content_type", "body", "charset"), INVALID)
def test_the_bytes_of_a_file_are_not_text(
    client: Client, transport: FakeTransport, content_type: str, body: bytes, charset: str
) -> None:
    transport.answers = [Response(200, {"content-type": content_type}, body)]
    assert client.send(replace(READ, binary=True)).body == body


def test_an_error_is_read_by_its_charset_and_invalid_bytes_of_it_are_replaced(
    client: Client, transport: FakeTransport
) -> None:
    error = '{"resultCode": "X", "errorMessage": "für €"}'
    transport.answers = [
        Response(400, {"content-type": f"{JSON};charset=utf-16"}, error.encode("utf-16")),
        Response(400, {"content-type": JSON}, error.encode("cp1252")),
    ]
    assert "X: für €" in str(refused(client, READ))
    assert "f\ufffdr \ufffd" in str(refused(client, READ))


def test_a_sign_in_is_read_by_its_charset(client: Client, transport: FakeTransport) -> None:
    granted = codecs.BOM_UTF8 + b'{"access_token": "a-token", "expires_in": 3600}'
    transport.sign_ins = [Response(200, {"content-type": JSON}, granted)]
    transport.answers = [Response(200, {}, b"{}")]
    client.send(READ)
    assert transport.headers[0]["authorization"] == "Bearer a-token"
