"""Parsed templates and their variables, which bind inputs to the fields of a row.

This module does not import Jinja, which takes a sixth of the time of a call without templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from connector.common.json_text import Json

if TYPE_CHECKING:
    from jinja2 import nodes

Row = Mapping[str, Json]

Gaps = Literal["sent", "omitted", "omitted with null"]
"""Whether members with an empty text of a row are sent or omitted. In a table, NULL is like an empty text."""

Fill = Callable[[list[Any]], Json]
"""A function that inserts the values of expressions, in order, into the document.

Raises InputError for invalid JSON.
"""

GLOBALS: dict[str, Any] = {}
"""The functions and values that all templates can use; the module `environment` adds them."""

WHOLE_ROW = "__row__"
"""The name of the internal variable that contains the whole row."""


class Scope(dict[str, Any]):
    """The variables of a row's templates: its fields, and `row` for fields whose names are not identifiers.

    `constants` are variables with the same value for all rows of a run; a field of the same name takes
    precedence. A field named `row` can be read as `row`, while `row['a name']` and `row.name` are always
    fields of the row.
    """

    def __init__(self, row: Row, constants: Mapping[str, Json] | None = None) -> None:
        super().__init__(GLOBALS)
        if constants:
            self.update(constants)
        self["row"] = row
        self.update(row)
        self[WHOLE_ROW] = row
        self.fields = row


Render = Callable[[Scope], Json]
"""A compiled template: a function that returns its value for a row. Raises InputError (`template_error`)."""


class Template(NamedTuple):
    """A parsed template, which is not compiled yet.

    `fill` combines the values of its `expressions`; a template with statements has no `fill` and no
    `expressions`. `compile` compiles it alone; it raises RunError if the template is nested too deeply.
    `source` is its text, which is empty for a constant.
    """

    compile: Callable[[], Render]
    expressions: tuple[nodes.Expr, ...] = ()
    fill: Fill | None = None
    source: str = ""


def constant(value: Json) -> Template:
    """Return a template with the same value for every row."""
    return Template(lambda: lambda scope: value, (), lambda values: value)


def is_template(setting: str | None) -> bool:
    """Return whether a setting, such as that of the connection, is a template, and not a name."""
    return setting is not None and ("{{" in setting or "{%" in setting)


def takes_json(schema: Mapping[str, Json]) -> bool:
    """Return whether a template for this schema is a JSON document: its types are array and object only."""
    types = schema.get("type", ())
    wanted = {types} if isinstance(types, str) else set(types)
    return bool(wanted) and wanted <= {"array", "object", "null"} and wanted != {"null"}
