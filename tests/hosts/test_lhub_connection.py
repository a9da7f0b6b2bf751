"""The connection's form: the SDK's `shim_validate --validate-connections`, TLS and proxies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.hosts.logichub import LogicHub
from tests.loopback import CERTIFICATE, Server, Talk, closed_port

ALL = "--validate-connections"


def at_fault(integration: LogicHub, **variables: str) -> tuple[str, str]:
    """The field that is named, and what is said of it."""
    code, message = integration.validate(ALL, **variables)
    assert code == 1
    (error,) = message["errors"]
    return error["inputId"].removeprefix("NINJAONE_"), error["message"]


def test_a_good_connection_signs_in(ours: LogicHub, sandbox: Sandbox) -> None:
    assert ours.validate(ALL) == (0, {})
    assert ours.validate(ALL) == (0, {})
    assert len(sandbox.log.signins()) == 2  # no token of an earlier run is taken for a sign-in


@pytest.mark.parametrize(
    ("variables", "field", "output"),
    [
        ({"CLIENT_ID": ""}, "CLIENT_ID", "Parameter must be defined"),
        ({"CLIENT_ID": "someone"}, "CLIENT_ID", "does not know this client app"),
        ({"CLIENT_SECRET": "wrong-wrong-wrong"}, "CLIENT_SECRET", "refuses the client secret"),
        ({"BASE_URL": "", "REGION": "eu2"}, "REGION", 'no region "eu2" (did you mean "eu"?)'),
        ({"BASE_URL": ""}, "REGION", "set either region (us, us2, eu, ca, oc, fed) or base_url"),
        ({"BASE_URL": "rmm.example.com"}, "BASE_URL", "base_url must look like https://"),
        ({"BASE_URL": "http://rmm.example.com"}, "BASE_URL", "base_url must use https://"),
    ],
)
def test_the_field_at_fault(ours: LogicHub, variables: dict[str, str], field: str, output: str) -> None:
    given = {f"NINJAONE_{name}": value for name, value in variables.items()}
    named, message = at_fault(ours, **given)
    assert named == field
    assert output in message
    assert "wrong-wrong" not in message


def test_the_base_url_counts_instead_of_the_region(ours: LogicHub) -> None:
    assert ours.validate(ALL, NINJAONE_REGION="eu") == (0, {})


def test_nobody_listens_there(ours: LogicHub) -> None:
    named, message = at_fault(ours, NINJAONE_BASE_URL=f"http://127.0.0.1:{closed_port()}")
    assert (named, "no connection" in message) == ("BASE_URL", True)


def test_somebody_else_listens_there(ours: LogicHub) -> None:
    def other(talk: Talk) -> None:
        while talk.read():
            talk.answer(b"<html>not here</html>", "404 Not Found", "Content-Type: text/html")

    with Server((other,)) as server:
        named, _ = at_fault(ours, NINJAONE_BASE_URL=server.base_url)
    assert named == "BASE_URL"


def api(talk: Talk) -> None:
    """Sign everybody in, and carry everything out."""
    while request := talk.read():
        signs_in = request.target.endswith("/ws/oauth/token")
        talk.answer(b'{"access_token": "a-token", "expires_in": 3600}' if signs_in else b"{}")


@pytest.fixture
def secure() -> Iterator[Server]:
    """An API over TLS, whose certificate only `CERTIFICATE` vouches for."""
    with Server((api,), tls=True) as server:
        yield server


TRUST: list[tuple[dict[str, str], bool]] = [
    ({}, False),
    ({"CURL_CA_BUNDLE": str(CERTIFICATE)}, True),
    ({"NINJAONE_VERIFY_TLS": "false"}, True),
    ({"NINJAONE_VERIFY_TLS": "true"}, False),
    ({"__lh_ssl_verify": "False"}, True),
    ({"__lh_ssl_verify": "True"}, False),
]


@pytest.mark.parametrize(("variables", "trusted"), TRUST)
def test_whom_a_sign_in_trusts(
    ours: LogicHub, secure: Server, variables: dict[str, str], trusted: bool
) -> None:
    there = {"NINJAONE_BASE_URL": secure.base_url, **variables}
    if trusted:
        assert ours.validate(ALL, **there) == (0, {})
    else:
        named, message = at_fault(ours, **there)
        assert named == "VERIFY_TLS"
        assert "certificate verify failed" in message


@pytest.mark.parametrize(("variables", "trusted"), TRUST)
def test_whom_a_run_trusts(ours: LogicHub, secure: Server, variables: dict[str, str], trusted: bool) -> None:
    there = {"NINJAONE_BASE_URL": secure.base_url, **variables}
    ran = ours.run("cancel_maintenance", [{"lhub_id": 1}], {"device_id": "1"}, **there)
    if trusted:
        assert ran.envelope["error"] is None
    else:
        assert "certificate verify failed" in ran.refusal


def test_certificates_that_cannot_be_read(ours: LogicHub, secure: Server) -> None:
    there = {"NINJAONE_BASE_URL": secure.base_url, "CURL_CA_BUNDLE": "/nowhere/ca.pem"}
    named, message = at_fault(ours, **there)
    assert (named, "/nowhere/ca.pem" in message) == ("VERIFY_TLS", True)


def through(proxy: Any) -> dict[str, str]:
    return {"NINJAONE_PROXY": proxy}


def test_a_proxy_is_gone_through(ours: LogicHub) -> None:
    with Server((api,)) as proxy:
        there = {"NINJAONE_BASE_URL": f"http://127.0.0.1:{closed_port()}", **through(proxy.base_url)}
        assert ours.validate(ALL, **there) == (0, {})
        assert [r.target for r in proxy.received] == [f"{there['NINJAONE_BASE_URL']}/ws/oauth/token"]


def refuse(talk: Talk) -> None:
    """Answer as a proxy that wants to know who asks."""
    while talk.read():
        talk.answer(b"", "407 Proxy Authentication Required")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses(ours: LogicHub, scheme: str) -> None:
    with Server((refuse,)) as proxy:
        there = {"NINJAONE_BASE_URL": f"{scheme}://127.0.0.1:{closed_port()}", **through(proxy.base_url)}
        assert at_fault(ours, **there)[0] == "PROXY"


def test_a_proxy_that_is_not_there(ours: LogicHub) -> None:
    secret = f"http://user:pass-word-pass@127.0.0.1:{closed_port()}"
    named, message = at_fault(ours, **through(secret))
    assert named == "PROXY"
    assert "pass-word" not in message


def test_a_proxy_whose_url_cannot_be_read(ours: LogicHub) -> None:
    named, message = at_fault(ours, **through("http://user:pass-word-pass@[oops"))
    assert named == "PROXY"
    assert "pass-word" not in message
