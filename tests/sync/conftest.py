"""Both sides, small, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.sides import Sync, small


@pytest.fixture
def sync(tmp_path: Path) -> Iterator[Sync]:
    made = small(tmp_path)
    yield made
    made.state.close()
