"""The receiver of webhooks under load and kills: what got a 200 is in the inbox, and everything is once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.findings import percentile
from benchmarks.receiver import A_SECOND, receive

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")

Record = Callable[[str, Any], None]


def survive(folder: Path, posts: int, kills: int, record: Record) -> None:
    found = receive(folder, posts, kills=kills)
    assert found.inbox == list(range(posts))
    record("posts", posts)
    record("kills", kills)
    record("sent again", found.repeated)


def test_deliveries_survive_some_kills(tmp_path: Path, record_property: Record) -> None:
    survive(tmp_path, 400, 2, record_property)


@pytest.mark.slow
def test_ten_thousand_deliveries_survive_twenty_kills(tmp_path: Path, record_property: Record) -> None:
    survive(tmp_path, 10_000, 20, record_property)


@pytest.mark.slow
def test_two_hundred_deliveries_a_second(tmp_path: Path, record_property: Record) -> None:
    """The figures are recorded; what is asserted holds on a busy machine, too."""
    found = receive(tmp_path, 15 * A_SECOND, a_second=A_SECOND)
    record_property("deliveries a second", round(len(found.seconds) / found.took_s))
    record_property("p50 ms", round(1000 * percentile(found.seconds, 50), 1))
    record_property("p99 ms", round(1000 * percentile(found.seconds, 99), 1))
    assert len(found.inbox) == 15 * A_SECOND
