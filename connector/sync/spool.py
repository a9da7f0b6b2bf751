"""A temporary SQLite database for the data of a plan that does not fit into memory.

SQLite deletes the file when the database is closed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.common.same_name import same_name
from connector.sync.plan_items import ENTITIES, Item, item_from_json
from connector.sync.records import Asset

_TABLES = """
CREATE TABLE items(
  rank INTEGER, source, op TEXT, is_write INTEGER, is_unread INTEGER, has_unread INTEGER, json TEXT,
  PRIMARY KEY(rank, source)) WITHOUT ROWID;
CREATE TABLE extras(kind TEXT, device INTEGER, json TEXT, PRIMARY KEY(kind, device)) WITHOUT ROWID;
CREATE TABLE pending(
  client INTEGER, device INTEGER, value TEXT, name TEXT, json TEXT,
  PRIMARY KEY(client, device)) WITHOUT ROWID;
CREATE TABLE assets(
  id INTEGER PRIMARY KEY, client INTEGER, stamp INTEGER, name TEXT, value TEXT, active INTEGER, json TEXT);
CREATE INDEX assets_by_value ON assets(client, value);
CREATE INDEX assets_by_name ON assets(client, name);
CREATE INDEX assets_by_stamp ON assets(stamp) WHERE stamp IS NOT NULL;
"""
_KEYS = ("source", "target")
_OF_ENTITIES = "rank IN (SELECT value FROM json_each(?))"


class Spool:
    """Stores the items, assets and unmatched devices of a plan on disk."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")

    def close(self) -> None:
        """Close the database, which deletes it."""
        self._db.close()

    def add_item(self, item: Item) -> None:
        """Store an item. Raises sqlite3.IntegrityError if the record already has an item."""
        flags = (item.is_write, item.is_unread, item.has_unread)
        row = (ENTITIES.index(item.entity), item.source, item.op, *flags)
        text = json_text.dumps(item.as_json(*_KEYS))
        self._db.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, text))

    def keep_items(self, op: str) -> None:
        """Delete the items of all operations except `op`."""
        self._db.execute("DELETE FROM items WHERE op != ?", (op,))

    def keep_chosen(self, entities: Collection[str] | None, keys: Collection[tuple[str, str]] | None) -> None:
        """Delete all items but those of the entities and keys (entity, source id); None keeps all."""
        if entities is not None:
            self._db.execute(f"DELETE FROM items WHERE NOT {_OF_ENTITIES}", (_ranks(entities),))  # noqa: S608
        if keys is not None:
            pairs = [f"{ENTITIES.index(entity)}:{source}" for entity, source in keys]
            self._db.execute(
                "DELETE FROM items WHERE rank || ':' || source NOT IN (SELECT value FROM json_each(?))",
                (json_text.dumps(list(pairs)),),
            )

    def items(self, entities: Collection[str], ops: Collection[str] = ()) -> Iterator[Item]:
        """Yield the items of entities in the order of application, with no `ops` those of all operations."""
        where = f"{_OF_ENTITIES} AND (? OR op IN (SELECT value FROM json_each(?)))"  # noqa: S608
        query = f"SELECT json FROM items WHERE {where} ORDER BY rank, source"  # noqa: S608
        values = (_ranks(entities), not ops, json_text.dumps(list(ops)))
        for (text,) in self._db.execute(query, values):
            yield item_from_json(json_text.loads(text), *_KEYS)

    def count_items(self, entities: Collection[str]) -> tuple[int, int, int]:
        """Return how many items of entities are writes, are unread, and have an unread change."""
        sums = "coalesce(sum(is_write), 0), coalesce(sum(is_unread), 0), coalesce(sum(has_unread), 0)"
        query = f"SELECT {sums} FROM items WHERE {_OF_ENTITIES}"  # noqa: S608
        writes, unread, with_unread = self._db.execute(query, (_ranks(entities),)).fetchone()
        return writes, unread, with_unread

    def add_extras(self, kind: str, pairs: Iterable[tuple[int, Json]]) -> None:
        """Store pairs (device id, value) under the name `kind`."""
        rows = ((kind, device, json_text.dumps(value)) for device, value in pairs)
        self._db.executemany("INSERT OR REPLACE INTO extras VALUES (?, ?, ?)", rows)

    def add_lists(self, kind: str, pairs: Iterable[tuple[int, list[Json]]]) -> None:
        """Store pairs (device id, list) under the name `kind`; lists of one device are joined."""
        rows = ((kind, device, json_text.dumps(value)) for device, value in pairs)
        self._db.executemany(
            "INSERT INTO extras VALUES (?, ?, ?) ON CONFLICT(kind, device) DO UPDATE SET "
            "json = CASE WHEN json = '[]' THEN excluded.json WHEN excluded.json = '[]' THEN json "
            "ELSE substr(json, 1, length(json) - 1) || ',' || substr(excluded.json, 2) END",
            rows,
        )

    def all_extras(self, kind: str) -> Iterator[tuple[int, Json]]:
        """Yield the pairs (device id, value) that are stored under the name `kind`."""
        for device, text in self._db.execute("SELECT device, json FROM extras WHERE kind = ?", (kind,)):
            yield device, json_text.loads(text)

    def extras(self, kind: str, devices: Iterable[int]) -> dict[int, Json]:
        """Return the values of the given devices that are stored under the name `kind`, by device id."""
        wanted = json_text.dumps(list(devices))
        query = (
            "SELECT device, json FROM extras WHERE kind = ? AND device IN (SELECT value FROM json_each(?))"
        )
        return {device: json_text.loads(text) for device, text in self._db.execute(query, (kind, wanted))}

    def add_pending(self, client: int, device: int, value: str, name: str, data: Mapping[str, Json]) -> None:
        """Store an unlinked device, to match it after all devices were read."""
        row = (client, device, value, name, json_text.dumps(dict(data)))
        self._db.execute("INSERT INTO pending VALUES (?, ?, ?, ?, ?)", row)

    def pending_clients(self) -> list[int]:
        """Return the client ids of the unlinked devices; 0 stands for clients that are not created yet."""
        rows = self._db.execute("SELECT DISTINCT client FROM pending ORDER BY client")
        return [client for (client,) in rows.fetchall()]

    def pending_keys(self, client: int) -> Iterator[tuple[int, str, str]]:
        """Yield (device id, match value, name) of the unlinked devices of a client."""
        query = "SELECT device, value, name FROM pending WHERE client = ? ORDER BY device"
        yield from self._db.execute(query, (client,))

    def pending(self, client: int) -> Iterator[Any]:
        """Yield the data of the unlinked devices of a client, in ascending order of their ids."""
        query = "SELECT json FROM pending WHERE client = ? ORDER BY device"
        for (text,) in self._db.execute(query, (client,)):
            yield json_text.loads(text)

    def add_assets(self, assets: Iterable[Asset], value: Any) -> int:
        """Store each asset with its match value, `value(asset)`; return the number of assets."""
        count = 0
        for asset in assets:
            row = (asset.id, asset.client, asset.stamp, same_name(asset.name), value(asset), asset.is_active)
            self._db.execute(
                "INSERT OR REPLACE INTO assets VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, _asset_text(asset))
            )
            count += 1
        return count

    def asset(self, id: int) -> Asset | None:
        """Return a stored asset; None if it was not stored."""
        return next(self._assets("id = ?", id), None)

    def stamped(self, stamp: int) -> list[Asset]:
        """Return the stored assets of all clients whose stamp is the device id `stamp`."""
        return list(self._assets("stamp = ? ORDER BY id", stamp))

    def with_value(self, client: int, value: str) -> list[Asset]:
        """Return the stored active assets of a client with a match value."""
        return list(self._assets("client = ? AND value = ? AND active ORDER BY id", client, value))

    def with_name(self, client: int, name: str) -> list[Asset]:
        """Return the stored active assets of a client with a name."""
        return list(self._assets("client = ? AND name = ? AND active ORDER BY id", client, same_name(name)))

    def count_assets(self, ids: Iterable[int]) -> int:
        """Return how many of the given asset ids are stored."""
        query = "SELECT count(*) FROM assets WHERE id IN (SELECT value FROM json_each(?))"
        found: int = self._db.execute(query, (json_text.dumps(list(ids)),)).fetchone()[0]
        return found

    def _assets(self, where: str, *values: Any) -> Iterator[Asset]:
        rows = self._db.execute(f"SELECT json FROM assets WHERE {where}", values).fetchall()  # noqa: S608
        return (_asset(json_text.loads(text)) for (text,) in rows)


def _asset_text(asset: Asset) -> str:
    place = [asset.id, asset.client, asset.site, asset.type, asset.name, asset.is_active, asset.stamp]
    values = [[key, value] for key, value in asset.values.items()]
    return json_text.dumps([*place, list(asset.users), values, sorted(asset.shown), asset.is_whole])


def _asset(row: list[Any]) -> Asset:
    fields = [*row[:7], tuple(row[7]), dict(row[8]), frozenset(row[9]), row[10]]
    return Asset(*fields)


def _ranks(entities: Collection[str]) -> str:
    return json_text.dumps([ENTITIES.index(entity) for entity in ENTITIES if entity in entities])
