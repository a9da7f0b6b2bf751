"""Rows of an update that change nothing."""

from __future__ import annotations

from collections.abc import Mapping

from connector.common.json_text import Json
from connector.errors import InputError
from connector.invocation.bindings import Bindings


def require_change(bindings: Bindings, row: Mapping[str, Json], values: Mapping[str, Json]) -> None:
    """Raise InputError if each member of an update's body that a template or field stands for is a gap.

    `values` are the row's typed values. An update for which nothing is bound, such as one whose request has
    no body, is not an error.
    """
    if not bindings.action.is_update:
        return
    inputs = bindings.action.inputs
    if any(inputs[name].place in ("body", "part") for name in values):
        return
    gaps = [
        f"{binding.input.name} ({binding.source})"
        for binding in bindings.bound
        if binding.input.place == "body" and (binding.is_template or binding.input.name in row)
    ]
    if gaps:
        raise InputError("input_invalid", f"nothing to change: no value for {'; '.join(gaps)}")
