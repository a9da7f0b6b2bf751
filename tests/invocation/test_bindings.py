"""Bindings: which template or field provides which input, and the values of a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalog.action import Action
from connector.catalog.inputs import Input
from connector.common.absent import ABSENT
from connector.errors import RowError, RunError
from connector.invocation.bindings import Bindings, bind
from tests.examples import examples

SCHEMAS: dict[str, dict[str, Any]] = {
    "name": {"type": "string"},
    "count": {"type": "integer", "minimum": 1},
    "tags": {"type": "array", "items": {"type": "string"}},
    "fields": {"type": "object"},
    "either": {"type": ["array", "object"]},
    "anything": {},
    "owner": {"type": ["integer", "null"]},
    "size": {"type": "integer", "default": 50},
}


def make_action(*required: str, rules: tuple[dict[str, Any], ...] = ()) -> Action:
    inputs = {
        name: Input(
            name=name,
            title=name.title(),
            schema=schema,
            place="body",
            target=(name,),
            published=name != "owner",
            default=schema.get("default", ABSENT),
        )
        for name, schema in SCHEMAS.items()
    }
    return Action(
        name="update_thing",
        title="Update Thing",
        summary="",
        description="",
        service="acme",
        area="area",
        operation="updateThing",
        method="PUT",
        path="/v2/thing",
        effect="write",
        idempotent=True,
        inputs=inputs,
        required=required,
        rules=rules,
        parts={},
        paging="",
        result="none",
        redirects=False,
        examples=(),
        file=Path("update_thing.yaml"),
        handler=None,
    )


def values(templates: dict[str, Any], row: dict[str, Any], *required: str, **settings: Any) -> dict[str, Any]:
    return bind(make_action(*required), templates, **settings).values(row)


def refusal(bindings: Bindings, row: dict[str, Any]) -> RowError:
    with pytest.raises(RowError) as caught:
        bindings.values(row)
    return caught.value


# --- what is bound to what ---------------------------------------------------------------------------------


def test_without_templates_inputs_take_the_fields_of_their_name() -> None:
    row = {"name": "a", "count": "7", "tags": '["x"]', "unknown": 1, "size": ""}
    assert values({}, row) == {"name": "a", "count": 7, "tags": ["x"], "size": 50}


def test_with_templates_fields_are_not_taken_by_name() -> None:
    row = {"name": "a", "count": 7, "size": 9}
    assert values({"name": "{{ count }}"}, row) == {"name": "7", "size": 50}


def test_with_templates_and_match_fields_both_are_taken() -> None:
    row = {"name": "a", "count": 7, "size": 9}
    assert values({"name": "{{ count }}"}, row, match_fields=True) == {"name": "7", "count": 7, "size": 9}


def test_a_matched_field_is_data_and_never_a_template() -> None:
    code = "{{ 7 * 7 }}{% if %}"
    row = {"name": code, "tags": [code], "fields": {code: code}, "anything": code}
    assert values({}, row) == {**row, "size": 50}


def test_the_preview_says_what_is_bound_to_what() -> None:
    action = make_action()
    described = bind(action, {"name": "{{ a }}", "tags": ["x", "{{ b }}"], "owner": None}).described()
    assert described == {
        "name": "the template {{ a }}",
        "tags": 'the template ["x", "{{ b }}"]',
        "owner": "the template null",
        "size": "its default",
    }
    assert bind(action, {}).described()["size"] == 'the row\'s field "size"'


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ({"a": '{{ row["x y"] | default("q") }}'}, {"a": 'p"'}),
        ({"a": ["{{ n }}", 1, None]}, {"a": ["5", 1, None]}),
        ({}, {}),
        ({"template": '{"b": {{ n }}}'}, {"b": 5}),
        ({"template": "x", "other": 1}, {"template": "x", "other": 1}),
    ],
)
def test_a_json_value_stands_for_its_own_text(template: Any, value: Any) -> None:
    assert values({"fields": template}, {"x y": 'p"', "n": 5})["fields"] == value


@pytest.mark.parametrize(("template", "value"), [(5, 5), ("5", 5), (True, None), (5.0, 5)])
def test_a_plain_value_is_typed_like_a_template(template: Any, value: Any) -> None:
    bindings = bind(make_action(), {"count": template})
    if value is None:
        assert "an integer is expected" in str(refusal(bindings, {}))
    else:
        assert bindings.values({})["count"] == value


def test_null_is_null_where_the_api_takes_it_and_else_nothing() -> None:
    found = values({"owner": None, "name": None}, {"owner": 7, "name": "x"})
    assert found == {"owner": None, "size": 50}


@pytest.mark.parametrize(
    ("templates", "required", "message"),
    [
        ({"nmae": "x"}, (), 'update_thing has no input "nmae" (did you mean "name"?)'),
        ({5: "x"}, (), 'update_thing has no input "5"'),
        ({"name": "{{ a"}, (), "name: template, line 1"),
        ({"name": "{{ a | uper }}"}, (), 'name: template, line 1: there is no filter "uper"'),
        ({"tags": "ALERTS"}, (), "tags: template: not JSON"),
        ({"tags": ["{{ a"]}, (), "tags: template, line 1"),
        ({"name": {"template": "x", "empty": "drop"}}, (), 'name: "empty" can only be "send"'),
        ({"count": {"template": "x", "empty": "send"}}, (), "count: only a text input can be sent empty"),
        ({"name": "x"}, ("count", "tags"), "update_thing requires count, tags; add a template"),
        ({"delay_ms": "0"}, (), 'no input "delay_ms": it is a setting of the whole run; set it'),
    ],
)
def test_what_cannot_be_bound_is_a_fault_of_the_run(
    templates: dict[Any, Any], required: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RunError) as caught:
        bind(make_action(*required), templates)
    assert message in str(caught.value)


def test_a_value_that_contains_itself_is_a_fault_of_the_run() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(RunError, match="tags: template"):
        bind(make_action(), {"tags": loop})


def test_a_column_with_the_name_of_a_setting_is_an_ordinary_column() -> None:
    row = {"delay_ms": "soon", "name": "x"}
    assert values({"name": "{{ delay_ms }}"}, row) == {"name": "soon", "size": 50}
    assert values({}, row) == {"name": "x", "size": 50}


# --- a row's values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rendered", ["", "  ", None])
def test_what_renders_to_nothing_is_absent(rendered: Any) -> None:
    templates = {"name": "{{ v }}", "count": "{{ v }}", "tags": "{{ v }}", "fields": " {{ v }} "}
    assert values(templates, {"v": rendered}) == {"size": 50}


@pytest.mark.parametrize("rendered", ["", "  "])
def test_nothing_is_sent_as_empty_text_where_that_is_asked_for(rendered: Any) -> None:
    template = {"template": "{{ v }}", "empty": "send"}
    assert values({"name": template}, {"v": rendered})["name"] == ""
    assert values({"name": template}, {"v": "x"})["name"] == "x"
    assert "name" not in values({"name": {"template": "{{ v }}"}}, {"v": rendered})


def test_a_required_input_without_a_value_is_named_with_its_template() -> None:
    bindings = bind(make_action("name", "count"), {"name": "{{ v }}", "count": "{{ c }}"})
    error = refusal(bindings, {"v": "", "c": 5})
    assert error.code == "input_invalid"
    assert str(error) == "a required input has no value: name (the template {{ v }})"
    by_name = refusal(bind(make_action("name"), {}), {})
    assert 'name (the row\'s field "name")' in str(by_name)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    bindings = bind(make_action(), {"name": "{{ nam }}", "count": "x", "tags": "[{{ t }}]"})
    error = refusal(bindings, {"t": "A"})
    assert error.code == "template_error"
    message = str(error)
    assert 'name: the row has no field "nam"' in message
    assert 'count: an integer is expected, not the text "x"' in message
    assert "tags: the template renders invalid JSON" in message


@pytest.mark.parametrize("source", ["{{ v }}", " {{ v }} ", "{% if true %}{{ v }}{% endif %}"])
@pytest.mark.parametrize("value", [["a"], '["a"]', '\n[ "a" ]\n'])
def test_an_array_comes_from_a_list_and_from_json_text(source: str, value: Any) -> None:
    assert values({"tags": source}, {"v": value})["tags"] == ["a"]


def test_broken_json_text_of_a_row_is_shown() -> None:
    error = refusal(bind(make_action(), {"tags": "{{ v }}"}), {"v": "A, B"})
    assert (error.code, "invalid JSON" in str(error), "A, B" in str(error)) == ("template_error", True, True)
    matched = refusal(bind(make_action(), {}), {"tags": "A, B"})
    assert (matched.code, "not JSON" in str(matched)) == ("input_invalid", True)


def test_a_default_and_a_fallback_fill_only_what_is_absent() -> None:
    fallbacks = {"name": "end", "size": "70", "count": "", "no_input": 1}
    bindings = bind(make_action(), {"name": "{{ v }}"}, fallbacks=fallbacks)
    assert bindings.values({"v": "x"}) == {"name": "x", "size": 70}
    assert bindings.values({"v": ""}) == {"name": "end", "size": 70}


def test_a_fallback_can_stand_for_a_required_input() -> None:
    assert values({"count": "5"}, {}, "name", fallbacks={"name": "end"})["name"] == "end"
    with pytest.raises(RunError, match="requires name"):
        bind(make_action("name"), {"count": "5"}, fallbacks={"name": ""})
    with pytest.raises(RunError, match="count: an integer is expected"):
        bind(make_action(), {}, fallbacks={"count": "x"})


def test_rules_hold_over_all_inputs() -> None:
    rule = {
        "description": "give a name or a count",
        "anyOf": [{"required": ["name"]}, {"required": ["count"]}],
    }
    plain = {"not": {"required": ["name", "count"]}}
    bindings = bind(make_action(rules=(rule, plain)), {})
    assert bindings.values({"name": "x"})["name"] == "x"
    error = refusal(bindings, {})
    assert (error.code, str(error)) == ("input_invalid", "give a name or a count")
    assert "should not be valid" in str(refusal(bindings, {"name": "x", "count": 1}))


def test_what_is_not_published_is_warned_of_only_when_it_is_given() -> None:
    bindings = bind(make_action(), {})
    [warning] = bindings.warnings(bindings.values({"owner": "5"}))
    assert warning.startswith("owner: ")
    assert bindings.warnings(bindings.values({"name": "x"})) == []


def test_templates_of_one_row_do_not_see_each_other() -> None:
    bindings = bind(make_action(), {"name": "{% set x = 1 %}a", "count": "{{ x }}"})
    assert 'no field "x"' in str(refusal(bindings, {}))


def test_a_row_that_is_right_is_not_looked_at_input_by_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Bindings, "_values_one_by_one")
    templates = {
        "name": "{{ n }}-{{ n }}",
        "count": "{{ n }}",
        "tags": '["{{ n }}"]',
        "size": "{% if n %}7{% endif %}",
    }
    found = bind(make_action(), templates).values({"n": 5})
    assert found == {"name": "5-5", "count": 5, "tags": ["5"], "size": 7}
    assert bind(make_action(), {}).values({"name": "x", "count": "5"})["count"] == 5


def test_whatever_is_wrong_with_a_row_is_told_of_every_input() -> None:
    templates = {"name": "{{ 1 // n }} {{ x }}", "count": "{{ n - 1 }}", "tags": "{{ y }}", "size": "7"}
    error = refusal(bind(make_action(), templates), {"n": 0})
    assert error.code == "template_error"
    message = [part.partition(":")[0] for part in str(error).split("; ") if not part.startswith("the row's")]
    assert message == ["name", "count", "tags"]
    assert str(error).startswith("name: the template fails: ")


def test_a_template_that_cannot_be_compiled_is_named() -> None:
    with pytest.raises(RunError, match=r"^name: template: too deeply nested or too large: "):
        bind(make_action(), {"count": "5", "name": "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}"})


def test_constants_stand_beside_the_fields_of_every_row_and_a_field_hides_one() -> None:
    bindings = bind(make_action(), {"count": "{{ now + 1 }}"}, constants={"now": 5})
    assert bindings.values({})["count"] == 6
    assert bindings.values({"now": 7})["count"] == 8
    refused = refusal(bind(make_action(), {"name": "{{ nwo }}"}, constants={"now": 5}), {"a": 1})
    assert "the row's fields: a" in str(refused)


# --- any row -----------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3),
    max_leaves=8,
)


@examples(200)
@given(json_values)
def test_untyped_arrays_and_objects_arrive_as_they_went_in(value: Any) -> None:
    names = ["anything"] if value is not None and not (isinstance(value, str) and not value.strip()) else []
    names += ["either"] if isinstance(value, (list, dict)) else []
    names += ["fields"] if isinstance(value, dict) else []
    for name in names:
        assert values({name: "{{ v }}"}, {"v": value})[name] == value
        assert values({}, {name: value})[name] == value


BOUND = [
    bind(make_action(), templates, match_fields=match)
    for match in (False, True)
    for templates in (
        {},
        {"name": "{{ name }} {{ count }}", "tags": "[{{ tags }}]", "anything": "{{ row }}"},
        {"fields": {"{{ name }}": "{{ count }}"}, "either": "{{ tags }}", "owner": "{{ fields.a }}"},
    )
]
rows = st.dictionaries(st.sampled_from(sorted(SCHEMAS)) | st.text(max_size=3), json_values, max_size=6)


@examples(300)
@given(st.sampled_from(BOUND), rows)
def test_any_row_gives_json_values_or_a_row_error(bindings: Bindings, row: dict[str, Any]) -> None:
    try:
        found = bindings.values(row)
    except RowError:
        return
    json.dumps(found, allow_nan=False)
    assert isinstance(found.get("name", ""), str)
    assert isinstance(found.get("tags", []), list)
    assert isinstance(found.get("fields", {}), dict)
    assert found.get("count", 1) >= 1
