"""A mock server of a second, very small service, from the common part only."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import connector.sandbox
from connector.sandbox.endpoints import MULTIPART, Endpoints, OperationCall
from connector.sandbox.errors import HttpError, InvalidValueError
from connector.sandbox.messages import ServerRequest, ServerResponse
from connector.sandbox.routing import Router
from connector.sandbox.server import MockServer
from connector.sandbox.service import MockService
from connector.sandbox.token_request import TokenRequest
from connector.sandbox.types import BOOLEAN, TEXT, Array, Object

TIMEOUT_S = 60
TOKEN = "a-token"
ENDPOINTS = Endpoints()


class Notes:
    """The service's data."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.texts: dict[int, str] = {}


NoteCall = OperationCall[Notes]


@ENDPOINTS.declare("POST", "/Note", "createNotes", body=Array(Object({"text": TEXT}, required=("text",))))
def create(call: NoteCall) -> list[dict[str, Any]]:
    for body in call.body:
        call.state.texts[len(call.state.texts) + 1] = body["text"]
    return [{"id": number, "text": text} for number, text in call.state.texts.items()]


@ENDPOINTS.declare("GET", "/Note/{noteId}", "getNote", query={"link": BOOLEAN})
def get(call: NoteCall, note_id: int) -> dict[str, Any]:
    if note_id not in call.state.texts:
        raise HttpError(404)
    link = {"link": f"{call.base_url}/notes/{note_id}"} if call.query.get("link") else {}
    return {"id": note_id, "text": call.state.texts[note_id], **link}


@ENDPOINTS.declare("POST", "/Note/file", "createNoteFromFile", media_type=MULTIPART)
def create_from_file(call: NoteCall) -> ServerResponse:
    (part,) = call.parts
    call.state.texts[len(call.state.texts) + 1] = part.data.decode()
    return ServerResponse(201)


class NoteService:
    """One account, with a custom error format."""

    token_paths = ("/auth/token",)
    authorize_path = "/auth/authorize"

    def __init__(self) -> None:
        self.state = Notes()
        self.router = Router(ENDPOINTS.declared, prefixes=("/api",))
        self.tokens: set[str] = set()

    def read_token_request(self, request: ServerRequest) -> TokenRequest:
        return TokenRequest.read(request)

    def issue_token(self, asked: TokenRequest) -> dict[str, Any]:
        if asked.secret != "right":
            raise HttpError(401, {"error": "invalid_client"})
        self.tokens.add(TOKEN)
        return {"access_token": TOKEN}

    def authorize(self, request: ServerRequest) -> ServerResponse:
        return ServerResponse(302, {"Location": "http://127.0.0.1:1/?code=1"})

    def drop_token(self, request: ServerRequest) -> None:
        self.tokens.clear()

    def respond(self, request: ServerRequest) -> ServerResponse:
        if (request.authorization or "")[7:] not in self.tokens:
            raise HttpError(401)
        found, path_values = self.router.find(request.method, request.path)
        try:
            return found.respond(request, path_values, self.state)
        except InvalidValueError as error:
            raise HttpError(400, {error.field: [error.expected]}) from None

    def error_body(self, status: int) -> dict[str, Any]:
        return {"title": str(status)}

    def response_headers(self) -> dict[str, str]:
        return {"X-Notes": "1"}


@pytest.fixture
def notes() -> Iterator[MockServer]:
    service: MockService = NoteService()
    with MockServer(service) as running:
        yield running


def sign_in(server: MockServer, secret: str = "right") -> requests.Response:
    form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": secret}
    return requests.post(f"{server.base_url}/auth/token", data=form, timeout=TIMEOUT_S)


def send(server: MockServer, method: str, path: str, **options: Any) -> requests.Response:
    options.setdefault("headers", {"Authorization": f"Bearer {TOKEN}"})
    return requests.request(method, f"{server.base_url}/api{path}", timeout=TIMEOUT_S, **options)


def test_operations(notes: MockServer) -> None:
    sign_in(notes)
    created = send(notes, "POST", "/Note", json=[{"text": "a"}, {"text": "b"}])
    assert created.json() == [{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]
    assert created.headers["X-Notes"] == "1"
    link = f"{notes.base_url}/notes/2"
    assert send(notes, "GET", "/Note/2?link=true").json() == {"id": 2, "text": "b", "link": link}
    assert send(notes, "POST", "/Note/file", files={"file": ("c.txt", b"c")}).status_code == 201
    assert send(notes, "GET", "/Note/3").json() == {"id": 3, "text": "c"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reply"),
    [
        ("GET", "/Note/9", None, 404, {"title": "404"}),
        ("GET", "/Other", None, 404, {"title": "404"}),
        ("DELETE", "/Note/9", None, 405, {"title": "405"}),
        ("POST", "/Note/file", None, 415, {"title": "415"}),
        ("GET", "/Note/x", None, 400, {"noteId": ["int32"]}),
        ("POST", "/Note", [{"text": "a"}, {}], 400, {"body[1].text": ["a value"]}),
        ("POST", "/Note", {"text": "a"}, 400, {"body": ["array"]}),
    ],
)
def test_errors_have_the_service_s_form(
    notes: MockServer, method: str, path: str, body: Any, status: int, reply: dict[str, Any]
) -> None:
    sign_in(notes)
    response = send(notes, method, path, json=body)
    assert (response.status_code, response.json()) == (status, reply)


def test_sign_in(notes: MockServer) -> None:
    assert send(notes, "GET", "/Note/1").status_code == 401
    assert sign_in(notes, "wrong").json() == {"error": "invalid_client"}
    url = f"{notes.base_url}/auth/token"
    assert requests.post(url, json={}, timeout=TIMEOUT_S).json() == {"title": "415"}
    assert sign_in(notes).json() == {"access_token": TOKEN}
    browser = requests.get(f"{notes.base_url}/auth/authorize", allow_redirects=False, timeout=TIMEOUT_S)
    assert browser.headers["Location"] == "http://127.0.0.1:1/?code=1"
    assert [entry["status"] for entry in notes.log.signins()] == [401, 415, 200]
    assert "right" not in str(notes.log.signins())


def test_faults(notes: MockServer) -> None:
    sign_in(notes)
    notes.set_faults(queue=["500", "429", None, "expire"])
    assert send(notes, "POST", "/Note", json=[]).json() == {"title": "500"}
    assert send(notes, "POST", "/Note", json=[]).headers["Retry-After"] == "1"
    assert send(notes, "POST", "/Note", json=[]).json() == []
    assert send(notes, "POST", "/Note", json=[]).status_code == 401
    assert [entry["executed"] for entry in notes.log.requests()] == [False, False, True, False]


def test_the_common_part_knows_no_service() -> None:
    for path in sorted(Path(connector.sandbox.__file__).parent.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert "ninja" not in text.lower(), path
        literals = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
        assert not [value for value in literals if isinstance(value, str) and "/v2" in value], path
