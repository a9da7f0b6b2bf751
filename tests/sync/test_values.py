"""Values as they are compared, and as fields hold them."""

from __future__ import annotations

from typing import Any

import pytest

from connector.common.same_name import same_name
from connector.sync.values import FieldDefinition, digest, is_same, normalized, typed

NUMBER, DATE, YES_NO = (FieldDefinition(1, "f", type) for type in ("number", "date", "yes_no"))  # type: ignore[arg-type]
TEXT, CHOICE = (
    FieldDefinition(1, "f"),
    FieldDefinition(1, "f", "choice", {1: "Physical", 2: "Virtual", 7: "9"}),
)


@pytest.mark.parametrize(
    ("definition", "value", "held"),
    [
        (NUMBER, "8", 8),
        (NUMBER, 8.5, 8.5),
        (NUMBER, " +7 ", 7),
        (DATE, "2026-12-01", "2026-12-01T00:00:00Z"),
        (DATE, 1_800_000_000, "2027-01-15T08:00:00Z"),
        (CHOICE, "virtual ", 2),
        (CHOICE, 2, 2),
        (CHOICE, "9", 7),
        (YES_NO, True, True),
        (YES_NO, "No", False),
        (TEXT, 5, "5"),
        (TEXT, True, "true"),
        (TEXT, ["a", 1], "a, 1"),
        (NUMBER, "", ""),
    ],
)
def test_a_field_holds_a_value_of_its_type(definition: FieldDefinition, value: Any, held: Any) -> None:
    assert typed(value, definition) == held
    assert is_same(value, held, definition)


@pytest.mark.parametrize(
    ("definition", "value", "message"),
    [
        (NUMBER, "8 GB", 'expected a number, got "8 GB"'),
        (NUMBER, True, "expected a number, got a boolean"),
        (DATE, "soon", '"soon" is not a time'),
        (CHOICE, "Cloud", "expected one of the choices (Physical, Virtual, 9), got"),
        (YES_NO, "maybe", "expected yes or no"),
    ],
)
def test_a_field_refuses_other_values(definition: FieldDefinition, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"expected|not a time") as raised:
        typed(value, definition)
    assert message in str(raised.value)


def test_empty_values_are_the_same_and_differ_from_others() -> None:
    assert is_same(None, " ", TEXT)
    assert not is_same(None, "a", TEXT)
    assert not is_same("a", "b", TEXT)
    assert is_same("by hand", "by hand ", NUMBER)


def test_match_values_and_names_ignore_case_and_spaces() -> None:
    assert normalized(" pf 3X1\t") == normalized("PF3x1")
    assert normalized(7) == "7"
    assert same_name("  \uff21cme  GmbH") == "acme gmbh"
    assert same_name("Acme GmbH") != same_name("AcmeGmbH")


def test_a_digest_differs_with_values_and_their_types() -> None:
    assert len({digest(values) for values in ([1], ["1"], [1, None], [None, 1], [[1]])}) == 5
