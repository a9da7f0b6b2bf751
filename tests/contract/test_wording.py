"""Texts of declarations, schemas, and examples: unique, complete, and in plain words."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from connector.catalog.action import Action
from tests.conftest import ROOT
from tests.kept_catalog import CATALOG

ACTIONS = list(CATALOG.actions())
VAGUE = {"get", "list", "create", "update", "delete", "item", "items", "data", "object", "entity"}


def plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".")


@pytest.mark.parametrize("what", ["name", "title", "summary"])
@pytest.mark.parametrize("service", CATALOG.services)
def test_names_titles_and_summaries_are_unique(service: str, what: str) -> None:
    counted = Counter(plain(getattr(action, what)) for action in ACTIONS if action.service == service)
    assert [text for text, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_an_action_has_a_title_a_summary_and_an_example(action: Action) -> None:
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


TEXTS = sorted(
    path
    for pattern in ("actions/**/*.yaml", "schemas/*.json", "examples/**/*.yaml", "examples/*.md")
    for path in ROOT.glob(pattern)
)
QUAINT = re.compile(
    r"FACTS|paging\.json|\bwants?\b|\banew\b|\bbegun\b|\bfor good\b|of (your|one's) own|brings? it back|"
    r"goes on\b|is told\b|tells? of|older documents|[Ll]eft (out|blank)|whole answer|under way|"
    r"organis|catalogue|licence|colour|behaviour"
)
"""Phrases and spellings that have a plainer or an American form, and documents that users do not have."""
NAMES = re.compile(r"""[`"]begun[`"]|^ +(items: licences|licences:)$""")
"""Names in data and responses, which keep their spelling."""


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_texts_are_in_plain_words(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if QUAINT.search(NAMES.sub("", line))] == []
