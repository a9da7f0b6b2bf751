"""The number and names of the records that the rows of a step change, for a confirmation or a plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.common.json_text import Json
from connector.common.zones import in_zone, read_zone
from connector.errors import RowError, count_of
from connector.runs.prepared import Prepared
from connector.runs.run import open_rows

_NAMES = ("displayName", "systemName", "name", "display_name", "system_name", "hostname", "subject")
"""The fields with the name of a record, the best first."""
_MAX_CHARACTERS = 60

NamesOf = Callable[[Json], str]
"""A function that returns the name of a record by its id; empty if it is not known."""


@dataclass(frozen=True)
class Affected:
    """The rows of a step: their number, the names of the first ones, and the noun for what they change."""

    count: int
    names: tuple[str, ...]
    noun: str

    @property
    def text(self) -> str:
        """The number and the names, such as `14 devices: SRV-0021, SRV-0022, ...`."""
        noun = re.sub("[^aeiou]y$", lambda end: f"{end[0][0]}ie", self.noun) if self.count != 1 else self.noun
        number = count_of(self.count, noun)
        if not self.names:
            return number
        more = ", ..." if self.count > len(self.names) else ""
        return f"{number}: {', '.join(self.names)}{more}"


def find_affected(prepared: Prepared, most: int, names_of: NamesOf | None = None) -> Affected:
    """Return the rows of a step, with at most so many names. The step before it must be finished.

    `names_of` returns the name of a record by its id, or an empty text, if the row has no name. Raises
    RunError.
    """
    count, names = 0, []
    with in_zone(read_zone(prepared.job.timezone)):
        for row in open_rows(prepared).rows.rows():
            count += 1
            if count <= most:
                unread = f"row {row.number}" if row.error else ""
                names.append(unread or name_of(prepared, row.data, row.number, names_of))
    input = target_of(prepared)
    noun = input.removesuffix("_id").replace("_", " ") if input.endswith("_id") else "row"
    return Affected(count, tuple(names), noun)


def name_of(prepared: Prepared, row: Mapping[str, Json], number: int, names_of: NamesOf | None = None) -> str:
    """Return the name of the record that a row changes, else its id, else the number of the row.

    The name is that of a result in the row with this id, or a field of the row. Of a new record, it is the
    value of the input with its name.
    """
    target, values = target_of(prepared), _values(prepared, row)
    id = values.get(target) if target else None
    found = list(_records(row))
    if not target:
        found.insert(0, values)
    named = [record for record in found if id is not None and record.get("id") == id]
    if not named and id is not None and any("id" in record for record in found):
        named = [{name: value for name, value in row.items() if not isinstance(value, dict)}]
    for record in named or ([row, *found] if target else [*found, row]):
        for name in _NAMES:
            if isinstance(record.get(name), str) and record[name].strip():
                return _shown(record[name])
    if id is None:
        return f"row {number}"
    return _shown((names_of(id) if names_of else "") or str(id))


def target_of(prepared: Prepared) -> str:
    """Return the name of the input that is the id of what the action changes; empty if there is none."""
    named = [name for name, input in prepared.action.inputs.items() if input.place == "path"]
    return next((name for name in reversed(named) if name.endswith("_id")), next(iter(named), ""))


def _values(prepared: Prepared, row: Mapping[str, Json]) -> Mapping[str, Any]:
    """Return the values of the inputs; empty if they are not valid."""
    try:
        return prepared.bindings.values(row)
    except RowError:
        return {}


def _records(row: Mapping[str, Json]) -> Iterator[Mapping[str, Any]]:
    """Yield the results of earlier steps in a row, the latest first."""
    return (value for value in reversed(list(row.values())) if isinstance(value, dict))


def _shown(text: str) -> str:
    """Return a name on one line, without control characters, and not too long."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return line if len(line) <= _MAX_CHARACTERS else f"{line[:_MAX_CHARACTERS]}…"
