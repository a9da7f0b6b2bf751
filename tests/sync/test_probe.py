"""`sync check --probe`, by the command line against the sandbox, with its traps; nothing stays behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from connector.sync.folder import open_folder
from connector.sync.probe import Probe
from tests.sync.alert_pair import ALERTS
from tests.sync.pair import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, tickets=0) as made:
        mapped(made)
        yield made


def mapped(pair: Pair) -> None:
    pair.map(clients={"map": [{"organization": 1, "client": 11}]}, alerts={**ALERTS, "note_outcome": 7})


def probe(pair: Pair, code: int = 0) -> dict[str, tuple[str, str]]:
    """Return the level and the text of each answer about HaloPSA, and require that nothing is left."""
    before = records(pair)
    done = pair.sync("check", "--probe", "--yes", "--json")
    assert done.code == code, done
    assert records(pair) == before
    assert not (pair.folder / "probe.json").exists()
    found: list[dict[str, Any]] = done.json["answers"]
    return {a["subject"]: (a["level"], a["text"]) for a in found if a["service"] == "HaloPSA"}


def records(pair: Pair) -> tuple[list[int], list[int]]:
    tickets = pair.halo.state.tickets.values()
    return list(pair.halo.state.assets.ids()), [t["id"] for t in tickets if not t["deleted"]]


def test_a_probe_answers_all_questions_and_leaves_nothing(pair: Pair) -> None:
    found = probe(pair)
    assert not [subject for subject, (level, _) in found.items() if level == "warning"]
    answered = [subject for subject, (level, _) in found.items() if level == "ok"]
    assert len(answered) == 17
    assert found["customfields"] == ("open", "assets do not have two custom text fields")
    assert found["fields"] == ("ok", "those that are not sent are emptied, so the sync sends all of them")


@pytest.mark.parametrize(
    ("trap", "value", "subject", "expected"),
    [
        ("sub_arrays", "merge", "fields", ("ok", "keep their values")),
        ("sub_arrays", "merge", "users", ("warning", "added to the current ones")),
        ("sub_arrays", "merge", "software", ("warning", "removed software stays")),
        ("external_ids", "ignored", "ninjarmm_id", ("warning", "is not stored")),
        ("stamps", "ignored", "stamp of tickets", ("warning", "cannot be read back from CFNinjaAlert")),
        ("stamps", "ignored", "look-up of tickets", ("warning", "does not find ticket")),
        ("stamps", "ignored", "ninja_alert_id", ("ok", "not stored or not listed")),
        ("closing", "refused", "closing", ("warning", "left ticket")),
        ("ticketids", "open_only", "ticketids", ("ok", "lists open tickets only")),
        ("validate_only", "ignored", "validation of assets", ("ok", "is ignored")),
        ("validate_only", "ignored", "validation of tickets", ("ok", "is ignored")),
        ("software_module", "off", "software", ("warning", "is not stored")),
        ("asset_fields", "flag_and_type", "list of assets", ("ok", "only if the type is given")),
        ("list_customfields", "yes", "list of assets", ("ok", "and custom fields")),
        ("notes", "forbidden", "notes", ("warning", "refuses the outcome 7")),
        ("deleted_tickets", "marked", "test ticket", ("ok", "ticket 2001")),
    ],
)
def test_the_answers_are_those_of_the_instance(
    pair: Pair, trap: str, value: str, subject: str, expected: tuple[str, str]
) -> None:
    pair.halo.set_trap(trap, value)
    level, text = probe(pair)[subject]
    assert level == expected[0], text
    assert expected[1] in text


def test_without_alerts_no_ticket_is_created(pair: Pair) -> None:
    pair.map(clients={"map": [{"organization": 1, "client": 11}]})
    found = probe(pair)
    assert found["test ticket"] == ("open", "the mapping has no alerts, so no ticket is created")
    assert "there is no test ticket" in found["closing"][1]
    assert [r for r in pair.writes() if r["path"] == "/api/Tickets"] == []
    last = pair.sync("check", "--probe", "--yes").out.splitlines()[-1]
    assert last == "the test records are deleted"


def test_records_whose_creation_had_no_response_are_removed(pair: Pair) -> None:
    pair.halo.set_trap("answers", "reset_once")
    assert probe(pair)["test asset"][0] == "open"


def test_a_probe_that_is_stopped_removes_its_records(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Probe._finding

    def answer(self: Probe, calls: Any, title: str, subject: str, method: Any) -> Any:
        if subject == "notes":
            os.kill(os.getpid(), signal.SIGINT)
        return ask(self, calls, title, subject, method)

    monkeypatch.setattr(Probe, "_finding", answer)
    found = probe(pair, code=130)
    assert "test ticket" in found
    assert "closing" not in found


def test_what_a_killed_probe_left_is_removed_by_the_next(pair: Pair) -> None:
    before = records(pair)
    killed = Probe(open_folder(pair.folder), *pair.sides())
    findings = killed.findings(killed.begin(12, time.time() - 3600), Event())
    assert any(finding.subject == "test ticket" for finding in findings)
    assert len(records(pair)[0]) == len(before[0]) + 1
    assert pair.sync("check", "--probe", "--yes").code == 0
    assert records(pair) == before


def test_what_cannot_be_removed_is_named(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair.halo.state.assets, "remove", lambda id: None)
    done = pair.sync("check", "--probe", "--yes")
    assert done.code == 1
    assert 'left in client 11 of HaloPSA, called "Sync test ' in done.err
    assert ": asset 5013. Delete them, or use --probe again" in done.err
    again = pair.sync("check", "--probe", "--yes")
    assert (again.code, again.out) == (1, "")


def test_a_probe_asks_first_and_needs_a_client(pair: Pair) -> None:
    before = len(pair.halo.log.requests())
    done = pair.sync("check", "--probe")
    assert (done.code, pair.writes(before)) == (2, [])
    assert "confirmation requires a terminal; use --yes" in done.err
    pair.map(clients={"take": "all"})
    done = pair.sync("check", "--probe", "--yes")
    assert done.code == 2
    assert "use --probe-client ID" in done.err
    assert pair.sync("check", "--probe", "--yes", "--probe-client", 12).code == 0
