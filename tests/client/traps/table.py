"""The table of the traps: what each does, and the correct result for each kind of request."""

from __future__ import annotations

import codecs
import zlib
from dataclasses import dataclass

from tests.client.traps.talks import (
    BODY,
    MAX_BODY_BYTES,
    OK,
    Serve,
    chunked,
    chunks,
    drips,
    early,
    encoded,
    first,
    good,
    headed,
    lengths,
    packed,
    raw_deflate,
    replies,
    resets,
    response,
    sends,
    stalls,
)

Outcome = tuple[str, int, bool | None]
"""`ok` or the code of the error, how many requests were sent, and whether the API certainly refused it."""
Right = tuple[Outcome, Outcome, Outcome]
"""What is right for a read, for a write that may be repeated, and for one that must not be."""


def alike(code: str, tries: int = 1, refused: bool | None = None) -> Right:
    return ((code, tries, refused),) * 3


def lost(code: str, tries: int = 3) -> Right:
    """No complete response: repeated where that does no harm, in doubt otherwise."""
    return (code, tries, False), (code, tries, False), ("outcome_unknown", 1, False)


def busy(code: str, unsafe: str = "") -> Right:
    """A failure of the server: repeated where that does no harm."""
    return (code, 3, False), (code, 3, False), (unsafe or code, 1, False)


GOOD = alike("ok")
RECOVERS: Right = ("ok", 2, None), ("ok", 2, None), ("outcome_unknown", 1, False)
NOT_HTTP, TOO_LARGE, BROKEN = lost("bad_response"), lost("bad_response", 1), lost("network_error")
UNREADABLE = alike("bad_response", 1, False)
REFUSED = alike("api_error", 1, True)
TIMEOUT = lost("timeout")
NO_TOKEN = alike("auth_failed", 1, True)
GATEWAY = busy("api_error", "outcome_unknown")
BUSY: Right = ("rate_limited", 6, False), ("rate_limited", 6, False), ("rate_limited", 1, False)
LATER: Right = ("api_error", 3, True), ("api_error", 3, True), ("api_error", 1, True)
RECOVERS_REFUSED: Right = ("ok", 2, None), ("ok", 2, None), ("api_error", 1, True)
RECOVERS_IN_DOUBT: Right = ("ok", 2, None), ("ok", 2, None), ("api_error", 1, False)


@dataclass(frozen=True)
class Trap:
    name: str
    serve: Serve
    right: Right
    is_slow: bool = False


FAILURE = b'{"resultCode": "FAILURE", "incidentId": "WEB-1"}'
BUSY_PAGE = b"<!DOCTYPE html><html><h1>Too many requests</h1></html>"
LATIN = '{"a": "für"}'.encode("latin-1")
BOMB = bytes(MAX_BODY_BYTES * 40)
FRAMED = chunks(b"c\r\n" + BODY + b"\r\n0\r\n\r\n")

HEADS = [
    Trap("closed at once", sends(), BROKEN),
    Trap("closed at once, then well", first(sends()), RECOVERS),
    Trap("reset at once", resets(), BROKEN),
    Trap("cut in the status line", sends(b"HTTP/1.1 2"), BROKEN),
    Trap("cut after the status line", sends(b"HTTP/1.1 200 OK\r\n"), BROKEN),
    Trap("cut in a header", sends(OK + b"Content-Le"), BROKEN),
    Trap("reset in a header, then well", first(resets(OK + b"Content-Le")), RECOVERS),
    Trap("another protocol", sends(b"SSH-2.0-OpenSSH_9.6\r\n"), NOT_HTTP),
    Trap("HTTP/2", sends(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64\0\4\0\0\xff\xff"), NOT_HTTP),
    Trap("HTTP/0.9", sends(BODY), NOT_HTTP),
    Trap("no status", sends(b"HTTP/1.1 OK\r\n\r\n"), NOT_HTTP),
    Trap("a status of two digits", sends(b"HTTP/1.1 20 OK\r\n\r\n"), NOT_HTTP),
    Trap("a blank line first", sends(b"\r\n" + response()), NOT_HTTP),
    Trap("a header without a colon", sends(headed(b"nonsense")), NOT_HTTP),
    Trap("a header's name with a space", sends(headed(b"Content-Length : 2")), NOT_HTTP),
    Trap("a NUL in a header", sends(headed(b"x: a\0b")), NOT_HTTP),
    Trap("a bare CR in a header", sends(headed(b"x: a\rContent-Length: 2")), NOT_HTTP),
    Trap("a folded header", sends(headed(b"x: a\r\n b")), GOOD),
    Trap("bare line feeds", sends(response().replace(b"\r\n", b"\n")), GOOD),
    Trap("too many headers", sends(headed(*[b"x: y"] * 300)), NOT_HTTP),
    Trap("a header too long", sends(headed(b"x: " + b"y" * 70_000)), NOT_HTTP),
    Trap("headers without end", sends(OK + b"x: y\r\n" * 30_000), NOT_HTTP),
    Trap("another protocol from now on", sends(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), NOT_HTTP),
    Trap("interim responses", sends(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20 + response()), GOOD),
    Trap("a flood of interim responses", sends(b"HTTP/1.1 100 Continue\r\n\r\n" * 500), NOT_HTTP),
    Trap("an interim response, then closed", sends(b"HTTP/1.1 100 Continue\r\n\r\n"), BROKEN),
    Trap("two responses", sends(response() + response(b'{"not": "asked for"}')), GOOD),
]
LENGTHS = [
    Trap("the length twice", sends(lengths(b"12", b"12")), GOOD),
    Trap("two lengths", sends(lengths(b"12", b"2")), NOT_HTTP),
    Trap("two lengths in one", sends(lengths(b"12, 2")), NOT_HTTP),
    Trap("a negative length", sends(lengths(b"-12")), NOT_HTTP),
    Trap("a length with a sign", sends(lengths(b"+12")), NOT_HTTP),
    Trap("a hexadecimal length", sends(lengths(b"0xc")), NOT_HTTP),
    Trap("a length of 5,000 digits", sends(lengths(b"9" * 5000)), NOT_HTTP),
    Trap("a length and chunks", sends(headed(b"Transfer-Encoding: chunked")), NOT_HTTP),
    Trap("a length too large", sends(lengths(b"9999999999")), TOO_LARGE),
    Trap("a body too short", sends(response()[:-3]), NOT_HTTP),
    Trap("a body too short, then well", first(sends(response()[:-3])), RECOVERS),
    Trap("a body too long", sends(response() + b"more"), GOOD),
    Trap("a body until the end", sends(OK + b"\r\n" + BODY), GOOD),
    Trap("a body until a reset", resets(OK + b"Content-Length: 99\r\n\r\n" + BODY), BROKEN),
    Trap("HTTP/1.0", sends(b"HTTP/1.0 200 OK\r\n\r\n" + BODY), GOOD),
    Trap("204 with a body", sends(response(BODY, "204 No Content")), GOOD),
]
CHUNKS = [
    Trap("small chunks", sends(chunked(BODY)), GOOD),
    Trap("extensions and trailers", sends(chunks(b"c;a=b\r\n" + BODY + b"\r\n0\r\nx: y\r\n\r\n")), GOOD),
    Trap("no size", sends(chunks(b"\r\n" + BODY)), NOT_HTTP),
    Trap("a negative size", sends(chunks(b"-c\r\n" + BODY)), NOT_HTTP),
    Trap("a size too large", sends(chunks(b"fffffffff\r\n" + bytes(MAX_BODY_BYTES + 1))), TOO_LARGE),
    Trap("a size of 5,000 digits", sends(chunks(b"0" * 5000)), NOT_HTTP),
    Trap("more than the size", sends(chunks(b"2\r\n" + BODY + b"\r\n0\r\n\r\n")), NOT_HTTP),
    Trap("no last chunk", sends(chunks(b"c\r\n" + BODY + b"\r\n")), NOT_HTTP),
    Trap("cut in the last chunk", sends(FRAMED[:-2]), NOT_HTTP),
    Trap("trailers without end", sends(chunks(b"0\r\n" + b"x: y\r\n" * 20_000)), NOT_HTTP),
    Trap("more in chunks than allowed", sends(chunks(b"1000\r\n%s\r\n" % bytes(4096) * 15)), TOO_LARGE),
    Trap("gzip as a transfer encoding", sends(OK + b"Transfer-Encoding: gzip\r\n\r\n" + BODY), NOT_HTTP),
]
ENCODINGS = [
    Trap("gzip", sends(encoded(packed(), "gzip")), GOOD),
    Trap("gzip of two members", sends(encoded(packed(BODY[:5]) + packed(BODY[5:]), "gzip")), GOOD),
    Trap("deflate without its wrapper", sends(encoded(raw_deflate(BODY), "deflate")), GOOD),
    Trap("no gzip at all", sends(encoded(BODY, "gzip")), NOT_HTTP),
    Trap("gzip that is cut", sends(encoded(packed()[:-9], "gzip")), NOT_HTTP),
    Trap("gzip with a wrong sum", sends(encoded(packed()[:-8] + bytes(8), "gzip")), NOT_HTTP),
    Trap("a gzip bomb", sends(encoded(packed(BOMB), "gzip")), TOO_LARGE),
    Trap("a deflate bomb", sends(encoded(zlib.compress(BOMB), "deflate")), TOO_LARGE),
    Trap("a bomb in a bomb", sends(encoded(packed(packed(BOMB)), "gzip, gzip")), TOO_LARGE),
    Trap("a bomb of members", sends(encoded(packed(bytes(MAX_BODY_BYTES // 2)) * 9, "gzip")), TOO_LARGE),
    Trap("a bomb in chunks", sends(chunked(packed(BOMB), "gzip")), TOO_LARGE),
    Trap("many encodings", sends(encoded(packed(), "gzip, " * 9 + "gzip")), NOT_HTTP),
    Trap("an encoding that was not requested", sends(encoded(b"\x8b\x05\x80\xff\x03", "br")), UNREADABLE),
]
TEXTS = [
    Trap("Latin-1, declared", sends(response(LATIN, kind="application/json;charset=iso-8859-1")), GOOD),
    Trap("Latin-1, not declared", sends(response(LATIN)), UNREADABLE),
    Trap("Latin-1, declared as UTF-8", sends(response(LATIN, kind="text/plain;charset=utf-8")), UNREADABLE),
    Trap("UTF-16 with a mark", sends(response(BODY.decode().encode("utf-16"))), GOOD),
    Trap("half a UTF-16 character", sends(response(b"{}x", kind="text/plain;charset=utf-16")), UNREADABLE),
    Trap("UTF-8 with a mark", sends(response(codecs.BOM_UTF8 + BODY)), GOOD),
    Trap("a surrogate in UTF-8", sends(response(b'"\xed\xa0\x80"')), UNREADABLE),
    Trap("no JSON", sends(response(b"OK then")), UNREADABLE),
    Trap("JSON that is cut", sends(response(BODY[:-1])), UNREADABLE),
    Trap("NaN", sends(response(b'{"a": NaN}')), UNREADABLE),
    Trap("JSON nested deeply", sends(response(b"[" * 40_000)), UNREADABLE),
    Trap("a page", sends(response(b"<html>Welcome</html>", kind="text/html")), UNREADABLE),
    Trap("no type", sends(response(kind="")), GOOD),
]
FAILURES = [
    Trap("FAILURE in 200", replies(response(FAILURE)), REFUSED),
    Trap("an error in 200", replies(response(b'{"error": "server_error"}')), REFUSED),
    Trap("the text FAILURE in 200", replies(response(b"FAILURE", kind="text/plain")), REFUSED),
    Trap("an expired token in 200", replies(response(b'{"error": "not_authenticated"}')), NO_TOKEN),
    Trap("400", replies(response(FAILURE, "400 Bad Request")), REFUSED),
    Trap("401", replies(response(b"", "401 Unauthorized")), NO_TOKEN),
    Trap("404", replies(response(b"", "404 Not Found")), alike("not_found", 1, True)),
    Trap("408", replies(response(b"", "408 Request Timeout")), LATER),
    Trap("425, then well", replies(response(b"", "425 Too Early"), response()), RECOVERS_REFUSED),
    Trap("429", replies(response(b"", "429 Too Many")), alike("rate_limited", 6, True)),
    Trap(
        "429 for a day",
        replies(response(b"", "429 Too Many", "", "Retry-After: 86400")),
        alike("rate_limited", 1, True),
    ),
    Trap("429, then well", replies(response(b"", "429 Too Many"), response()), alike("ok", 2)),
    Trap("a busy page in 200", replies(response(BUSY_PAGE, kind="text/html")), BUSY),
    Trap("500", replies(response(FAILURE, "500 Oops")), busy("api_error")),
    Trap("502", replies(response(b"<html></html>", "502 Gateway", "text/html")), GATEWAY),
    Trap("503, then well", replies(response(b"", "503 Busy"), response()), RECOVERS_IN_DOUBT),
    Trap("504", replies(response(b"", "504 Timeout")), GATEWAY),
    Trap("999", replies(response(b"", "999 Denied")), busy("api_error")),
    Trap("a redirect to itself", replies(response(b"", "302 Found", "", "Location: /v2/x")), REFUSED),
    Trap("an early refusal", early(response(b"", "413 Too Large")), REFUSED),
    Trap("an early success", early(response()), GOOD),
]
PACES = [
    Trap("nothing", stalls(), TIMEOUT),
    Trap("nothing, then well", first(stalls()), RECOVERS, True),
    Trap("a stall in the head", stalls(OK), TIMEOUT, True),
    Trap("a stall in the body", stalls(response()[:-3]), TIMEOUT, True),
    Trap("a stall in a chunk", stalls(FRAMED[:-9]), TIMEOUT, True),
    Trap("a stall before the last chunk", stalls(FRAMED[:-5]), TIMEOUT, True),
    Trap("a drip in the status line", drips(b"HTTP/1.1 200 "), TIMEOUT, True),
    Trap("a drip in the head", drips(OK + b"x: "), TIMEOUT, True),
    Trap("a drip of interim responses", drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), TIMEOUT, True),
    Trap("a drip in the body", drips(OK + b"Content-Length: 9999\r\n\r\n"), TIMEOUT),
    Trap("a drip in a body until the end", drips(OK + b"\r\n"), TIMEOUT, True),
    Trap("a drip in a chunk", drips(chunks(b"1000\r\n")), TIMEOUT, True),
    Trap("a drip of chunks", drips(chunks(b""), b"1\r\nx\r\n"), TIMEOUT, True),
    Trap("a drip in a chunk's size", drips(chunks(b"1;")), TIMEOUT, True),
    Trap("a drip of trailers", drips(chunks(b"0\r\n"), b"x: y\r\n"), TIMEOUT, True),
    Trap("a drip, then well", first(drips(OK)), RECOVERS, True),
]
TRAPS = [*HEADS, *LENGTHS, *CHUNKS, *ENCODINGS, *TEXTS, *FAILURES, *PACES]

SIGN_INS = [
    Trap("well", good, alike("bad_response", 0)),
    Trap("closed", sends(), alike("network_error", 0)),
    Trap("an error in 200", replies(response(b'{"error": "invalid_client"}')), alike("auth_failed", 0)),
    Trap("a page", replies(response(b"<html></html>", kind="text/html")), alike("bad_response", 0)),
    Trap("a bomb", replies(encoded(packed(BOMB), "gzip")), alike("bad_response", 0)),
    Trap("Latin-1", replies(response(b'{"access_token": "\xfc"}')), alike("bad_response", 0)),
    Trap("nothing", stalls(), alike("timeout", 0), True),
    Trap("a drip", drips(OK + b"Content-Length: 9999\r\n\r\n"), alike("timeout", 0)),
]
"""At the token endpoint: whatever happens there, no API request is sent."""
