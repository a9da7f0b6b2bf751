"""The examples of the declarations, sent to the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.authoring.checks import violations
from connector.sandbox.halopsa.server import HaloSandbox
from tests.halopsa.sandboxes import CATALOG, NAMES, Halo, fill

EXAMPLES = [(name, number) for name in NAMES for number, _ in enumerate(CATALOG.action(name).examples)]


@pytest.fixture(scope="module")
def halo() -> Iterator[Halo]:
    with HaloSandbox() as box, Halo(box) as halo:
        yield halo


def test_there_are_49_actions() -> None:
    assert len(NAMES) == 49


@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_an_example(halo: Halo, name: str, number: int) -> None:
    halo.box.reset()
    fill(halo.box)
    before = len(halo.box.log.requests())
    action = CATALOG.action(name)
    example = action.examples[number]
    envelope = halo.run(action, example.templates, example.row)
    assert envelope.error is None
    if action.returns_json:
        assert violations(action.result, envelope.result) == []
    sent = [entry for entry in halo.box.log.requests()[before:] if "/auth" not in entry["path"]]
    assert [entry["method"] for entry in sent] == [sends["method"] for sends in example.sends]
    assert all(entry["status"] < 400 for entry in sent)
