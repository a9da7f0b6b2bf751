"""`sync init` and `sync check`, by the command line and both sandboxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.sync.mapping_file import load_mapping
from tests.sync.pair import Pair

FIELD = {"117": "{{ device.system.serialNumber }}"}
DEVICES: dict[str, Any] = {"types": {"WINDOWS_SERVER": "Server"}, "fields": FIELD}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path) as made:
        yield made


def _init(pair: Pair) -> Any:
    (pair.folder / "mapping.yaml").unlink()
    return pair.sync("init", "--source", "ninja.yaml", "--target", "halo.yaml")


def _lines(pair: Pair, *arguments: object, code: int = 0) -> list[str]:
    done = pair.sync("check", *arguments)
    assert done.code == code, done
    return done.out.splitlines()


def test_init_takes_over_what_the_integration_has(tmp_path: Path) -> None:
    with Pair(tmp_path, traps={"integration": "on"}) as pair:
        done = _init(pair)
        assert done.code == 0, done
        assert "4 organizations, 8 locations; 4 mapped as in HaloPSA's built-in integration" in done.out
        mapping = load_mapping(pair.folder / "mapping.yaml")
        assert {o: row.client for o, row in mapping.clients.rows.items()} == {1: 11, 2: 12, 3: 13, 4: 14}
        assert mapping.clients.rows[1].locations[1] == 201
        assert mapping.devices is not None
        assert [field.key for field in mapping.devices.fields] == [117, 52]
        assert mapping.devices.match.field == 117
        assert mapping.clients.top_level == 1
        assert mapping.alerts is not None
        assert mapping.alerts.ticket.type == 25
        assert pair.sync("plan").code == 0


def test_init_suggests_the_one_equal_name_and_leaves_the_others_open(pair: Pair) -> None:
    pair.halo.agent.client(12, name="Alder Dental")
    pair.halo.agent.client(13, name="Elsewhere")
    done = _init(pair)
    assert "1 with the same name (suggested), 3 open" in done.out
    text = (pair.folder / "mapping.yaml").read_text()
    assert "- {organization: 4, client: 14, locations: {7: 207, 8: 208}}" in text
    assert '# - {organization: 1, client: }  # "Alder Dental": 2 clients have this name' in text
    assert pair.sync("init", "--source", "ninja.yaml", "--target", "halo.yaml").code == 2


def test_init_without_the_right_to_read_settings_suggests_names(tmp_path: Path) -> None:
    with Pair(tmp_path, traps={"integration": "forbidden"}) as pair:
        assert "4 with the same name (suggested), 0 open" in _init(pair).out


def test_check_of_a_good_mapping(pair: Pair) -> None:
    pair.map(clients={"take": "all"}, devices={**DEVICES, "create_types": True, "type_group": 3})
    lines = _lines(pair)
    assert any("2.250.32, signed in as API Agent; can read 4 clients, 5" in line for line in lines)
    assert any(line.startswith("ok") and "1 field; every id exists" in line for line in lines)
    assert any("device.nodeClass" in line and "WINDOWS_WORKSTATION" in line for line in lines)
    assert any("device.deviceType" in line and "AgentDevice" in line for line in lines)
    assert any("to be created in group 3" in line for line in lines)
    kind = "{{ device.deviceType if device.id != 1 }}"
    pair.map(clients={"take": "all"}, devices={"type": kind, "fields": FIELD})
    without, unknown = [line for line in _lines(pair) if " Types " in line]
    assert "devices.type has no value for 1 device; no assets are created for it" in without
    assert "created for devices whose asset types do not exist (AgentDevice 9): map them" in unknown


def test_check_finds_ids_and_members_that_do_not_exist(pair: Pair) -> None:
    pair.map(
        clients={"map": [{"organization": 1, "client": 17}]},
        devices={"fields": {"117": "{{ device.system.serialNumbr }}"}},
    )
    lines = _lines(pair, code=2)
    assert any(
        "mapping.yaml, line" in line and "client 17 does not exist in HaloPSA" in line for line in lines
    )
    assert any("did you mean" in line and "device.system.serialNumber" in line for line in lines)
    plan = pair.sync("plan")
    assert plan.code == 2
    assert "client 17 does not exist in HaloPSA, or the agent that signs in cannot see it" in plan.err
    pair.map(clients={"take": "all"}, devices={"fields": {"999": "{{ device.id }}"}})
    assert any("999" in line and line.startswith("error") for line in _lines(pair, code=2))


@pytest.mark.parametrize(
    ("take", "problem"),
    [
        ("{{ organization.nme == 'x' }}", 'none of 4 organizations has organization.nme (did you mean "org'),
        ("{{ organization.id if organization.id != 4 }}", "fails for 2 of 4 organizations, which are sk"),
    ],
)
def test_check_evaluates_which_organizations_are_taken(pair: Pair, take: str, problem: str) -> None:
    """Fails if a mapping whose organizations are all skipped passes the check."""
    pair.map(clients={"take": take}, devices={**DEVICES, "take": "{{ device.systemName }}"})
    lines = [line for line in _lines(pair) if ".take" in line]
    assert problem in lines[0]
    assert "devices.take fails for 10 of 10 devices, which are skipped, for example: expected" in lines[1]


def test_check_finds_properties_that_no_user_has(pair: Pair) -> None:
    user = {"value": "{{ last_user }}", "match": ["logn", "emailaddress"]}
    pair.map(clients={"take": "all"}, devices={**DEVICES, "user": user})
    (line,) = [line for line in _lines(pair) if " Users " in line]
    assert line.startswith("warning")
    assert 'none of 12 users of the first clients has logn (did you mean "login"?)' in line


def test_check_finds_two_writers_and_a_run_refuses(tmp_path: Path) -> None:
    with Pair(tmp_path, traps={"integration": "on"}) as pair:
        assert any("Two writers" in line and "imports devices" in line for line in _lines(pair, code=2))
        assert _lines(pair, "--beside-halo")
        refused = pair.sync("run")
        assert refused.code == 2
        assert "--beside-halo" in refused.err
        assert pair.writes() == [r for r in pair.writes() if r["path"] == "/auth/token"]
        assert pair.sync("run", "--beside-halo").code == 0


def test_check_finds_that_software_is_not_kept(tmp_path: Path) -> None:
    for module, code in (("on", 0), ("off", 2)):
        folder = tmp_path / module
        folder.mkdir()
        with Pair(folder, traps={"software_module": module}) as pair:
            pair.map(clients={"take": "all"}, devices={**DEVICES, "software": True})
            (line,) = [line for line in _lines(pair, code=code) if "Software" in line]
            assert line.startswith("ok" if module == "on" else "error")


def test_check_finds_that_the_agent_does_not_see_all_fields(tmp_path: Path) -> None:
    with Pair(tmp_path, traps={"agent_sees": "some_fields"}) as pair:
        pair.map(clients={"take": "all"}, devices=DEVICES)
        assert any("Rights" in line and "cannot read the fields" in line for line in _lines(pair, code=2))


def test_check_finds_ids_of_tickets(pair: Pair) -> None:
    ticket = {"type": 99, "summary": "{{ alert.subject }}", "priority": 3}
    pair.map(clients={"take": "all"}, alerts={"ticket": ticket, "closed_status": "Clozed", "note_outcome": 7})
    lines = [line for line in _lines(pair, code=2) if line.startswith("error")]
    assert any("ticket type 99 does not exist" in line for line in lines)
    assert any("ticket status Clozed does not exist" in line for line in lines)
    assert len(lines) == 2


def _alerts(**more: Any) -> dict[str, Any]:
    ticket = {"type": 25, "summary": "{{ alert.subject }}", "priority": 3}
    return {"ticket": ticket, "stamp": "CFNinjaAlert", **more}


@pytest.mark.parametrize(
    ("unmapped", "text"),
    [
        ("none", "the ticket about held alerts (more than 1 ticket within an hour)"),
        ("default_user", "and tickets for alerts of organizations without a client"),
    ],
)
def test_check_finds_tickets_that_need_a_default_user_and_a_run_shows_it(
    pair: Pair, unmapped: str, text: str
) -> None:
    """Fails without `Checker._tickets`; the second part shows that the warning is right."""
    pair.map(
        clients={"map": [{"organization": 1, "client": 11}]},
        alerts=_alerts(unmapped=unmapped),
        limits={"tickets_per_hour": 1},
    )
    (line,) = [line for line in _lines(pair) if " Tickets " in line]
    assert line.startswith("warning")
    assert "alerts.default_user is not set" in line
    assert line.endswith(text)
    pair.run()
    organization, alerts = (1, 2) if unmapped == "none" else (3, 1)
    devices = [device.id for device in pair.sides()[0].devices() if device.organization == organization]
    for device in devices[-alerts:]:
        pair.ninja.alerts.trigger(device, subject=f"alert {device}")
    done = pair.sync("run", "--only", "alerts")
    assert done.code == (3 if unmapped == "none" else 1)  # 3: an alert is held
    assert "A client must be selected" in done.out
    assert "A client must be selected" in pair.sync("status", sends=False).out


def test_check_accepts_a_default_user_that_exists(pair: Pair) -> None:
    """Fails without `user` in `_ticket_ids` and without `_has_user`."""
    pair.map(clients={"take": "all"}, alerts=_alerts(default_user=3002))
    assert not [line for line in _lines(pair) if line.startswith(("warning", "error"))]
    pair.map(clients={"take": "all"}, alerts=_alerts(default_user=9999))
    errors = [line for line in _lines(pair, code=2) if line.startswith("error")]
    assert len(errors) == 1
    assert "user 9999 does not exist in HaloPSA" in errors[0]
