"""The actions on a sandbox with the traps of real instances: K1 to K12 of what is known of them.

Each test fails when its line is taken out of the declaration or handler that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.authoring.checks import check_example
from connector.catalog.action import Example
from connector.sandbox.halopsa.server import HaloSandbox
from tests.fakes import FakeClock
from tests.halopsa.sandboxes import CATALOG, NAMES, SERVICE, Halo

OpenHalo = Callable[..., Halo]


@pytest.fixture
def open_halo() -> Iterator[OpenHalo]:
    """Makes a sandbox with traps, and a caller of its actions."""
    with ExitStack() as opened:

        def make(*, assets: int = 25, **traps: str) -> Halo:
            clock = FakeClock()
            box = HaloSandbox(assets=assets, traps=traps, clock=clock.now)
            return opened.enter_context(Halo(opened.enter_context(box), clock))

        yield make


def posted(halo: Halo) -> Any:
    """Return the record of the last POST, which is an array of one."""
    (record,) = [one["body"] for one in halo.box.log.requests() if one["method"] == "POST"][-1]
    return record


def sent(halo: Halo) -> list[str]:
    return [f"{one['method']} {one['path']}" for one in halo.box.log.requests()]


# --- K1: the limit, K4: pages ------------------------------------------------------------------------------


def test_k1_an_action_waits_for_the_window_to_pass(open_halo: OpenHalo) -> None:
    halo = open_halo(rate_limit="3/5", retry_after="absent")
    assert [halo.call("get_client", client_id=11)["id"] for _ in range(5)] == [11] * 5


@pytest.mark.parametrize("traps", [{}, {"page_cap": "ignored"}, {"paging": "empty_once"}])
def test_k4_all_assets_over_their_short_pages(open_halo: OpenHalo, traps: dict[str, str]) -> None:
    halo = open_halo(assets=120, **traps)
    found = [asset["id"] for asset in halo.call("list_assets")]
    assert sorted(found) == list(halo.box.state.assets.ids())
    assert len(found) == 120


def test_k4_fields_in_a_list_may_need_the_type(open_halo: OpenHalo) -> None:
    halo = open_halo(asset_fields="flag_and_type")
    (asset, *_) = halo.call("list_assets", assettype_id=102, include_fields=True)
    assert {field["name"] for field in asset["fields"]} >= {"Memory", "Serial Number"}


# --- K2: filters that the API ignores ----------------------------------------------------------------------


def without_filters(halo: Halo, name: str, **inputs: Any) -> str:
    """Return the error of a list whose filter is sent by a name that the API ignores."""
    action = CATALOG.action(f"halopsa.{name}")
    wrong = {key: given for key, given in action.inputs.items() if given.place != "query"}
    for key, given in action.inputs.items():
        if given.place == "query":
            wrong[key] = replace(given, target=(f"no_{given.target[0]}",))
    changed = replace(action, inputs=wrong)
    envelope = halo.run(changed, {}, inputs)
    assert envelope.error is not None, envelope.result
    return f"{envelope.meta['code']}: {envelope.error}"


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("list_clients", {"toplevel_id": 2}),
        ("list_sites", {"client_id": 12}),
        ("list_users", {"client_id": 12}),
        ("list_users", {"site_id": 203}),
        ("list_assets", {"client_id": 12}),
        ("list_assets", {"site_id": 203}),
        ("list_assets", {"assettype_id": 109}),
        ("list_assets", {"inventory_number": "A00002"}),
        ("list_asset_types", {"assetgroup_id": 4}),
        ("list_priorities", {"sla_id": 2}),
        ("list_tickets", {"client_id": 12}),
        ("list_tickets", {"status_id": 9}),
        ("list_tickets", {"tickettype_id": 26}),
        ("list_tickets", {"ticket_ids": "2002"}),
    ],
)
def test_k2_a_list_whose_filter_is_ignored_is_an_error(
    open_halo: OpenHalo, name: str, inputs: dict[str, Any]
) -> None:
    message = without_filters(open_halo(), name, **inputs)
    (given,) = inputs
    assert message.startswith(f"bad_response: the API did not apply the filter {given}: ")


def test_k2_a_ticket_that_is_closed_is_no_open_one(open_halo: OpenHalo) -> None:
    halo = open_halo()
    halo.box.agent.close(2002)
    message = without_filters(halo, "list_tickets", open_only=True)
    assert message == (
        "bad_response: the API did not apply the filter open_only: ticket 2002 is closed. The list is not "
        "the one that was requested"
    )
    assert "closed_only: ticket 20" in without_filters(halo, "list_tickets", closed_only=True)
    assert [t["id"] for t in halo.call("list_tickets", closed_only=True)] == [2002]
    assert 2002 not in [t["id"] for t in halo.call("list_tickets", open_only=True)]


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        ("end_date", {"date_field": "dateoccured", "end_date": "2024-01-01T00:00:00Z"}),
        ("start_date", {"date_field": "dateoccured", "start_date": "2036-01-01T00:00:00Z"}),
        ("end_date", {"date_field": "datecleared", "end_date": "2024-01-01T00:00:00Z"}),
        ("end_date", {"date_field": "dateoccurred", "end_date": "2024-01-01T00:00:00Z"}),
    ],
)
def test_k2_a_ticket_of_another_time_is_an_error(
    open_halo: OpenHalo, given: str, inputs: dict[str, Any]
) -> None:
    halo = open_halo()
    halo.box.agent.close(2002)
    message = without_filters(halo, "list_tickets", **inputs)
    assert f"did not apply the filter {given}: ticket 200" in message
    # The last name is one that HaloPSA ignores, though its tickets have a member of that name.
    known = inputs["date_field"] != "dateoccurred"
    assert not known or halo.call("list_tickets", **inputs) == []
    assert known or halo.error("list_tickets", **inputs) == message


def test_k2_tickets_of_the_time_are_listed(open_halo: OpenHalo) -> None:
    halo = open_halo()
    first, *_ = (ticket["dateoccurred"] for ticket in halo.call("list_tickets", ticket_ids="2001"))
    window = {"date_field": "dateoccured", "start_date": first, "end_date": first}
    assert [ticket["id"] for ticket in halo.call("list_tickets", **window)] == [2001]


# --- K3: what is not sent may be emptied -------------------------------------------------------------------


@pytest.mark.parametrize("sub_arrays", ["replace", "merge"])
@pytest.mark.parametrize("key", ["Memory", "memory", "44"])
def test_k3_the_other_fields_keep_their_values(open_halo: OpenHalo, sub_arrays: str, key: str) -> None:
    halo = open_halo(sub_arrays=sub_arrays)
    before = halo.box.state.assets.fields(5002)
    halo.call("update_asset", asset_id=5002, fields={key: "64 GB"})
    after = {number: value for number, value in halo.box.state.assets.fields(5002).items() if value}
    assert after == {**before, 44: "64 GB"}
    assert before[44] != "64 GB"


@pytest.mark.parametrize("sub_arrays", ["replace", "merge"])
@pytest.mark.parametrize(
    ("action", "record", "path", "changes"),
    [
        ("update_asset", {"asset_id": 5002}, "get_asset", ("CFAssetTag", "CFLeaseEnd")),
        ("update_ticket", {"ticket_id": 2001}, "get_ticket", ("CFNinjaAlert", "CFResolution")),
    ],
)
def test_k3_the_other_custom_fields_keep_their_values(
    open_halo: OpenHalo, sub_arrays: str, action: str, record: dict[str, int], path: str, changes: Any
) -> None:
    halo = open_halo(sub_arrays=sub_arrays)
    one, other = changes
    halo.call(action, **record, customfields={one: "x-1"})
    halo.call(action, **record, customfields={other: "2026-12-01T00:00:00Z"})
    shown = {field["name"]: field["value"] for field in halo.call(path, **record)["customfields"]}
    assert (shown[one], shown[other]) == ("x-1", "2026-12-01T00:00:00Z")


def test_k3_an_asset_whose_fields_the_agent_sees_in_part_is_refused(open_halo: OpenHalo) -> None:
    halo = open_halo(agent_sees="some_fields")
    before = dict(halo.box.state.assets.fields(5002))
    assert halo.error("update_asset", asset_id=5002, fields={"Memory": "64 GB"}) == (
        "forbidden: asset 5002: its type has 6 fields and the API shows 5: an update would empty 1 of them. "
        "Give the agent all asset fields"
    )
    assert halo.box.state.assets.fields(5002) == before
    assert "POST /api/Asset" not in sent(halo)
    # What is no field can be changed all the same.
    halo.call("update_asset", asset_id=5002, notes="on loan")


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        (
            "update_asset",
            {"asset_id": 5001, "fields": {"Rack": "4"}},
            "no field of the asset type 101 is called",
        ),
        ("create_asset", {"assettype_id": 101, "client_id": 11, "fields": {"Rak": "4"}}, 'called "Rak"'),
        (
            "update_asset",
            {"asset_id": 5001, "fields": {"Memory": 1, "44": 2}},
            "appears twice, by name and by id",
        ),
        ("update_asset", {"asset_id": 5001, "customfields": {"CFTier": 1}}, "no custom field is called"),
    ],
)
def test_k3_an_unknown_field_is_an_error_before_anything_is_sent(
    open_halo: OpenHalo, name: str, inputs: dict[str, Any], message: str
) -> None:
    halo = open_halo()
    assert message in halo.error(name, **inputs)
    assert "POST /api/Asset" not in sent(halo)


def test_k4_fields_that_an_asset_shows_only_with_its_type() -> None:
    fields = [{"id": 44, "name": "Memory", "value": "16 GB"}, {"id": 117, "name": "Serial", "value": "PF3X1"}]
    kind = {"id": 102, "fields": [{"field_id": 44, "field_name": "Memory"}, {"field_id": 117}]}
    asset = "/api/Asset/5002"
    details = {"includedetails": "true"}
    shown = Example(
        title="shown with the type",
        templates={},
        files={},
        row={"asset_id": 5002, "fields": {"44": "32 GB"}},
        sends=(
            {"method": "GET", "path": asset, "query": details},
            {"method": "GET", "path": asset, "query": {**details, "assettype_id": "102"}},
            {"method": "GET", "path": "/api/AssetType/102", "query": details},
            {
                "method": "POST",
                "path": "/api/Asset",
                "body": [
                    {
                        "id": 5002,
                        "_dontupdatetype": True,
                        "_dont_fire_automations": True,
                        "fields": [{**fields[0], "value": "32 GB"}, fields[1]],
                    }
                ],
            },
        ),
        answers=({"id": 5002, "assettype_id": 102}, {"id": 5002, "fields": fields}, kind, {"id": 5002}),
    )
    action = CATALOG.action("halopsa.update_asset")
    assert check_example(action, SERVICE, shown, Path()) == []


def test_k3_a_new_field_of_a_type_leaves_its_others(open_halo: OpenHalo) -> None:
    halo = open_halo()
    changed = halo.call("update_asset_type", assettype_id=104, add_field_ids=[118, 44])
    assert [field["field_id"] for field in changed["fields"]] == [117, 44, 52, 118]


# --- K5: statuses, and what closed means -------------------------------------------------------------------


@pytest.mark.parametrize(("status", "number"), [("Closed", 9), ("closed", 9), ("Closed Order", 8), ("9", 9)])
def test_k5_a_status_by_exact_name_or_id(open_halo: OpenHalo, status: str, number: int) -> None:
    halo = open_halo()
    closed = halo.call("close_ticket", ticket_id=2001, status=status)
    assert (closed["status_id"], closed["hasbeenclosed"]) == (number, True)
    assert posted(halo)["status_id"] == number


def test_k5_a_status_that_does_not_close_or_does_not_exist(open_halo: OpenHalo) -> None:
    halo = open_halo()
    assert "no status is called" in halo.error("close_ticket", ticket_id=2001, status="Finished")
    message = halo.error("close_ticket", ticket_id=2001, status="In Progress")
    assert "ticket 2001 has the status 2 now, which HaloPSA does not treat as closed" in message


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("refused", ": The following fields are mandatory to close this ticket: CFResolution"),
        ("refused_silently", ". The ticket type may require fields on closing, or "),
    ],
)
def test_k5_a_ticket_that_stays_open_is_an_error(open_halo: OpenHalo, value: str, why: str) -> None:
    halo = open_halo(closing=value)
    message = halo.error("close_ticket", ticket_id=2001)
    start = f"conflict: HaloPSA accepted the request but left ticket 2001 open (status 1){why}"
    assert message.startswith(start)
    assert halo.box.state.tickets[2001].get("hasbeenclosed") is not True
    halo.call("close_ticket", ticket_id=2001, customfields={"CFResolution": "Cable replaced"})
    assert halo.box.state.tickets[2001]["hasbeenclosed"] is True


def test_a_closed_ticket_is_not_closed_again(open_halo: OpenHalo) -> None:
    halo = open_halo()
    halo.box.agent.close(2001)
    envelope = halo.envelope("close_ticket", ticket_id=2001)
    assert envelope.meta["warnings"] == ["ticket 2001 is already closed, so nothing was sent"]
    assert "POST /api/Tickets" not in sent(halo)


# --- K6: bodies, K7: the agent, K8: webhooks ---------------------------------------------------------------


@pytest.mark.parametrize("response", ["last", "all", "list"])
def test_k6_the_record_of_each_form_of_response(open_halo: OpenHalo, response: str) -> None:
    halo = open_halo(answer=response)
    made = [
        halo.call("create_client", name="Willow Veterinary"),
        halo.call("create_ticket", summary="x", client_id=11, tickettype_id=21),
        halo.call("create_asset_group", name="Printers"),
        halo.call("update_site", site_id=201, notes="x"),
        halo.call("add_note", ticket_id=2001, note="x"),
    ]
    assert all(isinstance(record["id"], int) for record in made)


def test_k7_what_the_agent_sees_is_listed(open_halo: OpenHalo) -> None:
    every, some = open_halo(), open_halo(agent_sees="some_types")
    seen = [kind["name"] for kind in every.call("list_asset_types")]
    assert [kind["name"] for kind in some.call("list_asset_types")] == [
        n for n in seen if n not in ("Mac", "Linux")
    ]
    assert every.call("get_me")["name"] == "API Agent"
    assert every.call("get_instance_info")["version"]


def test_k8_the_integration_that_is_in_use_is_shown(open_halo: OpenHalo) -> None:
    assert open_halo(integration="on").call("get_integration_settings")["halointegrator_ninjarmm"] is True
    assert open_halo(integration="forbidden").error("get_integration_settings").startswith("forbidden")


# --- K10: nothing unfiltered, booleans, K11: automations and merged tickets --------------------------------


def test_k10_software_and_actions_need_their_record() -> None:
    for name, given in (("list_asset_software", "asset_id"), ("list_ticket_actions", "ticket_id")):
        assert CATALOG.action(f"halopsa.{name}").required == (given,)


def test_k10_descending_is_true_and_not_1(open_halo: OpenHalo) -> None:
    halo = open_halo(orderdesc="strict")
    found = [t["id"] for t in halo.call("list_tickets", order="id", order_descending=True)]
    assert found == sorted(found, reverse=True)
    assert len(found) > 1


@pytest.mark.parametrize("paging", ["ignored", "empty"])
def test_k10_a_page_that_repeats_or_is_empty_is_an_error(open_halo: OpenHalo, paging: str) -> None:
    assert open_halo(assets=120, paging=paging).error("list_assets").startswith("bad_response: ")


def test_k11_assets_start_no_automations_and_keep_their_type(open_halo: OpenHalo) -> None:
    halo = open_halo()
    halo.call("create_asset", assettype_id=102, client_id=11, fields={"Serial Number": "PF3X9"})
    assert posted(halo)["_dont_fire_automations"] is True
    halo.call("update_asset", asset_id=5002, notes="x")
    assert (posted(halo)["_dont_fire_automations"], posted(halo)["_dontupdatetype"]) == (True, True)
    halo.call("update_asset", asset_id=5002, notes="x", dont_fire_automations=False)
    assert posted(halo)["_dont_fire_automations"] is False
    assert "set dont_update_type to false" in halo.error("update_asset", asset_id=5002, assettype_id=101)


def test_k11_validating_saves_nothing(open_halo: OpenHalo) -> None:
    halo = open_halo()
    tickets = len(halo.box.state.tickets)
    halo.call("create_ticket", summary="x", client_id=11, tickettype_id=21, validate_only=True)
    halo.call("update_asset", asset_id=5002, inventory_number="x", validate_only=True)
    assert len(halo.box.state.tickets) == tickets
    assert halo.box.state.assets.values(5002)["inventory_number"] != "x"


def test_k11_a_merged_ticket_is_not_taken_for_a_closed_one(open_halo: OpenHalo) -> None:
    halo = open_halo()
    halo.box.agent.merge(2001, 2002)
    message = halo.error("close_ticket", ticket_id=2001)
    assert message == "conflict: ticket 2001 was merged into ticket 2002: close that one"
    assert "POST /api/Tickets" not in sent(halo)


@pytest.mark.parametrize(
    ("value", "message"), [("gone", "not_found"), ("marked", "not_found: ticket 2001 was deleted")]
)
def test_a_deleted_ticket_is_not_closed(open_halo: OpenHalo, value: str, message: str) -> None:
    halo = open_halo(deleted_tickets=value)
    halo.box.agent.delete(2001)
    assert halo.error("close_ticket", ticket_id=2001).startswith(message)


# --- K12 and notes -----------------------------------------------------------------------------------------


def test_k12_a_note_shows_its_text_as_given(open_halo: OpenHalo) -> None:
    halo = open_halo()
    halo.call("add_note", ticket_id=2001, note='CPU > 90 % & "hot"\n<b>now</b>')
    assert posted(halo)["note_html"] == 'CPU &gt; 90 % &amp; "hot"<br>&lt;b&gt;now&lt;/b&gt;'
    assert (posted(halo)["outcome_id"], posted(halo)["hiddenfromuser"]) == (7, True)
    (action,) = [a for a in halo.call("list_ticket_actions", ticket_id=2001) if a["outcome_id"] == 7]
    assert action["ticket_id"] == 2001


def test_an_outcome_by_name(open_halo: OpenHalo) -> None:
    halo = open_halo()
    halo.call("add_note", ticket_id=2001, note="x", outcome="email user", hidden_from_user=False)
    assert posted(halo)["outcome_id"] == 1
    assert "There are: Email User (1)" in halo.error("add_note", ticket_id=2001, note="x", outcome="Fax")


def test_an_outcome_that_the_agent_may_not_use(open_halo: OpenHalo) -> None:
    message = open_halo().error("add_note", ticket_id=2001, note="x", outcome=12)
    assert message.startswith("forbidden: HaloPSA refuses the outcome 12 to this agent")


def test_k12_a_note_that_a_closed_ticket_refuses_is_an_error(open_halo: OpenHalo) -> None:
    halo = open_halo(notes="refused_when_closed")
    halo.box.agent.close(2001)
    assert "400" in halo.error("add_note", ticket_id=2001, note="x")


@pytest.mark.parametrize("name", NAMES)
def test_what_creates_is_never_repeated_and_what_updates_needs_an_id(name: str) -> None:
    action = CATALOG.action(name)
    kind = action.own_name.partition("_")[0]
    is_new = kind in ("create", "add")
    assert action.idempotent is not is_new
    assert action.effect == {"delete": "destructive", "list": "read", "get": "read"}.get(kind, "write")
    targets = [
        (given.place, given.target) for given in action.inputs.values() if given.name in action.required
    ]
    assert is_new or kind not in ("update", "close") or ("body", ("id",)) in targets
    assert not is_new or ("body", ("id",)) not in targets
