"""The seventeen actions of the LogicHub document, under its titles and with its inputs, in its order.

The titles stand here, so that the test needs no file; where the document itself is at hand, it is read and
compared, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.coercion import typed_value
from connector.common.absent import ABSENT
from tests.conftest import SHARED

DELAY = "Time between consecutive API requests (in millis)"

ACTIONS = {
    "create_organization": (
        "Create New Organization",
        "Template Organization ID",
        "Name",
        "Description",
        "Device Approval Mode",
        "User Data",
        "Tags",
        "Fields",
        "Locations",
        "Policies",
    ),
    "update_organization": (
        "Update Organization",
        "Organization ID",
        "Name",
        "Description",
        "Device Approval Mode",
        "User Data",
        "Tags",
        "Fields",
    ),
    "create_location": (
        "Create Location",
        "Organization ID",
        "Location name",
        "Location address",
        "Description",
        "User Data",
        "Tags",
        "Fields",
    ),
    "update_location": (
        "Update Location",
        "Organization ID",
        "Location ID",
        "Location name",
        "Location address:",
        "Description",
        "User Data",
        "Tags",
        "Fields",
    ),
    "list_devices": ("List Devices", "Filter", "Limit"),
    "get_device_link": ("Device Link", "Device ID", "Return redirect response"),
    "update_device": (
        "Update Device Information",
        "Device ID",
        "Display Name",
        "User Data",
        "Node Role ID",
        "Policy ID",
    ),
    "approve_devices": ("Approve/Reject Devices", "Mode", "Devices"),
    "reboot_device": ("Reboot Device", "Device ID", "Reboot mode", "Reboot reason"),
    "list_windows_services": (
        "Windows Services and Status",
        "Device ID",
        "Service Name",
        "Service State",
    ),
    "control_windows_service": ("Windows Service Control", "Device ID", "Service ID", "Action"),
    "list_scripting_options": ("List Scripting Options", "Device ID", "Language"),
    "run_script": ("Run Script", "Device ID", "Script ID", "Type", "UID", "Parameters", "Run As"),
    "schedule_maintenance": (
        "Schedule Maintenance",
        "Device ID",
        "List of features that will be disabled during maintenance",
        "Maintenance window start",
        "Maintenance window end",
    ),
    "cancel_maintenance": ("Cancel Maintenance", "Device ID"),
    "list_alerts": (
        "List active alerts (triggered conditions)",
        "Source Type",
        "Device Filter",
        "Language",
        "Timezone",
    ),
    "generate_installer": (
        "Generates Installer",
        "Organization ID",
        "Location ID",
        "Installer Type",
    ),
}
"""By action name: the title in the document, then the titles of its inputs."""

OPTIONS = {
    ("create_organization", "Device Approval Mode"): "AUTOMATIC MANUAL REJECT",
    ("update_organization", "Device Approval Mode"): "AUTOMATIC MANUAL REJECT",
    ("get_device_link", "Return redirect response"): "true false",
    ("approve_devices", "Mode"): "APPROVE REJECT",
    ("reboot_device", "Reboot mode"): "NORMAL FORCED",
    ("list_windows_services", "Service State"): (
        "UNKNOWN STOPPED START_PENDING RUNNING STOP_PENDING PAUSE_PENDING PAUSED CONTINUE_PENDING"
    ),
    ("control_windows_service", "Action"): "START PAUSE STOP RESTART",
    ("run_script", "Type"): "ACTION SCRIPT",
    ("schedule_maintenance", "List of features that will be disabled during maintenance"): (
        "ALERTS PATCHING AVSCANS TASKS"
    ),
    ("generate_installer", "Installer Type"): "WINDOWS_MSI MAC_DMG MAC_PKG LINUX_DEB LINUX_RPM",
}
"""The values that the document lists for an input."""


@pytest.mark.parametrize("name", ACTIONS)
def test_titles_and_inputs_of_the_document(catalog: Catalog, name: str) -> None:
    title, *inputs = ACTIONS[name]
    action = catalog.action(name)
    offered = [given.title for given in action.inputs.values()]
    assert action.title == title
    assert offered[: len(inputs)] == inputs


@pytest.mark.parametrize(("name", "title"), OPTIONS)
def test_options_of_the_document_are_accepted(catalog: Catalog, name: str, title: str) -> None:
    given = next(i for i in catalog.action(name).inputs.values() if i.title == title)
    for option in OPTIONS[name, title].split():
        value = [option] if given.schema["type"] == "array" else option
        assert given.read(value) == typed_value(given.schema, value)
    assert given.read(" ") is ABSENT


@pytest.mark.parametrize("name", ACTIONS)
def test_default_delay_of_the_document(catalog: Catalog, name: str) -> None:
    delay = catalog.service(catalog.action(name).service).delay
    assert (delay.title, delay.default_ms) == (DELAY, 300)


def test_default_limit_of_the_document(catalog: Catalog) -> None:
    assert catalog.action("list_devices").inputs["limit"].default == 100_000


class Section(NamedTuple):
    """One action in the document."""

    title: str
    sentence: str
    inputs: dict[str, str]


def sections() -> Iterator[Section]:
    """Read the document: a title, a sentence, "Input Field", then a table of inputs until "Output"."""
    lines = (SHARED / "seeds" / "ninjarmm-connector.md").read_text(encoding="utf-8").splitlines()
    for start in (i for i, line in enumerate(lines) if line == "Input Field"):
        table = lines[start + 4 : lines.index("Output", start)]
        cells = [row.split(" | ") for row in table]
        yield Section(lines[start - 2], lines[start - 1], {row[0]: row[1] for row in cells})


@pytest.fixture(scope="module")
def document() -> list[Section]:
    if not SHARED.exists():
        pytest.skip("the document is not available")
    return list(sections())


def test_the_tables_of_this_file_match_the_document(document: list[Section]) -> None:
    assert [(s.title, *s.inputs) for s in document] == [(*titles, DELAY) for titles in ACTIONS.values()]


def test_the_options_of_this_file_match_the_document(document: list[Section]) -> None:
    named = {}
    for name, section in zip(ACTIONS, document, strict=True):
        for title, text in section.inputs.items():
            found = re.search(r"[Oo]ptions are ([\w, ]+)\)", text)
            # In two actions the text beside Device ID is that of another input.
            if found and title != "Device ID":
                named[name, title] = found[1].replace(",", "")
    assert named == OPTIONS


def test_descriptions_are_not_copied_from_the_document(document: list[Section], catalog: Catalog) -> None:
    theirs = {s.sentence.rstrip(".").lower() for s in document}
    for action in catalog.actions():
        ours = {action.summary, *action.description.split(". ")}
        assert not theirs & {sentence.rstrip(".").lower() for sentence in ours}, action.name
