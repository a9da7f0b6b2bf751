"""The sandbox, called as in the end-to-end tests."""

from tests.e2e.conftest import call

__all__ = ["call"]
