"""Batches of rows: their input, the API that answers them, and their output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from connector.common.absent import ABSENT
from connector.errors import ResponseLostError
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.http.messages import Response
from tests.fakes import FakeTransport, reply


@dataclass
class Kept:
    """An output in memory; `finished` tells whether it was completed."""

    done_rows: int = 0
    written: list[Envelope] = field(default_factory=list)
    finished: bool = False

    def write(self, lines: bytes) -> None:
        self.written += [read(line) for line in lines.splitlines()]

    def finish(self) -> None:
        self.finished = True

    def close(self) -> None:
        """Nothing to let go of."""


def read(line: bytes) -> Envelope:
    """The envelope that stands on a line."""
    data = json.loads(line)
    return Envelope(data["row"], data["error"], data["result"], data["meta"], data.get("input", ABSENT))


def rows(count: int, first: int = 1) -> Iterator[InputRow]:
    return (InputRow(n, {"n": n}) for n in range(first, first + count))


def echo(method: str, target: str, body: Any) -> Response:
    """Answers with the number that was asked for; 13 is refused and 14 gets lost."""
    number = int(target.rpartition("=")[2])
    if number == 13:
        return reply({"resultCode": "unlucky"}, 400)
    if number == 14:
        raise ResponseLostError("no whole answer", "timeout")
    return reply({"n": number})


def asked(transport: FakeTransport) -> list[int]:
    return [int(target.rpartition("=")[2]) for _, target, _ in transport.sent]
