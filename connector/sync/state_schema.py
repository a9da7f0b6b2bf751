"""The SQL schema of `state.db`."""

from __future__ import annotations

VERSION = 2
"""The version of the schema, stored as `PRAGMA user_version`."""

TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE links(
  entity TEXT NOT NULL, source_id INTEGER NOT NULL, target_id INTEGER, method TEXT NOT NULL,
  pinned INTEGER NOT NULL DEFAULT 0, values_hash TEXT, software_hash TEXT,
  first_run INTEGER, last_run INTEGER, missing_since REAL, missing_runs INTEGER NOT NULL DEFAULT 0,
  deactivated INTEGER NOT NULL DEFAULT 0, note TEXT,
  PRIMARY KEY(entity, source_id)) WITHOUT ROWID;
CREATE UNIQUE INDEX one_device_an_asset ON links(target_id) WHERE entity = 'asset' AND target_id IS NOT NULL;
CREATE INDEX links_by_target ON links(entity, target_id);
CREATE TABLE cursors(stream TEXT PRIMARY KEY, value TEXT, run_id INTEGER) WITHOUT ROWID;
CREATE TABLE runs(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, began REAL NOT NULL, ended REAL, outcome TEXT, counts TEXT);
CREATE TABLE items(
  run_id INTEGER NOT NULL, entity TEXT NOT NULL, source_id TEXT NOT NULL, op TEXT NOT NULL, target_id INTEGER,
  changes TEXT, reason TEXT, outcome TEXT, PRIMARY KEY(run_id, entity, source_id)) WITHOUT ROWID;
CREATE INDEX items_of_record ON items(entity, source_id, run_id);
CREATE TABLE alerts(
  series_uid TEXT NOT NULL, generation INTEGER NOT NULL, state TEXT NOT NULL, ticket_id INTEGER,
  device_id INTEGER, condition TEXT NOT NULL, opened_at REAL, closed_at REAL, reset_at REAL, due REAL,
  row TEXT NOT NULL, PRIMARY KEY(series_uid, generation)) WITHOUT ROWID;
CREATE INDEX alerts_of_ticket ON alerts(ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX alerts_of_condition ON alerts(condition, device_id);
CREATE INDEX alerts_opened ON alerts(opened_at) WHERE opened_at IS NOT NULL;
CREATE INDEX alerts_of_state ON alerts(state);
CREATE INDEX alerts_due ON alerts(due) WHERE due IS NOT NULL;
CREATE TABLE inbox(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, event_id TEXT NOT NULL, raw BLOB,
  received REAL NOT NULL, done REAL, UNIQUE(source, event_id));
CREATE INDEX inbox_open ON inbox(seq) WHERE done IS NULL;
CREATE TABLE outbox(
  key TEXT PRIMARY KEY, action TEXT NOT NULL, inputs TEXT NOT NULL, stamp TEXT, began REAL NOT NULL,
  sent REAL, outcome TEXT, target_id INTEGER) WITHOUT ROWID;
"""

_LINKS = (
    "entity, source_id, target_id, method, pinned, values_hash, software_hash, first_run, last_run, "
    "missing_since, missing_runs, deactivated, note"
)
STEPS = {
    # `links` loses a column. Not by DROP COLUMN, which SQLite has since 3.35.
    1: (
        "CREATE TABLE links_2("
        "entity TEXT NOT NULL, source_id INTEGER NOT NULL, target_id INTEGER, method TEXT NOT NULL, "
        "pinned INTEGER NOT NULL DEFAULT 0, values_hash TEXT, software_hash TEXT, first_run INTEGER, "
        "last_run INTEGER, missing_since REAL, missing_runs INTEGER NOT NULL DEFAULT 0, "
        "deactivated INTEGER NOT NULL DEFAULT 0, note TEXT, PRIMARY KEY(entity, source_id)) WITHOUT ROWID",
        f"INSERT INTO links_2({_LINKS}) SELECT {_LINKS} FROM links",  # noqa: S608
        "DROP TABLE links",
        "ALTER TABLE links_2 RENAME TO links",
        "CREATE UNIQUE INDEX one_device_an_asset ON links(target_id) "
        "WHERE entity = 'asset' AND target_id IS NOT NULL",
        "CREATE INDEX links_by_target ON links(entity, target_id)",
    ),
}
"""The statements that turn the tables of a version into those of the next one."""
