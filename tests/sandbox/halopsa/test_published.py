"""The types in the package are those of the vendor's document, and every trap has a test of each value."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from connector.sandbox.halopsa.api.bodies import FILE, members, parameters
from connector.sandbox.halopsa.api.call import ENDPOINTS
from connector.sandbox.halopsa.areas import router
from connector.sandbox.halopsa.traps import TRAPS, Trap
from tests.conftest import ROOT

from .make_types import compact

DOCUMENT = ROOT.parent / "shared" / "halo" / "halo-openapi.json"


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the vendor's document is not here")
def test_the_types_are_the_published_ones() -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    assert json.loads(FILE.read_text(encoding="utf-8")) == compact(document)
    published = {
        (method.upper(), path) for path, operations in document["paths"].items() for method in operations
    }
    served = {(entry.method, entry.path) for entry in router().endpoints}
    assert {path for _, path in served - published} == {
        *("/Agent/me", "/Category", "/InstanceInfo", "/authinfo", "/Webhook/{id}"),
    }


def test_what_is_checked() -> None:
    assert members("Device")["fields"] == "array"
    assert members("Device")["customfields"] == "array CustomField"
    assert members("Faults")["_validate_only"] == "boolean"
    assert "requesttype_id" in parameters("/Tickets")
    assert "tickettype_id" not in parameters("/Tickets")
    assert len(ENDPOINTS.declared) >= 35


def test_the_documentation_lists_the_traps() -> None:
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", page, re.MULTILINE)
    assert listed == [
        (
            trap.name,
            ", ".join(f"`{value}`" for value in trap.values)
            + (", or for example `300/5`" if trap.pattern else ""),
            trap.about,
        )
        for trap in TRAPS
    ]


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_every_value_of_a_trap_has_a_test(trap: Trap) -> None:
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    text = "\n".join(texts)
    assert f'"{trap.name}"' in text
    for value in trap.values[1:]:
        assert f'"{value}"' in text, f"no test sets {trap.name}={value}"
