"""HTTP requests and responses, and the interface of the transport that sends them.

A `Request` is a request to an API, relative to its base URL; handlers build it, and previews show it. The
transport is passed to the client, so that most tests need no network.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import quote, unquote

import connector
from connector.common import json_text
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.common.lazy_property import lazy_property
from connector.common.value_class import value_class
from connector.errors import ApiError, InputError, RunError, quote_value, values_are_shown
from connector.http.uploads import read

Effect = Literal["read", "write", "destructive"]

USER_AGENT = f"ninjaone-connector/{connector.__version__}"


@dataclass(frozen=True)
class MultipartPart:
    """A part of a multipart body: a JSON or text `value`, or the file at `path`, below `folder`."""

    name: str
    media_type: str | None = None
    value: Json = None
    path: Path | None = None
    folder: Path | None = field(default=None, compare=False)


@dataclass(frozen=True, init=False)
class Request:
    """One API request. `path` is escaped and below the base URL; `body` is JSON, or ABSENT.

    `effect` and `idempotent` determine whether the request may be sent twice. With `redirects`, a 3xx
    response is a success; with `binary`, any content type is; with `cached`, the response is reused for the
    whole run. `result` is the declared JSON Schema of the response's body, if there is one; `template` is the
    path with placeholders in place of a row's values, if it has any.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: Json = field(repr=False)
    parts: tuple[MultipartPart, ...] = field(repr=False)
    effect: Effect
    idempotent: bool
    redirects: bool
    binary: bool
    cached: bool
    result: Json = field(repr=False, compare=False)
    template: str = field(repr=False, compare=False)

    def __init__(
        self,
        method: str,
        path: str,
        query: tuple[tuple[str, str], ...] = (),
        headers: Mapping[str, str] | None = None,
        body: Json = ABSENT,
        parts: tuple[MultipartPart, ...] = (),
        effect: Effect = "read",
        idempotent: bool = True,
        redirects: bool = False,
        binary: bool = False,
        cached: bool = False,
        result: Json = None,
        template: str = "",
    ) -> None:
        # The `__init__` of a frozen dataclass calls a function for each field, which takes twice as long.
        self.__dict__.update(
            method=method,
            path=path,
            query=query,
            headers=headers or {},
            body=body,
            parts=parts,
            effect=effect,
            idempotent=idempotent,
            redirects=redirects,
            binary=binary,
            cached=cached,
            result=result,
            template=template,
        )

    @property
    def repeatable(self) -> bool:
        """Whether the request can be sent again even if an earlier attempt has taken effect."""
        return self.effect == "read" or self.idempotent

    @lazy_property
    def encoded(self) -> tuple[dict[str, str], bytes | None]:
        """The headers for the body, and the body's bytes. Raises InputError: see `encode_body`."""
        return encode_body(self)

    @property
    def target(self) -> str:
        """The path and query as they are sent, with spaces as %20."""
        if not self.query:
            return self.path
        return self.path + "?" + "&".join(f"{_escape(n)}={_escape(v)}" for n, v in self.query)

    def with_query(self, name: str, value: Json) -> Request:
        """Return a copy with one query parameter set."""
        kept = tuple(pair for pair in self.query if pair[0] != name)
        return replace(self, query=(*kept, (name, query_text(value))))

    def with_body(self, name: str, value: Json) -> Request:
        """Return a copy with one member of the JSON body set.

        If the body is an array, it must have one item, an object; its member is set.
        """
        if isinstance(self.body, list):
            (only,) = self.body
            return replace(self, body=[{**only, name: value}])
        return replace(self, body={**(self.body or {}), name: value})

    def __str__(self) -> str:
        return f"{self.method} {self.path if values_are_shown() else self.template or self.path}"


def build_path(template: str, values: Mapping[str, Json]) -> str:
    """Return a path with its `{placeholders}` filled; each value is escaped as one segment.

    Raises InputError (`input_invalid`) for a value that would change the path, such as `..`, and RunError if
    a placeholder has no value.
    """
    pattern, names = _path_pattern(template)
    for name in names:
        if name not in values:
            raise RunError(f"{template}: no value for {{{name}}}")
    return pattern % tuple([path_segment(values[name]) for name in names])


@lru_cache(maxsize=512)
def _path_pattern(template: str) -> tuple[str, tuple[str, ...]]:
    """Split a path into a pattern, with `%s` for each placeholder, and the placeholders' names."""
    segments = template.split("/")
    marked = [segment.startswith("{") and segment.endswith("}") for segment in segments]
    pieces = ["%s" if mark else s.replace("%", "%%") for s, mark in zip(segments, marked, strict=True)]
    return "/".join(pieces), tuple(s[1:-1] for s, mark in zip(segments, marked, strict=True) if mark)


def path_segment(value: Json) -> str:
    """Return a value escaped as one path segment. Raises InputError for unsafe ones, such as `..`."""
    if type(value) is int:
        return str(value)
    text = query_text(value)
    if not text.strip() or any(ord(c) < 32 or ord(c) == 127 for c in text) or _climbs(text):
        raise InputError("input_invalid", f"{quote_value(text, 60)} cannot be part of an API path")
    return _escape(text)


def _climbs(text: str) -> bool:
    """Return whether a server could read a value as `..`, even one that unescapes it more than once."""
    for _ in range(_UNESCAPED_AT_MOST):
        segments = re.split(r"[/\\]", text)
        if any(segment.partition(";")[0].strip() in (".", "..") for segment in segments):
            return True
        if "%" not in text:
            return False
        text = unquote(text)
    return False


_UNESCAPED_AT_MOST = 4


def query_text(value: Json) -> str:
    """Return a value as text for a path or query: text unchanged, booleans and numbers as JSON."""
    return value if isinstance(value, str) else json_text.dumps(value)


def escape_target(text: str) -> str:
    """Escape characters that are not allowed in a path and query; existing escapes are kept."""
    return _escape(text, safe="%/?:@!$&'()*+,;=[]")


def _escape(text: str, safe: str = "") -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError:
        raise InputError("input_invalid", "text with an invalid character cannot be part of a URL") from None


@value_class
class Response:
    """A complete response.

    Header names are lower case. `attempts` is the number of times that the request was sent, and `repeated`
    is true if an earlier attempt may have taken effect. `hide` removes secrets from a text that an error
    quotes. `loads` reads the JSON of its body.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    attempts: int = 1
    request_id: str | None = None
    repeated: bool = False
    hide: Callable[[str], str] = field(default=str, repr=False, compare=False)
    loads: Callable[[str], Json] = field(default=json_text.loads, repr=False, compare=False)

    def json(self) -> Json:
        """Return the body read as JSON, or None if it is empty.

        Raises ApiError (`bad_response`) if it is not JSON: the request may have taken effect nevertheless.
        """
        if not self.body.strip():
            return None
        if not self.is_text:
            raise self.not_text()
        try:
            return self.loads(self.text)
        except ValueError as error:
            said = f"the API answered {self.status} with invalid JSON ({error}): {self._quoted}"
            raise self.bad(said) from None

    def member(self, name: str) -> Json:
        """Return one member of the response's JSON object. Raises ApiError (`bad_response`) without it."""
        body = self.json()
        if isinstance(body, dict) and body.get(name) is not None:
            return body[name]
        raise self.bad(f'the API answered {self.status} without the required "{name}": {self._quoted}')

    @property
    def _quoted(self) -> str:
        # Hide secrets before cutting the text, because a part of a secret would not be recognized.
        return repr(self.hide(self.text)[:120])

    def bad(self, message: str) -> ApiError:
        """Return the error (`bad_response`) for a response that cannot be used."""
        return ApiError(
            "bad_response",
            message,
            refused=False,
            status=self.status,
            request_id=self.request_id,
            attempts=self.attempts,
        )

    @property
    def text(self) -> str:
        """The body as text, for messages; bytes that are not valid in its charset are replaced."""
        text = self._decoded
        return self.body.decode("utf-8", "replace") if text is None else text

    @property
    def is_text(self) -> bool:
        """Whether the body is valid text in its charset."""
        return self._decoded is not None

    def not_text(self) -> ApiError:
        """Return the error (`bad_response`) for a body that is not valid in its charset."""
        return self.bad(f"the API answered {self.status} with bytes that are not {self.charset} text")

    def in_utf8(self) -> Response:
        """Return the response with its body in UTF-8; unchanged if it is UTF-8 or cannot be decoded."""
        if self.charset == UTF_8 or self._decoded is None:
            return self
        media_type = self.headers.get("content-type", "").partition(";")[0].strip() or "text/plain"
        headers = {**self.headers, "content-type": f"{media_type}; charset=utf-8"}
        return replace(self, headers=headers, body=self._decoded.encode("utf-8", "surrogatepass"))

    def with_plain_numbers(self) -> Response:
        """Return a copy that parses JSON with `loads_plain`, which does not keep the spelling of numbers."""
        plain = replace(self, loads=json_text.loads_plain)
        plain.__dict__["_decoded"] = self._decoded  # A page is long: it is not decoded again.
        return plain

    @property
    def charset(self) -> str:
        """The Python codec of the body: by its byte order mark, else by Content-Type, else UTF-8."""
        if self.body[:1] in _MARKED:
            for mark, codec in _MARKS:
                if self.body.startswith(mark):
                    return codec
        return _declared_codec(self.headers.get("content-type", ""))

    @lazy_property
    def _decoded(self) -> str | None:
        try:
            return self.body.decode(self.charset)
        except UnicodeDecodeError:
            return None

    @property
    def is_html(self) -> bool:
        """Whether the response is an HTML page, by its type or its first characters."""
        media_type = self.headers.get("content-type", "").lower()
        if "json" in media_type:
            return False
        if "html" in media_type or not self.body:
            return "html" in media_type
        return self.body[:100].lstrip().lower().startswith((b"<!doctype html", b"<html"))


UTF_8 = "utf-8"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # checked before UTF-16, whose byte order mark is the beginning of this one
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKED = frozenset(mark[:1] for mark, _ in _MARKS)
_CHARSET = r""";\s*charset\s*=\s*["']?([\w.:+-]+)"""
_TEXT_CODEC = (
    r"utf-(?:7|8|8-sig|16|32)(?:-[bl]e)?|ascii|iso\d.*|cp\d+|koi8.*|big5.*|gb.*|euc.*|shift_jis.*|mac.*"
)
"""The Python codecs that are charsets; others, such as `idna` and `unicode_escape`, are not."""


@lru_cache(maxsize=64)
def _declared_codec(content_type: str) -> str:
    """Return the codec of the charset in a Content-Type header; UTF-8 if there is none, or an unknown one."""
    found = re.search(_CHARSET, content_type, re.IGNORECASE)
    if found is None:
        return UTF_8
    try:
        name = codecs.lookup(found[1]).name
    except LookupError:
        return UTF_8
    return name if re.fullmatch(_TEXT_CODEC, name) else UTF_8


class Transport(Protocol):
    """Sends HTTP requests, and returns complete responses of any status. Follows no redirects."""

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        leaving: Callable[[], bool] | None = None,
        *,
        is_file: bool = False,
    ) -> Response:
        """Send a request to `target` (path and query).

        `leaving` is called just before it is sent, and returns whether it has waited.
        A download (`is_file`) has no total time limit as long as it makes progress. Raises NotSentError or
        ResponseLostError if there is no complete response.
        """

    def close(self) -> None:
        """Close the open connections: idle ones now, and those in use after their responses."""


def encode_body(request: Request) -> tuple[dict[str, str], bytes | None]:
    """Return the headers that describe a request's body, and its bytes.

    Raises InputError (`input_invalid`) if a file cannot be read or a value cannot be written as JSON.
    """
    try:
        if request.parts:
            return _encode_parts(request.parts)
        if request.body is ABSENT:
            return {}, None
        return {"content-type": "application/json"}, json_text.dump_bytes(request.body)
    except UnicodeEncodeError:
        raise InputError("input_invalid", "text with an invalid character cannot be sent as text") from None
    except ValueError as error:
        raise InputError("input_invalid", f"the request's body cannot be written as JSON: {error}") from None


def _encode_parts(parts: tuple[MultipartPart, ...]) -> tuple[dict[str, str], bytes]:
    from urllib3.fields import RequestField
    from urllib3.filepost import encode_multipart_formdata

    fields = []
    for part in parts:
        data, filename, media_type = _part_content(part)
        field = RequestField(part.name, data, filename)
        field.make_multipart(content_type=media_type)
        fields.append(field)
    body, content_type = encode_multipart_formdata(fields)
    return {"content-type": content_type}, body


def _part_content(part: MultipartPart) -> tuple[bytes, str | None, str | None]:
    if part.path is None:
        if part.media_type == "application/json" or not isinstance(part.value, str):
            return json_text.dump_bytes(part.value), None, part.media_type
        return part.value.encode(), None, part.media_type
    try:
        data = read(part.path, part.folder)
    except OSError as error:
        raise InputError(
            "input_invalid", f"{part.name}: cannot read the file {part.path}: {error.strerror}"
        ) from None
    import mimetypes  # imported here, because it is slow to import and rarely needed

    guessed = mimetypes.guess_type(part.path.name)[0] or "application/octet-stream"
    return data, part.path.name, part.media_type or guessed
