"""The search of the catalog, by words of a user."""

from __future__ import annotations

import pytest

from connector.catalog.catalog import Catalog, american

SPELLINGS = {
    "organisation": "organization",
    "Organisations": "organizations",
    "customisation": "customization",
    "organise": "organize",
    "authorise": "authorize",
    "synchronised": "synchronized",
    "analyse": "analyze",
    "colour": "color",
    "behaviours": "behaviors",
    "catalogue": "catalog",
    "licence": "license",
    "centre": "center",
    "cancelled": "canceled",
    "labelling": "labeling",
}


@pytest.mark.parametrize("word", SPELLINGS)
def test_british_spelling(word: str) -> None:
    assert american(word.lower()) == american(SPELLINGS[word])


@pytest.mark.parametrize("word", ["Organisations", "organise", "licence"])
def test_british_spelling_finds_the_same_actions(catalog: Catalog, word: str) -> None:
    found = [action.name for action in catalog.search([word], "ninjaone")]
    assert found == [action.name for action in catalog.search([SPELLINGS[word]], "ninjaone")]
    assert found


def test_words_that_look_british_are_found(catalog: Catalog) -> None:
    for word in ("software", "restore"):
        titled = {action.name for action in catalog.actions("ninjaone") if word in action.title.lower()}
        assert titled <= {action.name for action in catalog.search([word], "ninjaone")}
    assert american("device list source restore missing this") == "device list source restore missing this"


def test_beginnings_of_words_come_before_other_matches(catalog: Catalog) -> None:
    names = [action.name for action in catalog.search(["script"], "ninjaone")]
    assert names.index("run_script") < names.index("create_tag")  # the latter has a description
