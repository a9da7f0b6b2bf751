"""Fixtures of the tests of the client."""

from tests.client.stores import store, tokens  # noqa: F401 (fixtures)
