"""Highlighting does not change the text."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.web.highlight import highlight


def plain(marked: str) -> str:
    return unescape(re.sub(r"</?span[^>]*>", "", marked))


def test_every_declaration_and_handler_stays_as_it_is(catalog: Catalog) -> None:
    for path in sorted(catalog.folder.rglob("*.yaml")) + sorted(catalog.folder.rglob("*.py")):
        text = Path(path).read_text(encoding="utf-8")
        assert plain(highlight(text, "python" if path.suffix == ".py" else "yaml")) == text


@pytest.mark.parametrize(
    ("text", "language", "marked"),
    [
        ("name: x # why", "yaml", '<span class="k">name</span>: x <span class="c"># why</span>'),
        (
            "a: {b: 1}",
            "yaml",
            '<span class="k">a</span>: {<span class="k">b</span>: <span class="n">1</span>}',
        ),
        ("x: '<a>'", "yaml", '<span class="k">x</span>: <span class="s">&#39;&lt;a&gt;&#39;</span>'),
        ('{"a": "b"}', "json", '{<span class="k">&#34;a&#34;</span>: <span class="s">&#34;b&#34;</span>}'),
        ("curl --data $X", "shell", 'curl <span class="k">--data</span> <span class="n">$X</span>'),
        ("<b>", "text", "&lt;b&gt;"),
    ],
)
def test_marks(text: str, language: str, marked: str) -> None:
    assert highlight(text, language) == marked
