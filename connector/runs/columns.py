"""Checks before a run starts that the input has the columns that the templates use."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from connector.errors import RunError, nearest, shorten
from connector.runs.prepared import Prepared, naming
from connector.templating.scope import is_template


def check_columns(prepared: Prepared) -> None:
    """Raise RunError if the header of the input lacks a column that a template uses for every row.

    Only tables (CSV, TSV, Excel) have a header. A step whose rows come from another step is not checked.
    """
    job = prepared.job
    with naming(job):
        columns = None if job.follows else job.source().columns()
        if columns is None:
            return
        missing: dict[str, list[str]] = {}
        for name, template in _uses(prepared):
            if name not in columns and name not in prepared.bindings.constants:
                missing.setdefault(name, []).append(template)
        if missing:
            raise RunError(_message(job.input, missing, columns))


def _uses(prepared: Prepared) -> Iterator[tuple[str, str]]:
    """Yield (field, input) for each field of a row that a template requires."""
    from connector.templating.required_fields import required_fields  # imported only if it is used

    for binding in prepared.bindings.bound:
        for name in required_fields(binding.template.source):
            yield name, binding.input.name
    for name in required_fields(prepared.job.distinct):
        yield name, "distinct"
    connection = prepared.job.connection
    if connection is not None and is_template(connection):
        for name in required_fields(connection):
            yield name, "connection"


def _message(input: str, missing: dict[str, list[str]], columns: Collection[str]) -> str:
    """Return the error message for the missing columns. `missing` has the inputs that use each column."""
    if not columns:
        used = ", ".join(f'"{shorten(name, 80)}"' for name in missing)
        return f"{input}: the sheet is empty; the templates use the columns {used}"
    described = [
        f'"{shorten(name, 80)}"{_nearest(name, columns)}, used by '
        f"{'the template' if len(templates) == 1 else 'the templates'} of {', '.join(templates)}"
        for name, templates in missing.items()
    ]
    listed = ", ".join(shorten(column, 80) for column in list(columns)[:20])
    more = f", … ({len(columns)} in all)" if len(columns) > 20 else ""
    from connector.files.csv_dialect import NAMES  # imported only if it is used

    hint = "".join(
        f'. If {NAMES[delimiter]}s separate the columns, use --delimiter "{delimiter}"'
        for delimiter in (";", "|")
        if any(delimiter in column for column in columns)
    )
    missed = "; no column ".join(described)
    return f"{input}: the header has no column {missed}. Its columns: {listed}{more}{hint}"


def _nearest(name: str, columns: Collection[str]) -> str:
    """Return a hint with the most similar column, ignoring case; an empty text if no column is similar."""
    plain = {_plain(column): column for column in columns}
    close = nearest(_plain(name), plain)
    column = next((column for key, column in plain.items() if f'"{key}"' in close), None)
    if column is None:
        return ""
    written = "" if column.isidentifier() else f", written as row['{column}']"
    return f' (did you mean "{shorten(column, 80)}"{written}?)'


def _plain(name: str) -> str:
    return "_".join(name.casefold().replace("-", " ").split())
