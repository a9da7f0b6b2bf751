"""Any table over the document's forms: what is sent is in a cell or a template, and nothing clears."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given

from tests.conftest import SHARED
from tests.contract.test_logichub_document import ACTIONS, Section, sections
from tests.examples import examples
from tests.hosts import tables
from tests.hosts.logichub import MODE_IN_BRIEF, LogicHub, Mode
from tests.hosts.tables import ALL_FORMS, FORMS, NOT_OF_THE_DOCUMENT, OWN_FORMS, Form, Row, plain
from tests.loopback import Server, Talk

NEW_ID = "4009"
"""The id that the API gives to what is created; custom fields are sent to it."""


@examples(2000)
@given(drawn=tables.tables())
def test_what_is_sent_is_in_a_cell_or_a_template(drawn: tuple[str, Form, Row, Row]) -> None:
    action, form, row, same_row = drawn
    sent, error = tables.requests_of(action, form, row)
    again, same_error = tables.requests_of(action, form, same_row)
    # NULL, a missing cell and empty text are all the same.
    assert ([(r, r.encoded) for r in again], same_error) == ([(r, r.encoded) for r in sent], error)
    allowed = tables.texts_of(action, form, row) | {NEW_ID}
    allowed |= {word for digit, word in (("0", "false"), ("1", "true")) if digit in allowed}  # checkboxes
    for request in sent:
        for text in tables.sent_texts(request):
            assert text is not None, request.body
            assert is_allowed(text, allowed), (text, request.body)
    if not error:
        check_values(action, form, row)


def is_allowed(text: Any, allowed: set[str]) -> bool:
    """Return whether a text may be sent; one form has a cell within a text."""
    start, found, cell = plain(text).partition("for ")
    return plain(text) in allowed or (bool(found) and not start and (not cell.strip() or cell in allowed))


def check_values(action: str, form: Form, row: Row) -> None:
    """Check that an input has no value if its template is a single cell without one."""
    values = tables.values_of(action, form, row)
    for name, template in form.items():
        column = tables.column_of(template)
        if template == f"{{{{{column}}}}}" and tables.is_empty(row.get(column)):
            default = tables.CATALOG.action(action).inputs[name].default
            assert name not in values or values[name] == default, (name, values)


@pytest.mark.parametrize(("action", "form"), ALL_FORMS)
def test_a_full_row_sends_every_input(action: str, form: Form) -> None:
    """So that the test above is not one of rows that send nothing."""
    row = {column: tables.choices(action, column)[0] for column in tables.columns_of(form)}
    row |= {column: given for column, given in FULL.items() if column in row}
    sent, error = tables.requests_of(action, form, row)
    assert (bool(sent), error) == (True, "")
    assert tables.values_of(action, form, row).keys() >= form.keys()


FULL = {"user_data": {"a": "b"}, "tags": [1], "start": "2036-01-01", "type": "SCRIPT"}


def test_all_seventeen_have_a_form_with_every_input_of_the_document() -> None:
    assert list(FORMS) == list(ACTIONS)
    for name, (_, *titles) in ACTIONS.items():
        assert {tables.CATALOG.action(name).inputs[given].title for given in FORMS[name]} == set(titles)
    assert len(OWN_FORMS) == 4


@pytest.mark.skipif(not SHARED.exists(), reason="the document is not available")
def test_the_forms_are_the_documents() -> None:
    for name, section in zip(FORMS, sections(), strict=True):
        compare(name, section)


def compare(name: str, section: Section) -> None:
    inputs = tables.CATALOG.action(name).inputs
    for input, template in FORMS[name].items():
        example = section.inputs[inputs[input].title].partition("Example: ")[2]
        assert (example == template) is ((name, input) not in NOT_OF_THE_DOCUMENT), (name, input)


# Through the SDK


@pytest.fixture
def api() -> Iterator[Server]:
    """A server that records what is sent, and answers as `tables.answer` does."""

    def talk(talk: Talk) -> None:
        while request := talk.read():
            signs_in = request.target.endswith("/ws/oauth/token")
            path = urlsplit(request.target).path
            talk.answer(TOKEN if signs_in else tables.answer(request.line.partition(" ")[0], path))

    with Server((talk,)) as server:
        yield server


TOKEN = b'{"access_token": "a-token", "expires_in": 3600}'
_QUICK = ("update_organization own", "update_device")


def _all_forms() -> Iterator[Any]:
    for number, (action, form) in enumerate(ALL_FORMS):
        name = action + (" own" if number >= len(FORMS) else "")
        yield pytest.param(action, form, id=name, marks=[] if name in _QUICK else [pytest.mark.slow])


@pytest.mark.parametrize("mode", MODE_IN_BRIEF)
@pytest.mark.parametrize(("action", "form"), list(_all_forms()))
def test_a_random_table_through_the_sdk(
    ours: LogicHub, api: Server, mode: Mode, action: str, form: Form
) -> None:
    rows = [{"lhub_id": n, **row} for n, row in enumerate(random_rows(action, form))]
    there = {"NINJAONE_BASE_URL": api.base_url, "list_rows": "one"}
    ran = ours.run(action, rows, form, mode, **there)
    assert [lhub_id for lhub_id, _ in ran.answers] == list(range(len(rows)))
    due = [tables.requests_of(action, form, row) for row in rows]
    assert [e["has_error"] for e in ran.envelopes] == [bool(error) for _, error in due]
    expected = [(f"{r.method} {r.target} HTTP/1.1", r.encoded[1] or b"") for sent, _ in due for r in sent]
    assert len(expected) > 10
    its = tables.CATALOG.action(action)
    came = [(r.line, r.body) for r in api.received if not is_look_up(r.line, its.method, its.path)]
    assert came == expected


def is_look_up(line: str, *of_action: str) -> bool:
    """Return whether a request is a sign-in or the search for a name, and not that of the action itself."""
    method, target, _ = line.split(" ")
    path = urlsplit(target).path
    is_list = method == "GET" and path in LISTS and (method, path) != of_action
    return path == "/ws/oauth/token" or is_list


LISTS = (
    *("/v2/custom-fields", "/v2/organizations", "/v2/locations", "/v2/roles", "/v2/policies"),
    *("/v2/devices", "/v2/users", "/v2/ticketing/app-user-contact", "/v2/automation/scripts"),
)


def random_rows(action: str, form: Form) -> Iterator[Row]:
    """Yield rows with cells of all kinds, and some that lack one; all columns have a cell in the first."""
    chance = random.Random(15)
    columns = tables.columns_of(form)
    yield {column: tables.choices(action, column)[0] for column in columns}
    for _ in range(150):
        kept = [column for column in columns if chance.random() > 0.2]
        yield {
            column: chance.choice(
                (*tables.EMPTY, *tables.choices(action, column)[:2] * 4, *tables.choices(action, column))
            )
            for column in kept
        }
