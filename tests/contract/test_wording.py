"""A person who looks for an action must be able to tell it from every other one."""

from __future__ import annotations

from collections import Counter

import pytest

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog

ACTIONS = list(Catalog().actions())
VAGUE = {"get", "list", "create", "update", "delete", "item", "items", "data", "object", "entity"}


def plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".")


@pytest.mark.parametrize("what", ["name", "title", "summary"])
def test_no_two_are_alike(what: str) -> None:
    counted = Counter(plain(getattr(action, what)) for action in ACTIONS)
    assert [text for text, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_an_action_says_what_it_is(action: Action) -> None:
    words = plain(action.title).replace("/", " ").split()
    assert len(words) >= 2
    assert set(words) - VAGUE, "its title has no noun of its own"
    assert action.summary.endswith(".")
    assert len(action.summary.split()) >= 3
    assert plain(action.summary) != plain(action.title)
    assert action.examples


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_an_input_that_is_an_object_or_a_filter_is_described(action: Action) -> None:
    for given in action.inputs.values():
        if given.schema.get("type") == "object" and "properties" not in given.schema:
            assert given.description, f"{given.name} takes an object and does not say which"
