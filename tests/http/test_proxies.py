"""Proxies in the settings and in the environment."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from connector.errors import CertificateError, ConnectionSetupError, NotSentError, ResponseLostError
from connector.http.connect import connect_settings
from connector.http.proxies import find_proxy
from connector.http.transport import HttpTransport
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


@pytest.mark.parametrize("by_environment", [False, True])
def test_plain_http_through_a_proxy(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch, by_environment: bool
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


def test_no_proxy_is_heeded(open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server((answering,)) as server:
        assert get(open_transport(server.base_url)).json() == {}


def test_the_connections_own_proxy_comes_before_the_environment(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    with Server((answering,)) as proxy:
        get(open_transport("http://localhost:1", proxy=f"http://127.0.0.1:{proxy.port}"))
    assert len(proxy.received) == 1


def tunnel_to(port: int, heads: list[Any]) -> Any:
    """A proxy that opens a tunnel to this machine's `port` and notes what it was asked."""

    def talk(talk: Talk) -> None:
        heads.append(talk.read_head())
        talk.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        pass_on(talk, port)

    return talk


def pass_on(talk: Talk, port: int) -> None:
    """Pass everything on to this machine's `port`, and back.

    On one thread, as a TLS socket must not be read and written by two at the same time.
    """
    outer = talk.connection
    with socket.create_connection(("127.0.0.1", port)) as inner:
        ways = {outer: inner, inner: outer}
        while True:
            is_held = isinstance(outer, ssl.SSLSocket) and outer.pending()
            ready = [outer] if is_held else select.select(list(ways), [], [], PATIENCE_S)[0]
            for source in ready:
                data = source.recv(65536)
                if not data:
                    return
                ways[source].sendall(data)
            if not ready:
                return


def test_https_through_a_proxy_shows_the_proxy_no_token(open_transport: OpenTransport) -> None:
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


def test_the_certificate_store_of_the_system_through_a_proxy(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is what OpenSSL uses by default, not the bundle that `requests` would use."""
    heads: list[Any] = []
    with Server((answering,), tls=True) as server, Server((tunnel_to(server.port, heads),)) as proxy:
        url = {"ca_file": "system", "proxy": f"http://127.0.0.1:{proxy.port}"}
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
        # Old versions of urllib3 name no host that is an address, which `truststore` requires.
        named = server.base_url.replace("127.0.0.1", "localhost")
        with pytest.raises(CertificateError, match="ca_file: system"):
            get(open_transport(named, **url))
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert get(open_transport(named, **url)).json() == {}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_has_sent_nothing(open_transport: OpenTransport, scheme: str) -> None:
    proxy = f"http://user:pass@127.0.0.1:{closed_port()}"
    with pytest.raises(NotSentError, match=r"^no connection: .*refused") as raised:
        get(open_transport(f"{scheme}://localhost:1", proxy=proxy))
    assert "pass" not in str(raised.value)


def test_a_proxy_that_refuses_a_tunnel_has_sent_nothing(open_transport: OpenTransport) -> None:
    hung_up = threading.Event()

    def talk(talk: Talk) -> None:
        talk.read_head()
        talk.answer(b"", "407 Proxy Authentication Required")
        if talk.read_head() is None:
            hung_up.set()

    with Server((talk,)) as proxy:
        with pytest.raises(NotSentError, match="407") as raised:
            get(open_transport("https://localhost:1", proxy=f"http://127.0.0.1:{proxy.port}"))
        assert hung_up.wait(PATIENCE_S), raised.value


@pytest.mark.parametrize("talk", [hang_up, reset_unanswered])
def test_a_proxy_that_breaks_after_the_request_has_lost_the_answer(
    open_transport: OpenTransport, talk: Any
) -> None:
    with Server((talk,)) as proxy, pytest.raises(ResponseLostError):
        get(open_transport("http://localhost:1", proxy=f"http://127.0.0.1:{proxy.port}"))
    assert len(proxy.received) == 1


@pytest.mark.parametrize(
    "proxy",
    ["http://user:hunter2@host:port", "http://user:hunter2@", "hunter2://[::1", "ftp://user:hunter2@host"],
)
def test_a_proxy_that_cannot_be_read_is_a_fault_of_the_connection(proxy: str) -> None:
    with pytest.raises(ConnectionSetupError, match=r"https://app.example.com: ") as raised:
        HttpTransport("https://app.example.com", proxy=proxy)
    assert "hunter2" not in str(raised.value)


def test_certificates_that_are_not_there_are_a_fault_of_the_connection(tmp_path: Path) -> None:
    with pytest.raises(ConnectionSetupError, match=r"CA certificate bundle"):
        HttpTransport(
            "https://app.example.com", ca_file=str(tmp_path / "none.pem"), proxy="http://127.0.0.1:9"
        )


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_from_the_environment_are_accepted_through_a_tunnel(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path
) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    shutil.copy(CERTIFICATE, tmp_path / "88d0bdcb.0")
    with Server((answering,), tls=True) as server, Server((tunnel_to(server.port, []),)) as proxy:
        transport = open_transport(server.base_url, proxy=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(CertificateError, match=r"certificate verify failed.*set ca_file"):
            get(transport)
        monkeypatch.setenv(name, str(tmp_path if name == "SSL_CERT_DIR" else CERTIFICATE))
        transport = open_transport(server.base_url, proxy=f"http://127.0.0.1:{proxy.port}")
        assert get(transport).json() == {}
        transport.close()


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_tunnel_is_kept_for_the_next_request(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    heads: list[Any] = []
    with Server((answering,), tls=True) as server, Server((tunnel_to(server.port, heads),)) as proxy:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        transport = open_transport(server.base_url, ca_file=str(CERTIFICATE))
        for _ in range(3):
            assert get(transport).json() == {}
        transport.close()
    assert (len(heads), len(server.received)) == (1, 3)


def test_a_proxy_may_itself_be_reached_by_tls(open_transport: OpenTransport) -> None:
    heads: list[Any] = []
    with (
        Server((answering,), tls=True) as server,
        Server((tunnel_to(server.port, heads),), tls=True) as proxy,
    ):
        transport = open_transport(
            server.base_url, ca_file=str(CERTIFICATE), proxy=f"https://127.0.0.1:{proxy.port}"
        )
        for _ in range(3):
            assert get(transport).json() == {}
        transport.close()
    assert (len(heads), len(server.received)) == (1, 3)


@pytest.mark.parametrize("tls", [False, True])
def test_a_socks_proxy(open_transport: OpenTransport, tls: bool) -> None:
    with Server((answering,), tls) as server:

        def talk(talk: Talk) -> None:
            assert talk._stream.read(3) == b"\5\1\0"  # version 5, one method of signing in: none
            talk.send(b"\5\0")
            assert talk._stream.read(4) == b"\5\1\0\3"  # connect to a name
            name = talk._stream.read(talk._stream.read(1)[0])
            assert (name, talk._stream.read(2)) == (b"localhost", server.port.to_bytes(2, "big"))
            talk.send(b"\5\0\0\1" + bytes(6))
            pass_on(talk, server.port)

        with Server((talk,)) as proxy:
            transport = open_transport(
                server.base_url.replace("127.0.0.1", "localhost"),
                ca_file=str(CERTIFICATE),
                proxy=f"socks5h://127.0.0.1:{proxy.port}",
            )
            for _ in range(3):
                assert get(transport).json() == {}
            transport.close()
    assert [r.target for r in server.received] == ["/v2/x"] * 3
    assert proxy.connections == 1


def test_a_socks_proxy_that_is_not_there_has_sent_nothing(open_transport: OpenTransport) -> None:
    with pytest.raises(NotSentError, match=r"^no connection: .*refused"):
        get(open_transport("https://localhost:1", proxy=f"socks5://127.0.0.1:{closed_port()}"))


def test_a_proxy_that_says_nothing_has_sent_nothing(open_transport: OpenTransport) -> None:
    def talk(talk: Talk) -> None:
        talk.read_head()
        talk.server.done.wait(PATIENCE_S)

    with (
        Server((talk,)) as proxy,
        pytest.raises(NotSentError, match=r"^no connection within 0.05 s$") as raised,
    ):
        get(open_transport("https://localhost:1", timeout_s=0.05, proxy=f"http://127.0.0.1:{proxy.port}"))
    assert raised.value.code == "timeout"


def test_to_connect_may_take_less_time_than_to_answer(open_transport: OpenTransport) -> None:
    with Server((answering,)) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        route = connect_settings("http://localhost:1", 60.0, verify_tls=True, ca_file=None, proxy=url)
        with route.connect() as connected:
            assert connected.gettimeout() == 60.0


def test_where_the_environment_names_a_proxy_for_others_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "example.com")
    assert find_proxy("https://app.example.com", 1.0, 1.0, None, None) is None
    assert find_proxy("http://app.example.org", 1.0, 1.0, None, None) is None
    assert find_proxy("https://app.example.org", 1.0, 1.0, None, None) is not None
