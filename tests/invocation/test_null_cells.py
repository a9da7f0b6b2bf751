"""Rows of a table: NULL and empty cells are no values, columns can be missing; neither clears a value."""

from __future__ import annotations

from typing import Any

import pytest

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.errors import RowError
from connector.invocation.bindings import bind


@pytest.fixture
def update(catalog: Catalog) -> Action:
    return catalog.action("update_device")


@pytest.fixture
def create(catalog: Catalog) -> Action:
    return catalog.action("create_organization")


def values(action: Action, row: dict[str, Any], *, table: bool = True, **templates: Any) -> dict[str, Any]:
    """Bind the templates and return a row's values, without those that every row has."""
    fixed = {"device_id": "1"} if "device_id" in action.inputs else {}
    bindings = bind(action, {**fixed, **templates}, null_is_missing=table)
    found = bindings.values(row)
    return {name: value for name, value in found.items() if name in templates}


NOTHING = [None, "", "  "]


@pytest.mark.parametrize("cell", NOTHING)
@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("policy_id", "{{ p }}"),
        ("policy_id", " {{ p }} "),
        ("policy_id", "{{ row['p'] }}"),
        ("policy_id", "{{ p | trim }}"),
        ("policy_id", "{% if true %}{{ p }}{% endif %}"),
        ("policy_id", "{{ p.deeper.still }}"),
        ("display_name", "{{ p }}"),
        ("user_data", "{{ p }}"),
        ("user_data", '{"a": {{ p }}}'),
        ("user_data", '{"a": "{{ p }}"}'),
        ("user_data", '{"a": "{{ p }}{{ p }}"}'),
        ("user_data", '{"a": {"b": ["{{ p }}", {{ p }}]}}'),
        ("user_data", '{"{{ p }}": 1}'),
        ("user_data", "{{ {'a': p, 'b': [p, p]} if p is none else '' }}"),
    ],
)
def test_nothing_is_sent_for_a_cell_without_a_value(
    update: Action, name: str, template: str, cell: Any
) -> None:
    if "deeper" in template and cell is not None:
        pytest.skip("text has no members")
    assert values(update, {"p": cell}, **{name: template}) == {}


@pytest.mark.parametrize(
    ("name", "template", "row", "value"),
    [
        ("display_name", "{{ a }}-{{ b }}", {"a": "x", "b": None}, "x-"),
        ("display_name", "{{ a ~ b }}", {"a": "x", "b": None}, "x"),
        ("display_name", "{{ [a, b] | join('-') }}", {"a": "x", "b": None}, "x-"),
        ("display_name", "{{ b | default('none given') }}", {"b": None}, "none given"),
        ("display_name", "{{ 'yes' if b is none else 'no' }}", {"b": None}, "yes"),
        ("display_name", "{{ 'yes' if b == none else 'no' }}", {"b": None}, "yes"),
        ("display_name", "{{ b or 'other' }}", {"b": None}, "other"),
        ("display_name", "{{ b }}", {"b": "null"}, "null"),
        ("user_data", '{"a": "{{ a }}", "b": "{{ b }}"}', {"a": "x", "b": None}, {"a": "x"}),
        ("user_data", '{"a": "no {{ b }}"}', {"b": None}, {"a": "no "}),
        ("user_data", '{"a": "", "b": null}', {}, {"a": "", "b": None}),
        ("user_data", '{"a": null, "b": {{ b }}}', {"b": None}, {"a": None}),
        ("user_data", '{"a": {{ none }}}', {}, {"a": None}),
        ("user_data", "{{ b }}", {"b": {"c": 1, "d": None, "e": [None]}}, {"c": 1}),
        ("user_data", "{{ b }}", {"b": '{"c": 1, "d": null}'}, {"c": 1}),
        ("user_data", '{"a": {{ b }}}', {"b": '{"c": 1, "d": [null, 2]}'}, {"a": {"c": 1, "d": [2]}}),
        ("user_data", "{{ b }}", {"b": {}}, {}),
        ("policy_id", "null", {}, None),
        ("policy_id", "{{ none if c else p }}", {"c": True, "p": 7}, None),
    ],
)
def test_what_is_sent_beside_it(update: Action, name: str, template: str, row: Any, value: Any) -> None:
    assert values(update, row, **{name: template}) == {name: value}


@pytest.mark.parametrize("cell", ["null", " null "])
def test_the_word_null_in_a_cell_clears_nothing(update: Action, cell: str) -> None:
    assert values(update, {"p": cell}, policy_id="{{ p }}") == {}
    assert values(update, {"p": cell}, user_data="{{ p }}") == {}
    assert values(update, {"p": cell}, user_data='{"a": {{ p }}}') == {}


@pytest.mark.parametrize(
    ("template", "row", "value"),
    [
        ("[1, {{ t }}]", {"t": "[2, 3]"}, ["1", "2", "3"]),
        ("[1, {{ t }}]", {"t": "2, 3"}, ["1", "2", "3"]),
        ("[1, {{ t }}]", {"t": [2, 3]}, ["1", "2", "3"]),
        ("[1, {{ t }}]", {"t": []}, ["1"]),
        ("[1, {{ t }}]", {"t": "[]"}, ["1"]),
        ("[1, {{ t }}]", {"t": ""}, ["1"]),
        ("[1, {{ t }}]", {"t": None}, ["1"]),
        ("[1, {{ t }}]", {"t": "[null, 2]"}, ["1", "2"]),
        ('["{{ t }}", "A"]', {"t": ""}, ["A"]),
        ('["{{ t }}", "A"]', {"t": None}, ["A"]),
        ('["{{ t }}", "A"]', {"t": "x"}, ["x", "A"]),
        ('["", "{{ t }}"]', {"t": ""}, [""]),
    ],
)
def test_items_of_an_array(create: Action, template: str, row: Any, value: Any) -> None:
    assert values(create, {"n": "x", **row}, name="{{ n }}", tags=template)["tags"] == value


@pytest.mark.parametrize("template", ["[{{ t }}]", '["{{ t }}"]', "[[{{ t }}]]"])
@pytest.mark.parametrize("cell", NOTHING)
def test_an_array_of_which_nothing_is_left_clears_nothing(create: Action, template: str, cell: Any) -> None:
    assert "tags" not in values(create, {"n": "x", "t": cell}, name="{{ n }}", tags=template)


def test_a_column_that_a_row_leaves_out_is_null_and_one_that_no_row_has_is_an_error(update: Action) -> None:
    asked = []

    def columns() -> list[str]:
        asked.append(1)
        return ["p", "name"]

    bindings = bind(update, {"device_id": "1", "policy_id": "{{ p }}", "display_name": "{{ name }}"})
    table = bind(
        update,
        {"device_id": "1", "policy_id": "{{ p }}", "display_name": "{{ name }}"},
        null_is_missing=True,
    )
    table = type(table)(**{**vars(table), "columns": columns})
    assert table.values({"p": 3, "name": "x"})["policy_id"] == 3
    assert asked == []
    assert "policy_id" not in table.values({"name": "x"})
    assert table.values({}) == {"device_id": 1}
    assert table.values({"p": 3})["policy_id"] == 3
    assert asked == [1]
    with pytest.raises(RowError, match='the row has no field "p"'):
        bindings.values({"name": "x"})
    wrong = bind(update, {"device_id": "1", "policy_id": "{{ q }}"}, null_is_missing=True)
    with pytest.raises(RowError, match='the row has no field "q"'):
        type(wrong)(**{**vars(wrong), "columns": columns}).values({"p": 1})


def test_arithmetic_with_null_is_an_error_and_no_number(update: Action) -> None:
    for template in ("{{ p + 1 }}", "{{ p | int + 1 }}", "{{ -p }}", "{{ p > 1 }}"):
        with pytest.raises(RowError, match="the value is NULL here"):
            values(update, {"p": None}, policy_id=template)


# Rows that are no table's


def test_a_null_alone_stays_null_and_is_empty_within_text_with_a_warning(update: Action) -> None:
    assert values(update, {"p": None}, table=False, policy_id="{{ p }}") == {"policy_id": None}
    assert values(update, {"p": None}, table=False, user_data='{"a": {{ p }}}') == {"user_data": {"a": None}}
    bindings = bind(update, {"device_id": "1", "display_name": "{{ a }}-{{ b }}"})
    assert bindings.warnings(bindings.values({"a": "x", "b": "y"})) == []
    found = bindings.values({"a": "x", "b": None})
    assert found["display_name"] == "x-"
    assert bindings.warnings(found) == ["a null in the row is part of a text, and was rendered as empty text"]
    assert bindings.warnings(bindings.values({"a": "x", "b": "y"})) == []
    member = bind(update, {"device_id": "1", "user_data": '{"a": "{{ b }}"}'})
    found = member.values({"b": None})
    assert (found["user_data"], len(member.warnings(found))) == ({"a": None}, 0)


def test_a_field_named_row_does_not_hide_the_row(update: Action) -> None:
    row = {"row": {"x": 1}, "Device ID": "PC"}
    for table in (True, False):
        assert values(update, row, table=table, display_name="{{ row['Device ID'] }}") == {
            "display_name": "PC"
        }
        assert values(update, row, table=table, user_data="{{ row }}") == {"user_data": {"x": 1}}
        assert values(update, row, table=table, user_data="{{ row.row }}") == {"user_data": {"x": 1}}
        loop = "{% for row in [row] %}{{ row.x }}{% endfor %}"
        assert values(update, row, table=table, display_name=loop) == {"display_name": "1"}


@pytest.mark.parametrize("text", ["{'a': 1}", "{'a': 'b'}", '{"a": True}', "['a']", '{"a": None}'])
def test_pythons_form_of_a_value_is_named_in_the_error(update: Action, text: str) -> None:
    with pytest.raises(RowError, match="it looks like a Python value"):
        values(update, {"d": text}, user_data="{{ d }}")


@pytest.mark.parametrize("mode", [" manual ", "Manual", "MANUAL"])
def test_options_are_taken_with_spaces_and_in_any_case(create: Action, mode: str) -> None:
    found = values(create, {"m": mode}, table=False, name="x", device_approval_mode="{{ m }}")
    assert found["device_approval_mode"] == "MANUAL"
