"""Addresses on which servers listen, as they are written in URLs."""

from __future__ import annotations

import pytest

from connector.common.listening import LOOPBACK_HOSTS, bound, netloc


def test_an_ipv6_address_has_brackets() -> None:
    assert netloc("127.0.0.1", 80) == "127.0.0.1:80"
    assert netloc("::1", 8700) == "[::1]:8700"
    assert LOOPBACK_HOSTS == ("127.0.0.1", "localhost", "[::1]")


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 70_000), ("127.0.0.1", -1), ("a" * 70, 0), ("\0", 0)]
)
def test_an_address_that_is_not_valid_is_an_os_error(host: str, port: int) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - the system words the message
        bound(host, port)
