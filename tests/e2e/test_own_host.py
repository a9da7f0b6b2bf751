"""A secret is sent to the connection's own host alone: not to another region, and not by a redirect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.factory import open_client
from connector.connections.connection import make_connection
from connector.invocation.health_checks import examine
from tests.fakes import FakeClock
from tests.loopback import Server, Talk

SECRETS = {"client_id": "an-app", "client_secret": "S3cret-value-of-the-app"}
Answer = Callable[[Talk, str], None]


def refuse(talk: Talk, other: str) -> None:
    """What a region says of an app of another one."""
    talk.answer(b'{"resultCode": "FAILURE", "errorMessage": "Client app not exist"}', "404 Not Found")


def refuse_the_secret(talk: Talk, other: str) -> None:
    talk.answer(b'{"error": "invalid_client"}', "400 Bad Request")


def break_down(talk: Talk, other: str) -> None:
    talk.answer(b"{}", "503 Service Unavailable")


def move(status: str) -> Answer:
    def respond(talk: Talk, other: str) -> None:
        talk.answer(b"{}", status, f"Location: {other}/ws/oauth/token")

    return respond


MOVES = [move(status) for status in ("301 Moved", "302 Found", "303 See", "307 Temporarily", "308 For Good")]


Regions = Callable[[Answer, bool], tuple[dict[str, str], Server, list[Server]]]


@pytest.fixture
def regions() -> Iterator[Regions]:
    """Six regions on this machine: five that note who comes, and `eu`, which answers as the test says."""
    with ExitStack() as stack:

        def start(response: Answer, signs_in: bool) -> tuple[dict[str, str], Server, list[Server]]:
            others = [stack.enter_context(Server((lambda talk: talk.read(),))) for _ in range(5)]

            def talk(talk: Talk) -> None:
                while request := talk.read():
                    if signs_in and request.target == "/ws/oauth/token":
                        talk.answer(b'{"access_token": "T0ken-of-the-app", "expires_in": 3600}')
                    else:
                        response(talk, others[0].base_url)

            own = stack.enter_context(Server((talk,)))
            names = ("us", "us2", "ca", "oc", "fed")
            hosts = {name: other.base_url for name, other in zip(names, others, strict=True)}
            return {**hosts, "eu": own.base_url}, own, others

        yield start


@pytest.mark.parametrize("response", [refuse, refuse_the_secret, break_down, *MOVES])
@pytest.mark.parametrize("signs_in", [False, True], ids=["signing in", "asking the API"])
def test_only_the_connections_own_host_is_asked(
    service: Service, catalog: Catalog, regions: Regions, response: Answer, signs_in: bool, clock: FakeClock
) -> None:
    hosts, own, others = regions(response, signs_in)
    service = service._replace(regions=hosts)
    client = open_client(service, make_connection(service, {"region": "eu", **SECRETS}, "x"), 0, clock=clock)
    findings = list(examine(service, catalog, client))
    assert findings[0].ok is signs_in
    assert findings[1].ok is (False if signs_in else None)
    assert b"S3cret-value-of-the-app" in own.received[0].body
    assert [other.connections for other in others] == [0, 0, 0, 0, 0]
    for request in own.received:
        carries = "authorization" in request.headers
        assert carries == (request.target != "/ws/oauth/token")
        assert "S3cret" not in request.line
