"""Both sandboxes with a sync."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sync.pair import Pair

SERIAL = "{{ device.system.serialNumber }}"
DEVICES: dict[str, Any] = {
    "type": "{{ device.nodeClass }}",
    "types": {
        "WINDOWS_SERVER": "Server",
        "WINDOWS_WORKSTATION": "Workstation",
        "MAC": "Mac",
        "LINUX_SERVER": "Linux",
        "LINUX_WORKSTATION": "Linux",
    },
    "match": {"field": 117},
    "fields": {"117": SERIAL},
}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path) as made:
        made.map(clients={"take": "all"}, devices=DEVICES)
        yield made


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Pair]:
    """HaloPSA without clients and assets."""
    with Pair(tmp_path, assets=0, clients=0, tickets=0) as made:
        yield made
