"""The statement that executes several writes in one transaction.

It consists of a part for each kind of write. Those of runs require that this process holds their part of the
run.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from connector.state.database import Database, Row

WriteKind = Literal["nothing", "response", "intent", "envelopes", "pace"]

_HELD = """
given AS (
    SELECT * FROM unnest(%s::integer[], %s::bigint[], %s::integer[], %s::bigint[])
    AS given (item, run, part, fence)
),
held AS (
    SELECT given.item, given.run, given.part FROM given
    JOIN connector_part ON connector_part.run = given.run AND number = given.part
        AND connector_part.fence = given.fence
    ORDER BY given.run, given.part FOR KEY SHARE OF connector_part
)
"""
_CHANGES: dict[WriteKind, str] = {
    "response": """
answered AS (
    UPDATE connector_journal AS journal
    SET answer = coalesce(given.answer, journal.answer), refused = given.answer IS NULL
    FROM unnest(%s::integer[], %s::bigint[], %s::integer[], %s::bytea[])
        AS given (item, row_number, step, answer)
    JOIN held USING (item)
    WHERE journal.run = held.run AND journal.part = held.part
        AND journal.row_number = given.row_number AND journal.step = given.step
)
""",
    "intent": """
recorded AS (
    INSERT INTO connector_journal (run, part, row_number, step, request, digest)
    SELECT run, part, row_number, step, request, digest
    FROM unnest(%s::integer[], %s::bigint[], %s::integer[], %s::text[], %s::text[])
        AS given (item, row_number, step, request, digest)
    JOIN held USING (item)
    ON CONFLICT (run, part, row_number, step) DO UPDATE
    SET request = excluded.request, digest = excluded.digest, answer = NULL, refused = false
)
""",
    "envelopes": """
written AS (
    INSERT INTO connector_envelopes (run, part, lines)
    SELECT run, part, lines FROM unnest(%s::integer[], %s::bytea[]) AS given (item, lines)
    JOIN held USING (item) ORDER BY item
)
""",
    "pace": """
paced AS (
    INSERT INTO connector_pace AS pace (account, version, change, times, adaptive)
    SELECT account, version, change, times::float8[], adaptive::float8[]
    FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[])
        AS given (account, version, change, times, adaptive)
    ON CONFLICT (account) DO UPDATE SET
        version = greatest(pace.version, excluded.version * (pace.version + 1 = excluded.version)::int),
        change = CASE WHEN pace.version + 1 = excluded.version THEN excluded.change ELSE pace.change END,
        times = CASE WHEN pace.version + 1 = excluded.version THEN excluded.times ELSE pace.times END,
        adaptive = CASE WHEN pace.version + 1 = excluded.version
            THEN coalesce(excluded.adaptive, pace.adaptive) ELSE pace.adaptive END
    RETURNING account, version, times, adaptive, change
)
""",
}
_NOW = "extract(epoch FROM clock_timestamp())::float8"
_NOTHING = "NULL::bigint, NULL::float8[], NULL::float8[], NULL::bigint"


@dataclass(frozen=True)
class Write:
    """A write of one kind; `part` is the run, the part and the fence that this process must hold.

    Writes with the same `conflict_key` need a transaction each. With `durable` false, it may be lost if the
    database crashes, unless something was written after it. `size` is the number of bytes of long values.
    `values` are those of the columns:

    - "response": row, step, response (None if the request had no effect);
    - "intent": row, step, request, digest;
    - "envelopes": lines;
    - "pace": account, version after this write, number of the change, times, adaptive pace or None.
    """

    kind: WriteKind
    part: tuple[int, int, int] | None
    values: tuple[Any, ...] = ()
    conflict_key: Hashable = None
    durable: bool = True
    size: int = 0


def execute(database: Database, writes: Sequence[Write]) -> list[list[Row]]:
    """Execute writes in one transaction, and return the rows of each. Raises RunStoppedError.

    The rows of writes of parts that this process does not hold are empty. Others have a row with the time of
    the database; that of the pace has its version, times, adaptive pace and latest change, too.
    """
    writes_by_kind: dict[WriteKind, list[tuple[int, Write]]] = {}
    parameters: list[Any] = []
    fenced = [(item, *write.part) for item, write in enumerate(writes) if write.part]
    if fenced:
        parameters += map(_numbers, zip(*fenced, strict=True))
    for item, write in enumerate(writes):
        writes_by_kind.setdefault(write.kind, []).append((item, write))
    writes_by_kind.pop("nothing", None)
    kinds = tuple(kind for kind in _CHANGES if kind in writes_by_kind)
    for kind in kinds:
        parameters += _columns(kind, writes_by_kind[kind])
    is_durable = any(write.durable for write in writes)
    statement = _statement(kinds, bool(fenced), is_durable)
    (_, _, now, *_), *found = database.run(statement, parameters)
    rows: list[list[Row]] = [[] for _ in writes]
    items = {write.values[0]: item for item, write in writes_by_kind.get("pace", ())}
    for item, account, _, *pace, _ in found:
        if account is None:
            rows[item] = [(now,)]
        else:
            rows[items[account]] = [(now, *pace)]
    return rows


def _columns(kind: WriteKind, items: Sequence[tuple[int, Write]]) -> list[Any]:
    """Return the columns of the writes of a kind, as arrays."""
    columns = list(zip(*(write.values for _, write in items), strict=True))
    if kind == "pace":
        # In the order of the accounts, so that processes do not wait for each other in a circle.
        in_order = sorted(zip(*columns, strict=True))
        account, version, change, times, adaptive = zip(*in_order, strict=True)
        numbers = [[None if some is None else _numbers(some) for some in each] for each in (times, adaptive)]
        return [list(account), _numbers(version), _numbers(change), *numbers]
    of_items = _numbers([item for item, _ in items])
    if kind == "envelopes":
        return [of_items, list(columns[0])]
    return [of_items, _numbers(columns[0]), _numbers(columns[1]), *map(list, columns[2:])]


def _numbers(numbers: Sequence[float]) -> str:
    """Return an array of numbers as text, whose type does not depend on the numbers."""
    return "{" + ",".join(map(repr, numbers)) + "}"


@cache
def _statement(kinds: tuple[WriteKind, ...], is_fenced: bool, is_durable: bool) -> str:
    """Return the statement for writes of some kinds. Its first row has the time and how commits wait."""
    parts = [_HELD] if is_fenced else []
    parts += [_CHANGES[kind] for kind in kinds]
    setting = "current_setting('synchronous_commit')"
    if not is_durable:
        setting = "set_config('synchronous_commit', 'off', true)"
    rows = [f"SELECT NULL::integer, NULL::text, {_NOW}, {_NOTHING}, {setting}"]
    if is_fenced:
        rows.append(f"SELECT item, NULL, NULL, {_NOTHING}, NULL FROM held")
    if "pace" in kinds:
        rows.append("SELECT NULL, account, NULL, version, times, adaptive, change, NULL FROM paced")
    return f"WITH {','.join(parts)} {' UNION ALL '.join(rows)}"
