"""How names are looked up: once per run, within their owner, and by several forms."""

from __future__ import annotations

from typing import Any

import pytest

from connector.errors import RowError
from connector.http.messages import Request, Response
from connector.invocation.lookups import Lookups
from connector.invocation.names import with_ids
from tests.fakes import reply
from tests.kept_catalog import CATALOG
from tests.ninjaone.feeding import feed, refusal

SERVICE = CATALOG.service("ninjaone")
ORGANIZATIONS = [{"id": 1, "name": "Alder Dental"}, {"id": 2, "name": "Birch/Legal"}]
PLACES = [
    {"id": 11, "name": "Main", "organizationId": 1},
    {"id": 21, "name": "Main", "organizationId": 2},
    {"id": 22, "name": "Floor 1/2", "organizationId": 2},
]
TAGS = {"tags": [{"id": 1, "name": "leased"}, {"id": 2, "name": "spare"}]}
FIELDS = {"results": [{"name": "assetOwner", "label": "Asset owner"}, {"name": "rack", "label": "Rack"}]}
UPDATE = CATALOG.action("update_organization")


def steps(lookups: Lookups, name: str = "Alder Dental") -> Any:
    return with_ids(UPDATE, SERVICE, {"organization_id": name}, lookups)


def found(running: Any, answer: Any) -> Any:
    """Return the values after the only request is answered."""
    with pytest.raises(StopIteration) as end:
        running.send(reply(answer))
    return end.value.value


def test_names_are_requested_once_and_their_responses_are_not_kept() -> None:
    lookups, sent = Lookups(), list[Request]()

    def send(request: Request) -> Response:
        sent.append(request)
        return reply(ORGANIZATIONS)

    first = steps(lookups)
    request = next(first)
    lookups.ask(request, send)
    assert found(first, ORGANIZATIONS) == {"organization_id": 1}
    with pytest.raises(StopIteration) as end:
        next(steps(lookups, "birch legal".replace(" ", "/")))
    assert end.value.value == {"organization_id": 2}
    lookups.ask(request, send)
    assert len(sent) == 2


def test_a_look_up_that_fails_is_repeated_by_the_next_row() -> None:
    lookups = Lookups()
    first = steps(lookups)
    next(first)
    with pytest.raises(RowError, match="the API answered 500"):
        first.throw(refusal(500))
    second = steps(lookups)
    next(second)
    assert found(second, ORGANIZATIONS) == {"organization_id": 1}


def test_a_row_that_is_stopped_during_a_look_up_lets_others_look_up() -> None:
    lookups = Lookups()
    stopped = steps(lookups)
    next(stopped)
    assert lookups.indexing.locked()
    stopped.close()
    assert not lookups.indexing.locked()


@pytest.mark.parametrize(
    ("organization", "given", "location"),
    [
        (1, "main", 11),
        (2, "Main", 21),
        (2, "Floor 1/2", 22),
        (2, "Birch/Legal/Floor 1/2", 22),
        (1, "Alder Dental / Main", 11),
    ],
)
def test_a_location_of_the_organization(organization: int, given: str, location: int) -> None:
    answers = [PLACES, ORGANIZATIONS] if given.count("/") > 1 or given[0] == "A" else [PLACES]
    values = {"organization_id": organization, "location_id": given, "name": "N"}
    fed = feed("update_location", *answers, {}, **values)
    assert fed.error is None, fed.error
    assert fed.lines[-1] == f"PATCH /v2/organization/{organization}/locations/{location}"


@pytest.mark.parametrize(
    ("organization", "given", "code", "message"),
    [
        (1, "Alder/Attic", "not_found", "no location of this organization is named"),
        (1, "Birch/Legal/Main", "conflict", "is in another organization than the one of this row"),
        (2, "Attic", "not_found", "Existing: Main (21), Floor 1/2 (22)"),
    ],
)
def test_a_location_that_is_not_of_the_organization(
    organization: int, given: str, code: str, message: str
) -> None:
    answers = [PLACES, ORGANIZATIONS] if "/" in given else [PLACES]
    values = {"organization_id": organization, "location_id": given, "name": "N"}
    fed = feed("update_location", *answers, **values)
    assert fed.error is not None
    assert fed.error.code == code
    assert message in str(fed.error)


def test_locations_of_several_organizations_are_named_with_theirs() -> None:
    scope = {"organizationIds": ["Alder Dental", 2], "locationIds": ["alder dental/main", "Birch/Legal/Main"]}
    action, lookups = CATALOG.action("update_software_license"), Lookups()
    running = with_ids(action, SERVICE, {"scope": scope}, lookups)
    next(running)
    running.send(reply(ORGANIZATIONS))
    assert found(running, PLACES)["scope"] == {"organizationIds": [1, 2], "locationIds": [11, 21]}
    scope = {"organizationIds": [1, 2], "locationIds": ["Main"]}
    with pytest.raises(RowError, match="the row does not say of which: write ORGANIZATION/LOCATION"):
        next(with_ids(action, SERVICE, {"scope": scope}, lookups))


def test_ids_and_names_of_one_record_are_sent_once() -> None:
    fed = feed(
        "set_asset_tags", TAGS, None, asset_id=1, asset_type="device", tag_ids=["leased", 1, "SPARE", 3]
    )
    assert fed.body == {"tagIds": [1, 2, 3]}


@pytest.mark.parametrize(
    ("given", "sent"), [("Alder Dental, 2", "1,2"), ("id:1,birch/legal", "1,2"), ("name:alder dental", "1")]
)
def test_several_in_one_text(given: str, sent: str) -> None:
    fed = feed("list_organization_articles", ORGANIZATIONS, [], organization_ids=given)
    assert fed.sent[-1].query == (("organizationIds", sent),)


@pytest.mark.parametrize(
    ("given", "name", "looks_up"),
    [
        ("assetOwner", "assetOwner", False),
        ("Asset Owner", "assetOwner", True),
        ("name:rack", "rack", True),
        ("id:AssetOwner", "AssetOwner", False),
    ],
)
def test_a_field_definition_by_its_label(given: str, name: str, looks_up: bool) -> None:
    fed = feed("get_custom_field_definition", *([FIELDS] if looks_up else []), {}, field_name=given)
    assert fed.lines[-1] == f"GET /v2/custom-fields/field-name/{name}"


@pytest.mark.parametrize(
    ("given", "code"), [("id:7f", "input_invalid"), ("id:", "input_invalid"), ("Nobody", "not_found")]
)
def test_a_uid_that_is_none(given: str, code: str) -> None:
    answers = [] if given.startswith("id:") else [[]]
    fed = feed("set_device_owner", *answers, device_id=1, owner_uid=given)
    assert fed.error is not None
    assert fed.error.code == code


@pytest.mark.parametrize("given", [True, 1.5, ["1"], {"id": 1}])
def test_a_value_that_is_neither_an_id_nor_a_name(given: Any) -> None:
    with pytest.raises(RowError, match="device_id: an id or a name is expected, not"):
        feed("get_device", device_id=given)


def test_of_many_names_the_similar_ones_are_compared() -> None:
    many = [{"id": n, "displayName": f"SRV-{n:05}"} for n in range(1, 901)]
    fed = feed("get_device", many, device_id="srv-000850")
    assert '(did you mean "SRV-00850"?)' in str(fed.error)
    assert "and 880 more" in str(fed.error)


def test_one_list_is_read_for_all_kinds_that_share_no_query() -> None:
    user = {"id": 9, "firstName": "Kit", "lastName": "Page", "email": "kit@example.com"}
    fed = feed("add_role_members", [{"id": 3, "name": "Desk"}], [user], None, role_id="desk",
               user_ids=["Kit Page", "KIT@example.com"])  # fmt: skip
    assert fed.lines == ["GET /v2/user/roles", "GET /v2/users", "PATCH /v2/user/role/3/add-members"]
    assert fed.body == [9]
