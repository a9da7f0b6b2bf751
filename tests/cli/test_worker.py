"""`ninjaone worker` refuses what it cannot use before it takes tasks."""

from __future__ import annotations

import pytest

pytest.importorskip("temporalio", reason="the package temporalio is not installed")
pytest.importorskip("psycopg", reason="the package psycopg is not installed")

from tests.cli.conftest import Ninjaone
from tests.loopback import closed_port

pytestmark = pytest.mark.in_process

NOWHERE = "postgresql://127.0.0.1:9/nowhere"
"""A database on a port on which nothing listens."""


@pytest.mark.parametrize(
    "address", ["https://foo", "http://localhost:7233", "foo:", ":7233", "h:1/n", "h?x=y", "u:sesame@h:1", ""]
)
def test_an_address_of_another_kind_is_refused(ninjaone: Ninjaone, address: str) -> None:
    refused = ninjaone("worker", "--state", NOWHERE, "--address", address)
    assert refused.returncode == 2
    assert "--address: use HOST:PORT, such as localhost:7233" in refused.stderr
    assert "sesame" not in refused.stderr


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "temporal://127.0.0.1:{}/", "[::1]:{}", "localhost:{}"])
def test_a_database_that_cannot_be_reached_is_noticed_first(ninjaone: Ninjaone, form: str) -> None:
    failed = ninjaone("worker", "--state", NOWHERE, "--address", form.format(closed_port()))
    assert (failed.returncode, "127.0.0.1:9/nowhere" in failed.stderr) == (2, True), failed.stderr
    assert "takes tasks" not in failed.stderr
