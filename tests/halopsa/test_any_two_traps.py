"""Whatever two traps an instance has: a list, create, update and close end right, or in a named error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from connector.errors import CODES
from connector.files.envelope import Envelope
from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.halopsa.traps import TRAPS
from tests.examples import examples
from tests.fakes import FakeClock
from tests.halopsa.sandboxes import Halo

SET = [(trap.name, value) for trap in TRAPS for value in trap.values[1:]] + [("rate_limit", "4/5")]
LIMITED_VIEW = {"one_client", "one_client_404", "some_types"}
"""What an agent does not see is missing from lists without a sign of it; this is for `sync check`."""
ASSET, TICKET, CLIENT = 5002, 2001, 11


def pairs() -> st.SearchStrategy[dict[str, str]]:
    """Return two traps with values that are not the default."""
    two = st.lists(st.sampled_from(SET), min_size=2, max_size=2, unique_by=lambda trap: trap[0])
    return two.map(dict)


def is_right_or_named(envelope: Envelope) -> bool:
    """Return whether an action succeeded. A failure must say which, and be none of ours."""
    if envelope.error is None:
        return True
    assert envelope.meta["code"] in set(CODES) - {"internal_error", "template_error", "input_invalid"}
    assert len(envelope.error) > 20
    return False


@given(traps=pairs())
@example(traps={"paging": "ignored", "page_cap": "ignored"})
@example(traps={"sub_arrays": "replace", "agent_sees": "some_fields"})
@example(traps={"closing": "refused_silently", "answer": "list"})
@example(traps={"answers": "reset_once", "automations": "close"})
@example(traps={"html": "page_once", "warning": "yes"})
@examples(60)
def test_any_two_traps(traps: Mapping[str, str]) -> None:
    clock = FakeClock()
    with HaloSandbox(assets=120, clients=2, traps=traps, clock=clock.now) as box, Halo(box, clock) as halo:
        check_list(halo, traps)
        check_create(halo)
        check_update(halo)
        check_close(halo)


def check_list(halo: Halo, traps: Mapping[str, str]) -> None:
    envelope = halo.envelope("list_assets", client_id=CLIENT)
    if is_right_or_named(envelope) and traps.get("agent_sees") not in LIMITED_VIEW:
        found = sorted(asset["id"] for asset in envelope.result)
        assert found == sorted(halo.box.state.assets.of_client(CLIENT))


def check_create(halo: Halo) -> None:
    summary = "Created under traps"
    envelope = halo.envelope("create_ticket", summary=summary, client_id=CLIENT, tickettype_id=21)
    made = [t for t in halo.box.state.tickets.values() if t["summary"] == summary]
    if is_right_or_named(envelope):
        assert [ticket["id"] for ticket in made] == [envelope.result["id"]]
    # A create whose response was lost is not sent again: there are never two.
    assert len(made) <= 1


def check_update(halo: Halo) -> None:
    before = stored(halo)
    envelope = halo.envelope("update_asset", asset_id=ASSET, fields={"Memory": "64 GB"})
    after = stored(halo)
    assert {**before, 44: "64 GB"} == {**after, 44: "64 GB"}, "the other fields keep their values"
    if is_right_or_named(envelope):
        assert after[44] == "64 GB"


def stored(halo: Halo) -> dict[int, Any]:
    """Return the fields of the asset that have a value."""
    return {number: value for number, value in halo.box.state.assets.fields(ASSET).items() if value}


def check_close(halo: Halo) -> None:
    envelope = halo.envelope("close_ticket", ticket_id=TICKET)
    if is_right_or_named(envelope):
        assert halo.box.state.tickets[TICKET]["hasbeenclosed"] is True
        assert envelope.result["hasbeenclosed"] is True
