"""Custom-field values by their definitions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ninjaone.feeding import feed, refusal

GOLD, SILVER, OLD = (f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2, 3))
OPTIONS = {
    "values": [
        {"id": GOLD, "name": "Gold", "active": True},
        {"id": SILVER, "name": "Silver", "active": True},
        {"id": OLD, "name": "Tin", "active": False},
    ]
}
TYPES = {
    "text": "TEXT",
    "note": "TEXT_MULTILINE",
    "date": "DATE",
    "moment": "DATE_TIME",
    "plan": "DROPDOWN",
    "bare": "DROPDOWN",
    "plans": "MULTI_SELECT",
    "html": "WYSIWYG",
    "flag": "CHECKBOX",
    "count": "NUMERIC",
    "share": "DECIMAL",
    "time": "TIME",
    "device": "NODE_DROPDOWN",
}
DEFINITIONS = [
    {
        "name": name,
        "type": kind,
        "definitionScope": ["NODE", "ORGANIZATION"],
        "content": OPTIONS if name.startswith("plan") else {},
    }
    for name, kind in TYPES.items()
] + [
    {"name": "rack", "type": "TEXT", "definitionScope": ["NODE"]},
    {"name": "anywhere", "type": "TEXT"},
]
GET = "GET /v2/custom-fields?pageSize=500"


def sent(**fields: Any) -> Any:
    """What is sent of an organization's fields."""
    fed = feed(
        "update_organization_custom_fields", {"results": DEFINITIONS}, None, organization_id=1, fields=fields
    )
    assert fed.error is None, fed.error
    assert fed.lines == [GET, "PATCH /v2/organization/1/custom-fields"]
    assert fed.sent[0].cached
    return fed.body


def refused(**fields: Any) -> str:
    fed = feed(
        "update_organization_custom_fields", {"results": DEFINITIONS}, organization_id=1, fields=fields
    )
    assert fed.error is not None
    assert fed.error.code == "input_invalid"
    return str(fed.error)


@pytest.mark.parametrize(
    ("name", "given", "is_sent"),
    [
        ("date", "2026-05-28", 1779926400000),
        ("date", "1779926400000", 1779926400000),
        ("date", 1748390400, 1748390400000),
        ("date", "1748390400.25", 1748390400250),
        ("date", 20281201, 1859241600000),
        ("moment", "20281201T060000Z", 1859263200000),
        ("moment", "2026-05-28T02:00:00+02:00", 1779926400000),
        ("moment", 1779926400000.0, 1779926400000),
        ("plan", "Gold", GOLD),
        ("plan", "gold", GOLD),
        ("plan", SILVER, SILVER),
        ("plan", OLD, OLD),
        ("bare", "anything", "anything"),
        ("plans", ["Gold", SILVER], [GOLD, SILVER]),
        ("plans", "Silver", [SILVER]),
        ("plans", [], []),
        ("html", "<p>Hello</p>", {"html": "<p>Hello</p>"}),
        ("html", {"html": "<p>Hello</p>"}, {"html": "<p>Hello</p>"}),
        ("flag", "yes", True),
        ("flag", "0", False),
        ("flag", False, False),
        ("count", "12", 12),
        ("count", 12.0, 12),
        ("share", "0.5", 0.5),
        ("text", 5, "5"),
        ("text", "007", "007"),
        ("note", "a\nb", "a\nb"),
        ("anywhere", "x", "x"),
        ("time", "08:00", "08:00"),
        ("device", 7, 7),
        ("text", None, None),
        ("date", None, None),
        ("itamAssetStatus", "In use", "In use"),
    ],
)
def test_a_value_goes_by_its_definition(name: str, given: Any, is_sent: Any) -> None:
    body = sent(**{name: given})
    assert body == {name: is_sent}
    assert type(body[name]) is type(is_sent)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("date", "soon", 'fields.date: "soon" is not a time'),
        ("date", 86400000, "fields.date: 86400000 is not a time between 1990 and 2100"),
        ("moment", "47088", "fields.moment: 47088 looks like a spreadsheet date: 2028-12-01"),
        ("date", True, "fields.date: expected a time, got a boolean"),
        ("date", [1], "fields.date: expected a time, got an array"),
        ("plan", "Platinum", 'fields.plan: no option is named "Platinum". Existing: Gold, Silver'),
        ("plan", "Godl", '(did you mean "Gold"?)'),
        ("plan", "Tin", 'no option is named "Tin"'),
        ("plan", 5, 'no option is named "5"'),
        ("plan", ["Gold"], "fields.plan: expected one option, not an array"),
        ("plans", ["Gold", "Bronze"], 'no option is named "Bronze"'),
        ("flag", "perhaps", "fields.flag: true or false is expected"),
        ("count", "many", "fields.count: an integer is expected"),
        ("count", 2.5, "fields.count: an integer is expected"),
        ("text", {"a": 1}, "fields.text: text is expected"),
        (
            "txt",
            "a",
            'organizations have no custom field txt (did you mean "text"?). Custom fields: text, note',
        ),
        ("rack", "B4", "fields: rack is a custom field of devices, not of organizations"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(name: str, given: Any, message: str) -> None:
    assert message in refused(**{name: given})


def test_all_that_is_wrong_is_said_at_once() -> None:
    message = refused(date="soon", plan="Platinum", nothing=1)
    assert message.count("; ") == 2


def test_definitions_of_no_such_scope() -> None:
    rack = {"name": "rack", "type": "TEXT", "definitionScope": ["NODE"]}
    fed = feed(
        "update_location_custom_fields",
        {"results": [rack]},
        organization_id=1,
        location_id=2,
        fields={"a": 1},
    )
    assert "locations have no custom field a. No custom fields exist" in str(fed.error)


def test_definitions_are_read_over_all_pages() -> None:
    first = {"results": DEFINITIONS[:2], "cursor": {"name": "c", "offset": 2}}
    rest = {"results": DEFINITIONS[2:], "cursor": {"name": "c", "offset": 15}}
    fed = feed(
        "update_device_custom_fields",
        first,
        rest,
        {"results": []},
        None,
        device_id=6,
        fields={"plan": "Gold"},
    )
    assert fed.lines == [
        GET,
        f"{GET}&cursorName=c",
        f"{GET}&cursorName=c",
        "PATCH /v2/device/6/custom-fields",
    ]
    assert fed.body == {"plan": GOLD}


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (refusal(403, "forbidden"), "cannot be read: the API answered 403"),
        (refusal(404, "not_found"), "cannot be read: the API answered 404"),
        ({"results": []}, "the API lists no definitions"),
    ],
)
def test_without_definitions_values_go_as_they_are(response: Any, message: str) -> None:
    fields = {"date": "2026-05-28", "anything": "x"}
    fed = feed("update_device_custom_fields", response, None, device_id=6, fields=fields)
    assert fed.body == fields
    (note,) = fed.notes
    assert message in note


def test_another_error_ends_the_row() -> None:
    fed = feed("update_device_custom_fields", refusal(500), device_id=6, fields={"a": 1})
    assert fed.error is not None
    assert fed.error.status == 500


@pytest.mark.parametrize(
    ("action", "scope", "values", "path"),
    [
        ("update_device_custom_fields", "NODE", {"device_id": 6}, "/v2/device/6"),
        ("update_end_user_custom_fields", "END_USER", {"end_user_id": 5}, "/v2/user/end-user/5"),
        ("update_organization_custom_fields", "ORGANIZATION", {"organization_id": 1}, "/v2/organization/1"),
        (
            "update_location_custom_fields",
            "LOCATION",
            {"organization_id": 1, "location_id": 2},
            "/v2/organization/1/location/2",
        ),
    ],
)
def test_each_action_asks_for_the_fields_of_its_scope(
    action: str, scope: str, values: Any, path: str
) -> None:
    own = {"name": "since", "type": "DATE", "definitionScope": [scope]}
    other = {"name": "other", "type": "DATE", "definitionScope": ["?"]}
    definitions = {"results": [own, other]}
    fed = feed(action, definitions, None, **values, fields={"since": "1970-01-02"})
    assert fed.lines[-1] == f"PATCH {path}/custom-fields"
    assert fed.body == {"since": 86400000}
    assert "other is a custom field of ?" in str(
        feed(action, definitions, **values, fields={"other": 1}).error
    )


def labelled(*definitions: tuple[str, str], **fields: Any) -> Any:
    known = [{"name": name, "label": label, "type": "TEXT", "definitionScope": ["NODE"]}
             for name, label in definitions]  # fmt: skip
    answers = [{"results": known}] + ([] if "refused" in fields else [None])
    fields.pop("refused", None)
    return feed("update_device_custom_fields", *answers, device_id=1, fields=fields)


@pytest.mark.parametrize("given", ["assetOwner", "AssetOwner", "asset owner", "Asset  Owner"])
def test_a_field_by_its_label(given: str) -> None:
    fed = labelled(("assetOwner", "Asset owner"), ("rack", "Rack"), **{given: "Ada"})
    assert fed.body == {"assetOwner": "Ada"}


def test_a_name_goes_before_a_label_of_another_field() -> None:
    assert labelled(("rack", "Place"), ("shelf", "rack"), rack="R1").body == {"rack": "R1"}


def test_a_label_of_two_fields_and_a_field_given_twice() -> None:
    two = labelled(("rack", "Place"), ("shelf", "place"), refused=True, Place="R1")
    assert "Place is the label of more than one custom field; use the name: rack, shelf" in str(two.error)
    twice = labelled(("rack", "Place"), refused=True, rack="R1", Place="R2")
    assert str(twice.error) == "fields: Place is the custom field rack, which has two values"
