"""Connections to a host: TLS, proxies, names, addresses."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import certifi
import pytest
import requests

from connector.errors import CertificateError, ConnectionSetupError, NotSentError, ResponseLostError
from connector.http.connect import ConnectSettings, connect_settings
from tests.conftest import OpenTransport
from tests.loopback import (
    CERTIFICATE,
    PATIENCE_S,
    Server,
    Talk,
    answering,
    closed_port,
    get,
    hang_up,
    reset_unanswered,
)


def route(base_url: str, **options: Any) -> ConnectSettings:
    return connect_settings(base_url, 5.0, **{"verify_tls": True, "ca_file": None, "proxy": None, **options})


def test_a_certificate_that_nobody_vouches_for_is_refused(open_transport: OpenTransport) -> None:
    with Server((answering,), tls=True) as server:
        with pytest.raises(CertificateError, match="certificate verify failed") as raised:
            get(open_transport(server.base_url))
        for name in ("ca_file", *VARIABLES):
            assert name in str(raised.value)
        assert raised.value.code == "network_error"
    assert server.connections == 1
    assert server.received == []


@pytest.mark.parametrize(
    "options",
    [
        {"ca_file": str(CERTIFICATE)},
        {"verify_tls": False},
    ],
)
def test_a_certificate_is_accepted_when_the_connection_says_so(
    open_transport: OpenTransport, options: Any
) -> None:
    with Server((answering,), tls=True) as server:
        assert get(open_transport(server.base_url, **options)).json() == {}
    assert server.received[0].headers["authorization"] == "Bearer a-token"


VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture
def no_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def authority_in(folder: Path) -> str:
    """Make a folder of certificates with `CERTIFICATE`."""
    folder.mkdir()
    shutil.copy(CERTIFICATE, folder / "88d0bdcb.0")  # what `openssl x509 -hash` calls it
    return str(folder)


@pytest.mark.usefixtures("no_bundles")
@pytest.mark.parametrize("name", VARIABLES[:3])
def test_certificates_from_the_environment_are_accepted(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(CERTIFICATE))
    with Server((answering,), tls=True) as server:
        assert get(open_transport(server.base_url)).json() == {}


@pytest.mark.skipif(sys.platform == "win32", reason="OpenSSL's own names of certificates, made on Unix")
@pytest.mark.usefixtures("no_bundles")
@pytest.mark.parametrize("file", [None, certifi.where()])
def test_certificates_from_folders_of_the_environment_are_accepted(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str | None
) -> None:
    folders = os.pathsep.join([str(tmp_path / "none"), authority_in(tmp_path / "certificates")])
    monkeypatch.setenv("SSL_CERT_DIR", folders)
    if file:
        monkeypatch.setenv("SSL_CERT_FILE", file)
    with Server((answering,), tls=True) as server:
        assert get(open_transport(server.base_url)).json() == {}


@pytest.mark.usefixtures("no_bundles")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
        ("CURL_CA_BUNDLE", "SSL_CERT_FILE"),
    ],
)
def test_the_first_variable_with_certificates_counts(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    monkeypatch.setenv(first, certifi.where())
    monkeypatch.setenv(second, str(CERTIFICATE))
    with Server((answering,), tls=True) as server:
        with pytest.raises(CertificateError) as raised:
            get(open_transport(server.base_url))
        monkeypatch.setenv(first, str(CERTIFICATE))
        monkeypatch.setenv(second, certifi.where())
        assert get(open_transport(server.base_url)).json() == {}
    used = f"the CA certificates of {first} ({certifi.where()}), which takes precedence over {second}. "
    assert used in str(raised.value)


@pytest.mark.usefixtures("no_bundles")
def test_a_folder_of_the_environment_that_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    with pytest.raises(ConnectionSetupError, match=r"SSL_CERT_DIR: the folder .*none does not exist"):
        route("https://app.example.com")
    assert route("http://127.0.0.1:1").prefix == ""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(ConnectionSetupError, match=r"SSL_CERT_FILE \(.*none.pem\) cannot be read"):
        route("https://app.example.com")


def test_the_connections_own_certificates_come_before_the_environments(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES[:3]:
        monkeypatch.setenv(name, certifi.where())
    with Server((answering,), tls=True) as server:
        assert get(open_transport(server.base_url, ca_file=str(CERTIFICATE))).json() == {}


@pytest.mark.usefixtures("no_bundles")
def test_without_settings_the_authorities_are_those_of_requests(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert requests.certs.where() == certifi.where()
    monkeypatch.setattr(certifi, "where", lambda: str(CERTIFICATE))
    with Server((answering,), tls=True) as server:
        assert get(open_transport(server.base_url)).json() == {}


@pytest.mark.skipif(sys.platform == "win32", reason="OpenSSL's own names of certificates, made on Unix")
def test_certificates_may_be_in_a_folder(open_transport: OpenTransport, tmp_path: Path) -> None:
    folder = authority_in(tmp_path / "certificates")
    with Server((answering,), tls=True) as server:
        assert get(open_transport(server.base_url, ca_file=folder)).json() == {}


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_certificates_that_cannot_be_read_are_a_fault_of_the_connection(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConnectionSetupError, match=r"CA certificate bundle .*bundle\.pem"):
        route("https://app.example.com", ca_file=str(path))


def test_a_certificate_for_another_host_is_refused(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more: find("127.0.0.1", *more))
    with Server((answering,), tls=True) as server:
        url = f"https://app.example.com:{server.port}"
        with pytest.raises(CertificateError, match=r"app\.example\.com") as raised:
            get(open_transport(url, ca_file=str(CERTIFICATE)))
    assert "ca_file" not in str(raised.value)  # no CA certificate would make it valid
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


def trickle(talk: Talk) -> None:
    """Send a TLS record that does not end, byte by byte."""
    talk.send(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while not talk.server.done.wait(0.01):
        talk.send(b"x")


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (plain_text, "network_error"),
        (reset_at_once, "network_error"),
        (say_nothing, "timeout"),
        (trickle, "timeout"),
    ],
)
def test_a_failed_handshake_has_sent_nothing(open_transport: OpenTransport, talk: Any, code: str) -> None:
    with Server((talk,)) as server:
        url = server.base_url.replace("http:", "https:")
        with pytest.raises(NotSentError) as raised:
            get(open_transport(url, timeout_s=0.05 if code == "timeout" else PATIENCE_S))
    assert raised.value.code == code
    assert (str(raised.value) == "no TLS handshake within 0.05 s") == (code == "timeout")


def break_tls(talk: Talk) -> None:
    talk.read()
    os.write(talk.connection.fileno(), b"this is no TLS record, and the request has been read")


@pytest.mark.parametrize("talk", [break_tls, hang_up, reset_unanswered])
def test_tls_that_breaks_after_the_request_has_lost_the_answer(
    open_transport: OpenTransport, talk: Any
) -> None:
    with Server((talk,), tls=True) as server, pytest.raises(ResponseLostError):
        get(open_transport(server.base_url, ca_file=str(CERTIFICATE)))
    assert len(server.received) == 1


# Names and addresses


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://app.example.com", "app.example.com"),
        ("https://App.Example.com:443", "app.example.com"),
        ("https://app.example.com:8443/x", "app.example.com:8443"),
        ("http://localhost:80", "localhost"),
        ("http://localhost:443", "localhost:443"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("https://user:pass@app.example.com", "app.example.com"),
        ("https://zürich.example.com", "xn--zrich-kva.example.com"),
    ],
)
def test_the_host_that_a_request_names(base_url: str, host: str) -> None:
    assert route(base_url).headers == {"host": host}


@pytest.mark.parametrize(
    ("base_url", "prefix"),
    [
        ("https://a.example.com", ""),
        ("https://a.example.com/gateway", "/gateway"),
        ("https://a.example.com/a%20b", "/a%20b"),
        ("https://a.example.com/a b/ü", "/a%20b/%C3%BC"),
    ],
)
def test_the_path_that_stands_before_all_targets(base_url: str, prefix: str) -> None:
    assert route(base_url).prefix == prefix


@pytest.mark.parametrize(
    "base_url",
    ["https://", "https:///x", "https://a:port", "https://a:99999", "https://[::1", "ftp://a", "a", "",
     "https://" + "a" * 64 + ".example.com", "https://a..example.com", "https://."],
)  # fmt: skip
def test_a_url_that_cannot_be_read_is_a_fault_of_the_connection(base_url: str) -> None:
    with pytest.raises(ConnectionSetupError, match="not a valid URL"):
        route(base_url)


def test_the_address_that_answers_is_found_among_several(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = closed_port()
    with Server((answering,)) as server:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (dead, server.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert get(open_transport("http://localhost")).json() == {}
    assert server.received[0].headers["host"] == "localhost"


def test_a_straight_way_needs_no_slow_imports() -> None:
    code = (
        "import sys; from connector.http.transport import HttpTransport;"
        "HttpTransport('http://localhost'); print('ssl' in sys.modules);"
        "HttpTransport('https://localhost'); print(*{'requests', 'urllib3', 'http'} & {*sys.modules})"
    )
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == ["False"]
