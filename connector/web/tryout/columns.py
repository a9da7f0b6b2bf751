"""Maps the columns of a file to an action's inputs of like names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from connector.catalog.action import Action
from connector.catalog.catalog import american
from connector.files.readers import InputRow
from connector.templating.required_fields import required_fields

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


def columns_of(rows: Sequence[InputRow]) -> list[str]:
    """Return the names of the fields of rows, in the order of their first use."""
    return list(dict.fromkeys(name for row in rows for name in row.data))


def map_columns(action: Action, columns: Sequence[str]) -> dict[str, str]:
    """Return a column for each input that one resembles, keyed by the input's name.

    `Device ID` and `deviceId` are like `device_id`, and so is `Device`, because inputs of ids also take
    names; `id` is like the only required input that is an id, except where an object is created. Every
    column is used once at most.
    """
    found: dict[str, str] = {}
    for rank in range(4):
        for input in action.inputs:
            left = [column for column in columns if column not in found.values()]
            keys = list(_keys(action, input))
            if input in found:
                continue
            if like := [column for column in left if _fits(column, keys[rank], rank)]:
                found[input] = like[0]
    return {name: found[name] for name in action.inputs if name in found}


def _keys(action: Action, input: str) -> Iterator[set[str]]:
    """Yield the keys of columns that are like an input, the closest first."""
    its = action.inputs[input]
    yield {_key(input)}
    yield {_key(its.title)}
    yield {_key(input.removesuffix("_id"))} if input.endswith("_id") else set()
    ids = [name for name in action.inputs if name.endswith("_id") and name in action.required]
    yield {"id"} if ids == [input] and not action.own_name.startswith("create_") else set()


def _fits(column: str, keys: set[str], rank: int) -> bool:
    key = _key(column)
    return key in keys or (rank == 2 and key.removesuffix("name") in keys and key != "name")


def _key(name: str) -> str:
    """Return the words of a name as one text, in lower case and in American spelling."""
    return "".join(american(word.lower()) for word in _WORD.findall(name))


def as_template(column: str) -> str:
    """Return the template whose value is that of a column."""
    source = f"{{{{ {column} }}}}"
    if column.isidentifier() and column not in ("now", "row") and _is_read(source, column):
        return source
    return f"{{{{ row[{json.dumps(column, ensure_ascii=False)}] }}}}"


def _is_read(source: str, column: str) -> bool:
    """Return whether a template reads a column, and not a word or a name of the template language."""
    try:
        return required_fields(source) == [column]
    except Exception:  # a word of the language, such as `in`
        return False


def templates_of(mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the templates of mapped inputs."""
    return {input: as_template(column) for input, column in mapping.items()}
