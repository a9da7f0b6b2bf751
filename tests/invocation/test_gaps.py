"""Empty texts of a row are omitted everywhere, `null` clears, and `empty: send` sends them."""

from __future__ import annotations

from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.errors import InputError, RowError
from connector.invocation.bindings import bind
from connector.invocation.changes import require_change

ANY_OF_A_DEVICE = (
    "any of display_name, user_data, node_role_id, policy_id, organization_id, location_id, warranty_start, "
    "warranty_end, warranty_fulfillment"
)
MANY = "{" + ", ".join(f'"{n}": "{{{{ x }}}}"' for n in range(40)) + "}"


def sent(
    catalog: Catalog, template: Any, row: dict[str, Any], *, name: str = "user_data", **rules: Any
) -> Any:
    """Return what is sent for an input of update_device, or None if it is omitted."""
    bindings = bind(catalog.action("update_device"), {"device_id": "1", name: template}, **rules)
    values = bindings.values(row)
    del values["device_id"]
    return values.get(name, "omitted")


@pytest.mark.parametrize("gap", ["", "  "])
@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ x }}", "omitted"),
        ('{"a": "{{ x }}", "b": 1}', {"b": 1}),
        ('{"a": {{ x }}, "b": 1}', {"b": 1}),
        ('{"a": "{{ x }}{{ x }}", "b": "-{{ x | trim }}"}', {"b": "-"}),
        ('{"a": ["{{ x }}", {{ x }}, 2], "b": {"c": "{{ x }}"}}', {"a": [2]}),
        ('{"a": [], "b": {}, "c": "", "d": null}', {"a": [], "b": {}, "c": "", "d": None}),
        ('{"a": ["{{ x }}"]}', "omitted"),
        ('{"{{ x }}": 1, "b": 1}', {"b": 1}),
        ({"a": "{{ x }}", "b": ["{{ x }}", 1]}, {"b": [1]}),
        ({"a": "{{ x }}"}, "omitted"),
        ("{{ {'a': x} }}", {"a": ...}),
        (MANY, "omitted"),
    ],
)
def test_a_gap_is_omitted(catalog: Catalog, template: Any, value: Any, gap: str) -> None:
    expected = {"a": gap} if value == {"a": ...} else value
    assert sent(catalog, template, {"x": gap}) == expected


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ('{"a": "{{ x }}"}', {"a": None}),
        ('{"a": {{ x }}}', {"a": None}),
        ({"a": "{{ x }}"}, {"a": None}),
        ('{"a": "<{{ x }}>"}', {"a": "<>"}),
    ],
)
@pytest.mark.parametrize("rules", [{}, {"send_empty": True}])
def test_null_clears(catalog: Catalog, template: Any, value: Any, rules: dict[str, bool]) -> None:
    assert sent(catalog, template, {"x": None}, **rules) == value
    assert sent(catalog, "{{ x }}", {"x": None}, name="policy_id", **rules) is None
    assert sent(catalog, '{"a": {{ x }}}', {"x": "null"}, **rules) == {"a": None}


@pytest.mark.parametrize("filter", ["trim", "upper", "title", "urlencode", "e", "center(5)", "truncate(5)"])
def test_null_is_no_text_after_a_filter_of_texts(catalog: Catalog, filter: str) -> None:
    template = f"{{{{ x | {filter} }}}}"
    assert sent(catalog, template, {"x": None}, name="policy_id") is None
    assert sent(catalog, template, {"x": None}, name="display_name") == "omitted"
    assert sent(catalog, f"<{template}>", {"x": None}, name="display_name") == "<>"
    assert sent(catalog, {"a": template}, {"x": None}) == {"a": None}


def test_null_is_no_empty_text(catalog: Catalog) -> None:
    """Where the API takes no null, a null is no value, also if empty texts are sent."""
    for template in ("{{ x }}", {"template": "{{ x }}", "empty": "send"}):
        for rules in ({}, {"send_empty": True}):
            assert sent(catalog, template, {"x": None}, name="display_name", **rules) == "omitted"
    row = {"device_id": 1, "display_name": None, "policy_id": None, "user_data": {"a": None, "b": ""}}
    read = bind(catalog.action("update_device"), {}, send_empty=True).values(row)
    assert read == {"device_id": 1, "policy_id": None, "user_data": {"a": None, "b": ""}}


@pytest.mark.parametrize("rules", [{"send_empty": True}, {}])
def test_empty_texts_are_sent_where_that_is_asked_for(catalog: Catalog, rules: dict[str, bool]) -> None:
    def asked(template: Any) -> Any:
        return template if rules else {"template": template, "empty": "send"}

    assert sent(catalog, asked("{{ x }}"), {"x": ""}, name="display_name", **rules) == ""
    assert sent(catalog, asked({"a": "{{ x }}"}), {"x": ""}, **rules) == {"a": ""}
    assert sent(catalog, asked("{{ x | default(omit) }}"), {}, name="display_name", **rules) == "omitted"


def test_what_cannot_be_empty_stays_a_gap_if_a_run_sends_empty_texts(catalog: Catalog) -> None:
    bindings = bind(catalog.action("update_device"), {}, send_empty=True)
    row = {"device_id": "1", "display_name": "", "policy_id": "", "warranty_end": "", "user_data": ""}
    assert bindings.values(row) == {"device_id": 1, "display_name": ""}
    assert bindings.values({"device_id": "1"}) == {"device_id": 1}


@pytest.mark.parametrize(
    ("templates", "row", "message"),
    [
        ({"device_id": "1", "display_name": "{{ x }}"}, {"x": ""}, "display_name (the template {{ x }})"),
        ({}, {"device_id": 1, "policy_id": ""}, 'policy_id (the row\'s field "policy_id")'),
        ({}, {"device_id": 1}, ANY_OF_A_DEVICE),
        ({"device_id": "1"}, {"display_name": "x"}, ANY_OF_A_DEVICE),
    ],
)
def test_a_row_that_changes_nothing_is_an_error(
    catalog: Catalog, templates: dict[str, Any], row: dict[str, Any], message: str
) -> None:
    bindings = bind(catalog.action("update_device"), templates)
    with pytest.raises(InputError) as caught:
        require_change(bindings, row, bindings.values(row))
    assert str(caught.value) == f"nothing to change: no value for {message}"
    require_change(bindings, row, {"device_id": 1, "policy_id": None})


def test_a_required_body_that_is_a_gap_changes_nothing(catalog: Catalog) -> None:
    templates = {"device_id": "1", "fields": {"rack": "{{ x }}"}}
    bindings = bind(catalog.action("update_device_custom_fields"), templates)
    with pytest.raises(RowError, match=r"^nothing to change: no value for fields "):
        bindings.values({"x": ""})


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("update_document", {"organization_id": 1, "document_id": 2}),
        ("halopsa.update_client", {"client_id": 5}),
    ],
)
def test_a_post_that_updates_nothing_is_an_error(catalog: Catalog, name: str, ids: dict[str, int]) -> None:
    with pytest.raises(InputError, match="at least one input to change is required"):
        bind(catalog.action(name), {}).values({**ids, "document_name": "", "name": None})


def test_a_change_in_a_request_of_the_handler_is_a_change(catalog: Catalog) -> None:
    bindings = bind(catalog.action("update_organization"), {})
    row = {"organization_id": 1, "name": "", "fields": {"rack": "R1"}}
    require_change(bindings, row, bindings.values(row))


def test_an_update_without_a_body_is_sent(catalog: Catalog) -> None:
    bindings = bind(catalog.action("activate_billing_product"), {"product_id": "1"})
    require_change(bindings, {}, bindings.values({}))
