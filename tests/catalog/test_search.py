"""The search of the catalog, by words of a user."""

from __future__ import annotations

import pytest

from connector.catalog.catalog import Catalog


@pytest.mark.parametrize("word", ["organisation", "Organisations", "customisation"])
def test_british_spelling_finds_the_same_actions(catalog: Catalog, word: str) -> None:
    def names(words: list[str]) -> list[str]:
        return [action.name for action in catalog.search(words, "ninjaone")]

    assert names([word]) == names([word.replace("isation", "ization")])


def test_beginnings_of_words_come_before_other_matches(catalog: Catalog) -> None:
    names = [action.name for action in catalog.search(["script"], "ninjaone")]
    assert names.index("run_script") < names.index("create_tag")  # the latter has a description
