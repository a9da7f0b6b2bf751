"""The envelope: the outcome of one row, or of one item of a row's list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from connector.common import json_text
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.common.value_class import value_class

VERSION = 2
"""The version of `schemas/envelope.schema.json`."""


@value_class
class Envelope:
    """One envelope. `meta` is described in `schemas/envelope.schema.json`; `input` is the kept input row."""

    row: int
    error: str | None
    result: Json
    meta: Mapping[str, Any]
    input: Json = field(default_factory=lambda: ABSENT)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Envelope:
        """Return an envelope from its JSON object. Raises ValueError if the object is not an envelope."""
        try:
            envelope = cls(
                written["row"],
                written["error"],
                written["result"],
                written["meta"],
                written.get("input", ABSENT),
            )
        except KeyError as error:
            raise ValueError(f"not an envelope: it has no {error}") from None
        if not isinstance(envelope.row, int) or not isinstance(envelope.meta, dict):
            raise ValueError("not an envelope: its row or its meta is not valid")
        return envelope

    @property
    def has_error(self) -> bool:
        """Whether the row, or this item of it, failed."""
        return self.error is not None

    @property
    def ends_row(self) -> bool:
        """Whether this is the last envelope of its row."""
        return bool(self.meta.get("last", True))

    @property
    def row_text(self) -> str:
        """The row in a message: `row 11`, or in a later step of a job `row 11 (row 4 of the input)`."""
        origin = self.meta.get("input_row")
        return f"row {self.row}" + (f" (row {origin} of the input)" if origin else "")

    def as_json(self) -> dict[str, Json]:
        """Return the envelope as a JSON object."""
        written = {
            "has_error": self.has_error,
            "error": self.error,
            "result": self.result,
            "row": self.row,
            "meta": self.meta,
        }
        return written if self.input is ABSENT else {**written, "input": self.input}

    def line(self) -> bytes:
        """Return the envelope as a line of JSON Lines."""
        return json_text.dump_bytes(self.as_json()) + b"\n"
