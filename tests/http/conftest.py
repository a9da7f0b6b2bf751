"""The library that reads responses on real connections."""

from __future__ import annotations

import pytest

from connector.http import http1
from tests.http.http1_answers import READERS


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.slow] * (name != "http.client")) for name in READERS]
)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each library in turn. Wherever else there are real servers, it is the fastest that is installed."""
    monkeypatch.setattr(http1, "response_reader", lambda: READERS[request.param])
