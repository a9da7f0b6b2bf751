"""Fixtures of the tests of the client."""

from tests.client.stores import store  # noqa: F401 (a fixture)
