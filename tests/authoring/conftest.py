"""Documents of APIs, and the facts that are read from each of them once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connector.authoring import scaffold


def _once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is called once for each document, which no test changes after that."""
    results: dict[int, tuple[Any, Any]] = {}

    def once(document: Any, *arguments: Any) -> Any:
        if id(document) not in results:
            results[id(document)] = document, function(document, *arguments)
        return results[id(document)][1]

    return once


@pytest.fixture(scope="package", autouse=True)
def facts_once() -> Iterator[None]:
    """Take the facts of a document once: `draft` takes all of them for every single operation."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("with_known_names", "published_facts"):
            patch.setattr(scaffold, name, _once(getattr(scaffold, name)))
        yield
