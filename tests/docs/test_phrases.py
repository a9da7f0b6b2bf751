"""Words that must not come back into what people read: each line says what to write in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.pages import PAGES

PHRASES = {
    r"\banew\b|\bonce anew\b": "again",
    r"\bbehind doors\b|\bdoors:|^#+ doors\b": "safeguards, policy, read-only",
    r"\bby default the (in|out)put's ending\b": "default: from the file extension",
    r"\bFACTS\.md\b": "nothing: users do not have it",
    r"\bgoes? too far\b": "exceeds a limit",
    r"\bgo(es)? on (with|behind|where)\b|\bgo on\?": "continue",
    r"\bhears? of\b|\btells? of\b|\bis told\b|\bare told\b": "report, notify",
    r"\bis there already\b": "already exists",
    r"\bleast time between\b": "minimum interval between",
    r"\bmay be sent again\b": "can be retried",
    r"\bmend(s|ed|ing)?\b": "fix, correct",
    r"\bno keyring keeps\b": "no keyring found",
    r"\bof one's own\b": "custom, separate",
    r"\bthat was no yes\b": "not confirmed",
    r"\bthat is no more\b|\bis no more\b": "expired, no longer exists",
    r"\bunder way\b": "in progress, in parallel",
    r"\bbeside (its|an|the) (own|answer)\b": "besides",
    r"\bcarried out (completely|or not)\b": "may have taken effect, completely or in part",
    r"\bcatalogues?\b(?!\.json)": "catalog",
    r"\bby (seeded )?chance\b": "at random",
    r"\bevery so often\b": "at regular intervals",
    r"\bit answered\b": "it responded with",
    r"\bmakes? no ticket\b": "no ticket is created",
    r"\bmeanwhile\b": "in the meantime",
    r"\bleft alone\b": "not changed, not overwritten",
    r"\bexclude each other\b": "cannot be combined",
    r"\bwhat became of\b": "the outcome",
    r"\bno longer well\b|\ball is well\b": "the health check fails, passes",
    r"\bwas not to be had\b": "was not available",
    r"\bsecrets would travel readably\b": "sent unencrypted",
    r"\bwhere JSON is due\b|\bwhat is due\b": "expected",
    r"\bgives? (its|the) (id|exit code|answer)\b": "return",
    r"\bnobody wants\b|\bwanted a\b": "no longer needed, required",
    r"\bof its own beside\b|\bin a process of its own\b|\bfrom a thread of its own\b": "separate",
    r"\bbring(s)? it back\b": "cannot be undone",
    r"\bsaid (of|in) (it|this)\b": "message, reason",
    r"\btell whether\b": "Return whether",
    r"\bwants (a|an|the|one|no|`|--)": "requires",
    r"\bwhat came of (it|them|this)\b": "the result, the summary",
    r"\bwhole(, successful)? answers?\b": "complete responses",
    r"\b(left|leaves?|leaving) out\b": "omitted, skipped",
    r"\bcarr(y|ies|ied) out\b": "execute",
    r"\bof (its|their|his) own\b": "separate",
    r"\bwhoever\b": "anyone who",
    r"\blost rights\b|\bhas the rights\b": "permissions",
    r"\b(tenth|third|half) of the time (of|that)\b": "ten times as fast as",
    r"\bexists already\b": "already exists",
    r"\bmake(s)? of (it|them|real|one)\b|\bmay have any\b": "the result, any value",
    r"\bas they (stand|come)\b|\bwhat comes\b": "unchanged, the received data",
    r"\bin flight\b(?!\.)": "in progress",
    r"\btaken for (dead|a)\b|\bfarewells?\b|\bswallow(s|ed)?\b": "replaced, parsed as, suppressed",
}

FOLDERS: tuple[str, ...] = (
    "actions",
    "benchmarks",
    "connector/authoring",
    "connector/catalog",
    "connector/cli",
    "connector/client",
    "connector/common",
    "connector/connections",
    "connector/files",
    "connector/hosts",
    "connector/http",
    "connector/invocation",
    "connector/runs",
    "connector/library",
    "connector/mcp",
    "connector/sandbox",
    "connector/serve",
    "connector/sync",
    "connector/templating",
    "connector/temporal",
    "connector/web",
    "docs",
    "examples",
    "integrations",
    "schemas",
    "tests/fuzz",
    "tests/torture",
)
"""Whose files are read, besides the pages: `*.py`, `*.yaml`, `*.json`, `*.html` and `*.js`, with comments."""

EXCEPTED = ("docs/actions.md",)
"""Generated from declarations."""


def paths() -> Iterator[Path]:
    """Yield the files that people read."""
    yield from PAGES
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".yaml", ".json", ".html", ".js") and "vendor" not in path.parts:
                yield path


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The text of each file, by its path."""
    names = {path.relative_to(ROOT).as_posix(): path for path in paths()}
    return {name: path.read_text(encoding="utf-8") for name, path in names.items() if name not in EXCEPTED}


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_text_has_a_phrase_that_puzzles(texts: dict[str, str], phrase: str) -> None:
    pattern = re.compile(phrase, re.IGNORECASE | re.MULTILINE)
    found = []
    for name, text in texts.items():
        if pattern.search(text):  # Most texts have none.
            lines = enumerate(text.splitlines(), 1)
            found += [f"{name}:{number}: {line.strip()}" for number, line in lines if pattern.search(line)]
    assert found == [], f"write in its place: {PHRASES[phrase]}"
