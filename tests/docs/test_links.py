"""No link of the documentation is dead: files and headings exist. What is on the network is not asked for."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import ROOT
from tests.docs.pages import NAMES, page

_BLOCK = re.compile(r"^```.*?^```$|^<!--.*?-->$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub forms them."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ +(.+?)\s*$", _BLOCK.sub("", text), re.MULTILINE):
        plain = _LINK.sub("]", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    here = ROOT / name
    text = page(name)
    dead = []
    for link in _LINK.findall(re.sub(r"`[^`\n]*`", "", _BLOCK.sub("", text))):
        if link.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (here.parent / path).resolve() if path else here
        found = target.exists() and target.is_relative_to(ROOT)
        if not found or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("name", NAMES)
def test_the_tests_that_a_page_names_exist(name: str) -> None:
    named = re.findall(r"`(tests/[\w/]+(?:\.py)?)`", page(name))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("docs/")])
def test_the_readme_the_first_page_or_the_page_of_hosts_links_to_every_page(name: str) -> None:
    links = page("docs/getting-started.md") + page("docs/hosts.md")
    assert f"({name})" in page("README.md") or f"({Path(name).name})" in links


def test_a_heading_gives_its_anchor() -> None:
    assert anchors("# A `b` c: d\n\n## A b\n\n## A b\n") == {"a-b-c-d", "a-b", "a-b-1"}


def test_the_readme_is_short() -> None:
    assert len(page("README.md").splitlines()) <= 150
