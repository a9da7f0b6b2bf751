"""The envelope: what the connector says of one row, or of one item of a row's list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.common import json_text
from connector.common.absent import ABSENT
from connector.common.json_text import Json

VERSION = 1
"""The version of `schemas/envelope.schema.json`."""


@dataclass(frozen=True)
class Envelope:
    """One output object. `meta` is described by `schemas/envelope.schema.json`; `input` is the kept row."""

    row: int
    error: str | None
    result: Json
    meta: Mapping[str, Any]
    input: Json = field(default_factory=lambda: ABSENT)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Envelope:
        """Read an object that `as_json` gave. Raises ValueError for anything else."""
        try:
            envelope = cls(
                written["row"],
                written["error"],
                written["result"],
                written["meta"],
                written.get("input", ABSENT),
            )
        except KeyError as error:
            raise ValueError(f"this is no envelope: it has no {error}") from None
        if not isinstance(envelope.row, int) or not isinstance(envelope.meta, dict):
            raise ValueError("this is no envelope: its row or its meta is none")
        return envelope

    @property
    def has_error(self) -> bool:
        """Whether the row, or this item of it, failed."""
        return self.error is not None

    @property
    def ends_row(self) -> bool:
        """Whether its row has no more envelopes."""
        return bool(self.meta.get("last", True))

    def as_json(self) -> dict[str, Json]:
        """Give the object that is written."""
        written = {
            "has_error": self.has_error,
            "error": self.error,
            "result": self.result,
            "row": self.row,
            "meta": self.meta,
        }
        return written if self.input is ABSENT else {**written, "input": self.input}

    def line(self) -> bytes:
        """Write it as one line of JSON Lines."""
        return json_text.dump_bytes(self.as_json()) + b"\n"
