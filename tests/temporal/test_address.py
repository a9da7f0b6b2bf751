"""Addresses of Temporal servers."""

from __future__ import annotations

import pytest

from connector.errors import RunError
from connector.temporal.address import Address, read_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("temporal://localhost", Address("localhost:7233", "default", "q")),
        ("temporal://localhost:17233/", Address("localhost:17233", "default", "q")),
        ("temporal://t.example/prod?task_queue=billing", Address("t.example:7233", "prod", "billing")),
        ("temporal://[::1]:7/a%20b?task_queue=", Address("[::1]:7", "a b", "q")),
    ],
)
def test_an_address_has_defaults(text: str, address: Address) -> None:
    assert read_address(text, "q") == address


@pytest.mark.parametrize(
    "text",
    [
        *("localhost:7233", "http://localhost", "temporal://", "temporal://h:port", "temporal://h/n?queue=x"),
        *("temporal://https://h", "temporal://h:", "temporal://h:0", "temporal://h/n/m"),
    ],
)
def test_a_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(
        RunError, match=r"address, temporal://HOST|address of a Temporal server, temporal://HOST"
    ):
        read_address(text, "q")


@pytest.mark.parametrize("start", ["temporal://", "temporal://https://", "https://", ""])
@pytest.mark.parametrize("end", ["", "#", "/", "?"])
def test_credentials_in_an_address_are_refused_and_not_shown(start: str, end: str) -> None:
    with pytest.raises(RunError, match="TEMPORAL_API_KEY") as refused:
        read_address(f"{start}user:open-sesame{end}@localhost", "q")
    assert "open-sesame" not in str(refused.value)
