"""Unique secrets are sown wherever a secret can be, and all that the commands write and print is searched.

`SEEDS` are the secrets by where they come from; each must arrive there (the test sees to it) and be found
nowhere but in `KEPT`, the files that keep secrets on purpose. A new secret needs a line there, and something
that uses it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from tests.fakes import write_lines

SEEDS = {
    # With what JSON and forms spell in another way.
    "a connection's client secret": 'Seed/cl1ent+"secret\\=%41-xyzzy',
    "the sign-in's token": "SeedToken.eyJhbGciOi-01_~+/tail/8fX+9a==",
    "a refresh token": "SeedRefreshToken/first+==",
    "a refresh token that replaced it": "SeedRotated.refresh-token_2",
    "a ready access token": "SeedReadyToken-b81f00cafe",
    "a proxy's password": "SeedProxy%40pass",
    "a client secret in an answer": "SeedAnswerClientSecret7f3a",
    "a password in an answer": "SeedAnswerPassword&<b>'x",
    "a token in an answer": "SeedAnswerToken55aa",
    "a TOTP secret in an answer": "SEEDANSWERTOTP234567",
    "a secure value in an answer": "SeedAnswerSecureValue99",
    "a row's password": 'SeedRow"password\\ö-42',
    "a row's TOTP secret": "SEEDROWTOTP765432",
    "a webhook's header": "SeedWebhookHeader-0001",
    "a base64 secret of a row": "U2VlZFJvdw/7+Zx9/Qk8+LmNvbQ==",
}
KEPT = (
    "config/ninjaone-connector/secrets/*.json",
    "state/ninjaone-connector/unsaved-connections/**/*.json",
    "cache/ninjaone-connector/token-*",
    "given/*",
)
"""Where secrets are on purpose, below the folder of the test; `given` are the files that the user wrote."""

LOG = ("-vv", "--log-file", "out/operator.log")
"""Every command shows its log, and keeps it."""

ANSWERED = {
    "id": 25,
    "clientSecret": SEEDS["a client secret in an answer"],
    "nested": [
        {"password": SEEDS["a password in an answer"], "totpSecret": SEEDS["a TOTP secret in an answer"]}
    ],
    "secureValue": SEEDS["a secure value in an answer"],
    "access_token": SEEDS["a token in an answer"],
}
HANGS = "Never Answered"
"""The name of an organization that is not made while the test looks on."""
BREAKS, ECHOES, QUOTES, REFUSES, PAGE, NAMES, REDIRECTS = 902, 903, 904, 905, 906, 907, 908
"""Devices about which the instance says something of its own."""


@dataclass
class Instance:
    """A NinjaOne that says what it should not; `heard` is all that it was sent, as text."""

    base_url: str = ""
    heard: list[str] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)


def _handler(instance: Instance) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            status, said, media_type = self.said(body)
            instance.heard.append(f"{self.headers}\n{body}\n{said}")
            data = said.encode()
            self.send_response(status)
            self.send_header("content-type", media_type)
            # What a gateway may do: it repeats the token, or what it was sent, in the id of the request.
            self.send_header("x-nj-request-id", f"an-id-{quote(self.repeated(body))}")
            if status == 302:
                self.send_header("location", "https://127.0.0.1/?back=" + quote(SEEDS["the sign-in's token"]))
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            with suppress(OSError):  # whoever asked was killed
                self.wfile.write(data)

        def repeated(self, body: str) -> str:
            with suppress(ValueError, KeyError, TypeError):
                return str(json.loads(body)["password"])
            return SEEDS["the sign-in's token"]

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def said(self, body: str) -> tuple[int, str, str]:
            token, as_json = SEEDS["the sign-in's token"], "application/json"
            if self.path == "/ws/oauth/token":
                if "wrong" in body:
                    return 401, json.dumps({"error": f"nobody knows {body}"}), as_json
                granted = {"access_token": token, "expires_in": 3600, "scope": "monitoring management"}
                if "grant_type=refresh_token" in body:
                    granted["refresh_token"] = SEEDS["a refresh token that replaced it"]
                return 200, json.dumps(granted), as_json
            device = int(self.path.split("/")[3].partition("?")[0]) if "/device/" in self.path else 0
            everything = f"{self.headers} {body} {json.dumps(ANSWERED)} {quote(token)}"
            if HANGS in body:
                instance.hangs.set()
                instance.goes_on.wait(60)
            if device == BREAKS:  # the errors quote its first part: every secret is cut somewhere
                cut = next(self.cuts)
                return (
                    200,
                    ("x" * (120 - cut) + token + '{"password": "' + ANSWERED["nested"][0]["password"]),
                    as_json,
                )
            if device == NAMES:
                return 200, json.dumps({token: 1, "in": [{quote(token): {token.rstrip("="): 2}}]}), as_json
            if device == REDIRECTS:
                return 302, "", as_json
            if device == QUOTES:
                return 400, json.dumps({"errorMessage": "s" * (200 - next(self.cuts)) + token}), as_json
            if device == REFUSES:
                return 401, json.dumps({"error": "invalid_token", "error_description": everything}), as_json
            if device == PAGE:
                return 403, f"<html>{everything}</html>", "text/html"
            if "related-items" in self.path:
                given = json.loads(body)
                message = f"no {given['password']} and no {given['totpSecret']}"
                return 400, json.dumps({"resultCode": "X", "errorMessage": message}), as_json
            if device == ECHOES:
                return 400, json.dumps({"resultCode": "X", "errorMessage": everything}), as_json
            if self.path.startswith("/v2/webhook"):
                return 400, body[body.index("headers") :], "text/plain"
            answer: Any = (
                ANSWERED if "/device/" in self.path or "/v2/organization/" in self.path else [ANSWERED]
            )
            return 200, json.dumps(answer), as_json

        cuts = iter(range(1, 1000, 3))

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return Handler


@pytest.fixture
def instance() -> Iterator[Instance]:
    found = Instance()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(found)) as server:
        found.base_url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        found.goes_on.set()
        server.shutdown()
        thread.join()


class User:
    """Runs commands in folders of its own, and keeps all that they print."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.given = folder, folder / "given"
        self.given.mkdir()
        self.printed: list[tuple[str, str]] = []
        self.environment = {
            **os.environ,
            "HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "TMPDIR": str(folder / "temporary"),
        }
        for name in ("home", "temporary", "out"):
            (folder / name).mkdir()

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "connector", *map(str, arguments), *LOG]

    def run(self, *arguments: object, exits: int, stdin: str = "", code: str = "", **environment: str) -> str:
        """Run `ninjaone ARGUMENTS`, or other code with these arguments; give what it printed."""
        command = (
            [sys.executable, "-c", code, *map(str, arguments), *LOG] if code else self.command(*arguments)
        )
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=60, cwd=self.folder,
            env={**self.environment, **environment},
        )  # fmt: skip
        self.printed.append((" ".join(map(str, arguments)), done.stdout + done.stderr))
        assert done.returncode == exits, done.stdout + done.stderr
        return done.stdout + done.stderr

    def rows(self, name: str, rows: list[dict[str, Any]]) -> Path:
        return write_lines(self.given / name, rows)


def found(text: bytes) -> list[str]:
    """Name the seeds in a text, however they are spelled there, and also where a half of one is left."""
    names = []
    for name, seed in SEEDS.items():
        spellings = {seed, json.dumps(seed)[1:-1], json.dumps(seed, ensure_ascii=False)[1:-1]}
        spellings |= {quote(seed, safe=""), quote(seed), quote_plus(seed), repr(seed)[1:-1]}
        spellings |= {json.dumps(seed)[1:-1].replace("/", "\\/"), seed.rstrip("=")}
        spellings |= {spelling[: max(9, len(spelling) // 2)] for spelling in spellings}
        if any(spelling.encode() in text for spelling in spellings):
            names.append(name)
    return names


CRASH = """
import sys
from connector.runs import run
from connector.cli.main import main
def fails(*arguments, **named):
    client = arguments[1].client
    try:
        raise KeyError(client.connection.client_secret)
    except KeyError:
        raise RuntimeError(f"no {client._auth.token()}")
run.run_batch = fails
sys.exit(main())
"""
"""The command line with a fault of ours in it, which knows more than it should tell."""


def test_no_secret_shows(instance: Instance, tmp_path: Path) -> None:
    user = User(tmp_path)
    secret = SEEDS["a connection's client secret"]
    settings = ("--base-url", instance.base_url, "--client-id", "an-app", "--secret-stdin")

    # --- connections
    user.run("connection", "add", "acme", *settings, stdin=secret, exits=0)
    for more in ("show", "list", "test"):
        for form in ((), ("--json",)):
            user.run("connection", more, *(() if more == "list" else ("acme",)), *form, exits=0)
    user.run("connection", "edit", "acme", "--audit", tmp_path / "out/audit.jsonl", "--no-test", exits=0)
    (user.given / "wrong.yaml").write_text(
        f"base_url: {instance.base_url}\nclient_id: wrong\nclient_secret: '{secret}'\n"
    )
    user.run("connection", "test", "-c", user.given / "wrong.yaml", exits=1)
    user.run("connection", "test", "-c", user.given / "wrong.yaml", "--json", exits=1)
    proxy_password = SEEDS["a proxy's password"]
    (user.given / "proxied.yaml").write_text(
        f"base_url: {instance.base_url}\naccess_token: {SEEDS['a ready access token']}\ntimeout_s: 5\n"
        f"proxy: http://user:{proxy_password}@127.0.0.1:9\n"
    )
    call = ("call", "get_device", "device_id=1", "--delay-ms", 0)
    user.run(*call, "-c", user.given / "proxied.yaml", exits=1)
    broken = user.given / "broken.yaml"
    broken.write_text(f"client_secret: {secret}: [\n")
    user.run(*call, "-c", broken, exits=2)

    # --- a user's sign-in, of a saved connection and of a file
    kind = ("--secret-kind", "refresh_token")
    user.run("connection", "add", "person", *settings, *kind, stdin=SEEDS["a refresh token"], exits=0)
    user.run("connection", "show", "person", exits=0)
    (user.given / "person.yaml").write_text(
        f"base_url: {instance.base_url}\nclient_id: an-app\nrefresh_token: {SEEDS['a refresh token']}\n"
    )
    for connection in ("person", user.given / "person.yaml"):
        for device in (1, ECHOES, REFUSES):
            command = ("call", "get_device", f"device_id={device}", "--delay-ms", 0, "-c", connection)
            user.run(*command, exits=0 if device == 1 else 1)

    # --- rows that are answered, and all that can go wrong with them
    devices = [1, BREAKS, ECHOES, QUOTES, REFUSES, PAGE, NAMES, REDIRECTS, 2]
    rows = user.rows("rows.jsonl", [{"device_id": number} for number in devices])
    run = ("run", "get_device", "-i", rows, "--delay-ms", 0)
    user.run(*run, "-o", "out/one.jsonl", "--summary", "out/summary.json", exits=1)
    user.run(*run, "-o", "out/one.csv", "--json", "--keep-row", exits=1)
    user.run(*run, exits=1)
    user.run("rerun", "out/one.jsonl", "--json", exits=1)
    user.run("run", "list_organizations", "--rows", "each", "-o", "out/each.json", stdin="{}\n", exits=0)
    user.run("preview", "get_device", "-i", rows, exits=0)
    user.run(*call, exits=0)
    breaks = user.rows("breaks.jsonl", [{"device_id": number} for number in (BREAKS, QUOTES) * 20])
    user.run("run", "get_device", "-i", breaks, "-o", "out/breaks.jsonl", "--delay-ms", 0, exits=1)

    # --- secrets that the user gives
    item = {
        "entity_type": "NODE", "entity_id": 5, "name": "login", "username": "admin",
        "password": SEEDS["a row's password"], "totp_secret": SEEDS["a row's TOTP secret"],
    }  # fmt: skip
    other = {**item, "password": SEEDS["a base64 secret of a row"]}
    wrong = {**item, "password": [item["password"]], "entity_id": 0}
    items = user.rows("items.jsonl", [item, other, wrong])
    user.run(
        "run", "create_secure_related_item", "-i", items, "-o", "out/items.jsonl", "--delay-ms", 0, exits=1
    )
    for form in ((), ("--json",)):
        user.run("preview", "create_secure_related_item", "-i", items, *form, exits=1)
    hook = {
        "url": "https://hooks.example.com", "activities": {"SYSTEM": ["*"]},
        "headers": [{"name": "X-Key", "value": SEEDS["a webhook's header"]}],
    }  # fmt: skip
    hooks = user.rows("hooks.jsonl", [hook])
    user.run("run", "configure_webhook", "-i", hooks, "-o", "out/hooks.jsonl", "--delay-ms", 0, exits=1)
    user.run("preview", "configure_webhook", "-i", hooks, exits=0)

    # --- a run that is killed: its journal stays
    made = user.rows("made.jsonl", [{"name": name} for name in ("First", "Second", HANGS, "Last")])
    killed = ("run", "create_organization", "-i", made, "-o", "out/killed.jsonl", "--delay-ms", 0)
    process = subprocess.Popen(
        user.command(*killed), cwd=tmp_path, env=user.environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    with process:
        assert instance.hangs.wait(60)
        if sys.platform == "linux":
            for number in (process.pid, *children(process.pid)):
                for about in ("cmdline", "environ"):
                    shown = Path(f"/proc/{number}/{about}").read_bytes()
                    user.printed.append((f"/proc/PID/{about}", shown.decode(errors="replace")))
        process.send_signal(signal.SIGKILL)
        user.printed.append(("a run that was killed", (process.stdout or sys.stdin).read().decode()))
    journal = (tmp_path / "out/killed.jsonl.run/journal.jsonl").read_text()
    assert journal.count('"answer"') == 2  # with secrets, had nobody hidden them
    search(user)
    instance.goes_on.set()
    user.run(*killed, "--resume", exits=1)

    # --- a fault of ours
    message = user.run(*run, "-o", "out/crash.jsonl", "--restart", code=CRASH, exits=4)
    assert "Traceback (most recent call last)" in message
    assert "RuntimeError: no •••" in message

    search(user)
    log = (tmp_path / "out/operator.log").read_text(encoding="utf-8")
    assert log.count(": signing in at ") > 5
    assert log.count(" row 3: GET /v2/device/903: ") > 5
    everything = "\n".join(instance.heard)
    sent = {*found(everything.encode()), *found(json.dumps(ANSWERED).encode())}
    # The one is for a proxy that is not there, and the other behind it.
    assert sent | {"a proxy's password", "a ready access token"} == SEEDS.keys()


def children(number: int) -> list[int]:
    """The processes that a process has started."""
    lists = Path(f"/proc/{number}/task").glob("*/children")
    return [int(child) for path in lists for child in path.read_text().split()]


def search(user: User) -> None:
    """Look for the seeds in all files and in all that was printed."""
    kept = {path for pattern in KEPT for path in user.folder.glob(pattern)}
    shown: dict[str, list[str]] = {}
    searched = 0
    for path in user.folder.rglob("*"):
        if path.is_file() and path not in kept:
            searched += 1
            shown[str(path.relative_to(user.folder))] = found(path.read_bytes())
    for command, text in user.printed:
        shown[command] = found(text.encode())
    assert {where: names for where, names in shown.items() if names} == {}
    assert searched > 10
    assert {name for path in kept for name in found(path.read_bytes())} >= {
        "a connection's client secret", "the sign-in's token", "a refresh token that replaced it",
    }  # fmt: skip


def test_the_search_finds_what_it_looks_for() -> None:
    for name, seed in SEEDS.items():
        for text in (seed, json.dumps({"a": seed}), quote_plus(seed), seed[: len(seed) // 2 + 5]):
            assert name in found(text.encode()), text
    assert not found(json.dumps(list(SEEDS)).encode())
