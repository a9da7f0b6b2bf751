"""The folder that `host lhub build` writes, and what the SDK reads out of it."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import connector
from connector.catalog.catalog import Catalog
from connector.errors import RunError
from connector.hosts.lhub_build import DOCUMENTED, PRESETS, build
from tests.contract.test_logichub_document import ACTIONS
from tests.contract.test_logichub_document import DELAY as DELAY_TITLE
from tests.hosts.logichub import DELAY, LogicHub


@pytest.fixture(scope="module")
def described(sdk_python: Path, integration_folder: Path) -> dict[str, Any]:
    """What the SDK's `generate_metadata` says of the seventeen."""
    return LogicHub(sdk_python, integration_folder, integration_folder).metadata()


def by_entrypoint(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {action["entrypoint"].removeprefix("main."): action for action in described["actions"]}


def test_the_sdk_finds_the_documents_actions_inputs_and_order(described: dict[str, Any]) -> None:
    assert (described["ok"], described["errors"]) == (True, [])
    assert described["integration_name"] == "NinjaOne"
    assert described["integration_description"].startswith("Runs NinjaOne actions on rows.")
    assert list(by_entrypoint(described)) == list(ACTIONS) == list(DOCUMENTED)
    for name, action in by_entrypoint(described).items():
        title, *inputs = ACTIONS[name]
        assert (action["name"], action["errors"]) == (title, [])
        assert [arg["label"] for arg in action["args"]][: len(inputs)] == inputs
        assert {(arg["data_type"], arg["input_type"]) for arg in action["args"]} == {("jinja", "textarea")}
        delay = action["params"][0]
        assert (delay["id"], delay["label"], delay["default"]) == (DELAY, DELAY_TITLE, "300")


def test_descriptions_options_defaults_and_examples_are_the_catalogues(
    described: dict[str, Any], catalog: Catalog
) -> None:
    actions = by_entrypoint(described)
    for name, built in actions.items():
        action = catalog.action(name)
        assert built["description"].startswith(action.summary)
        for arg in built["args"]:
            given = action.inputs[arg["id"]]
            assert given.description.partition(". ")[0] in arg["description"]
            if given.schema["type"] == "boolean":
                assert "true or false" in arg["description"]
            for option in given.schema.get("enum", ()):
                assert option in arg["description"]
    limit = next(arg for arg in actions["list_devices"]["args"] if arg["id"] == "limit")
    assert limit["description"].startswith("Jinja-templated integer, default 100000. ")
    reason = next(arg for arg in actions["reboot_device"]["args"] if arg["id"] == "reason")
    assert reason["optional"] is True
    assert "Example: " in reason["description"]


def test_what_may_be_left_empty_is_optional(described: dict[str, Any]) -> None:
    window = by_entrypoint(described)["schedule_maintenance"]
    assert {arg["id"]: arg["optional"] for arg in window["args"]} == {
        "device_id": False,
        "disabled_features": False,
        "start": True,
        "end": True,
        "reason": True,
    }
    (end,) = (arg for arg in window["args"] if arg["id"] == "end")
    assert (
        "If empty, the end time of the platform's batch is used; if that time is already in the past"
        in end["description"]
    )


def test_actions_that_list_offer_a_row_for_each_item(described: dict[str, Any]) -> None:
    actions = by_entrypoint(described)
    offers = {
        name: {p["id"]: p["options"] for p in a["params"] if p["id"] != DELAY} for name, a in actions.items()
    }
    assert {name: found for name, found in offers.items() if found} == {
        name: {"list_rows": ["each", "one"]}
        for name in ("list_devices", "list_windows_services", "list_alerts")
    }


def test_the_connections_fields(described: dict[str, Any]) -> None:
    fields = {field["id"]: field for field in described["connection_params"]}
    assert [(f["label"], f["input_type"], f["optional"], f["default"]) for f in fields.values()] == [
        ("Region", "select", True, None),
        ("Base URL", "text", True, None),
        ("Client ID", "text", False, None),
        ("Client secret", "password", False, None),
        ("Verify TLS certificates", "select", True, "true"),
        ("Proxy", "text", True, None),
    ]
    assert fields["NINJAONE_REGION"]["options"] == ["us", "us2", "eu", "ca", "oc", "fed"]


def test_every_action_of_the_catalogue_can_be_built(
    sdk_python: Path, tmp_path: Path, catalog: Catalog
) -> None:
    build(tmp_path / "all", catalog.names_of("ninjaone"))
    described = LogicHub(sdk_python, tmp_path / "all", tmp_path).metadata()
    assert (described["ok"], described["errors"]) == (True, [])
    actions = by_entrypoint(described)
    assert list(actions) == catalog.names_of("ninjaone")
    for name, action in actions.items():
        assert action["errors"] == []
        inputs = list(catalog.action(name).inputs.values())
        assert [arg["id"].removesuffix("_") for arg in action["args"]] == [given.name for given in inputs]
        assert [arg["label"] for arg in action["args"]] == [given.title for given in inputs]
    settings = {p["id"] for action in actions.values() for p in action["params"]}
    assert settings == {DELAY, "list_rows", "files_folder", "uploads_folder"}


def test_the_requirement_is_this_version(tmp_path: Path) -> None:
    build(tmp_path / "new")
    lines = (tmp_path / "new" / "requirements.txt").read_text().splitlines()
    assert f"ninjaone-connector=={connector.__version__}" in lines


def test_a_folder_is_written_over_only_if_it_is_ours(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    build(tmp_path / "empty", ["list_devices"])
    (tmp_path / "empty" / "bundle.tar.bz2").write_bytes(b"theirs")
    build(tmp_path / "empty", ["reboot_device"])
    assert "def list_devices" not in (tmp_path / "empty" / "main.py").read_text()
    assert (tmp_path / "empty" / "bundle.tar.bz2").read_bytes() == b"theirs"
    for name, text in (("notes.txt", "mine"), ("main.py", "print('mine')")):
        folder = tmp_path / f"with {name}"
        folder.mkdir()
        (folder / name).write_text(text)
        with pytest.raises(RunError, match="contains files that are not from an earlier build"):
            build(folder)
        assert [path.read_text() for path in folder.iterdir()] == [text]
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file: cannot be written: "):
        build(tmp_path / "file")


def ninjaone(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "connector", "host", "lhub", "build", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command(tmp_path: Path, catalog: Catalog) -> None:
    done = ninjaone(tmp_path / "a")
    assert (done.returncode, done.stderr) == (0, "")
    written = ("main.py", "requirements.txt", "logo.svg", "logo.png")
    assert done.stdout.split() == [str(tmp_path / "a" / name) for name in written]

    def built(name: str) -> int:
        return (tmp_path / name / "main.py").read_text().count("\ndef ")

    assert built("a") == 17
    assert ninjaone(tmp_path / "b", "--actions", "list_users, reboot_device,list_users").returncode == 0
    assert built("b") == 2
    assert ninjaone(tmp_path / "c", "--all").returncode == 0
    assert built("c") == len(catalog.names_of("ninjaone"))
    assert ninjaone(tmp_path / "f", "--preset", "soar").returncode == 0
    assert built("f") == len(PRESETS["soar"]) == 30
    wrong = ninjaone(tmp_path / "d", "--actions", "list_user")
    assert wrong.returncode == 2
    assert 'no action "list_user" (did you mean "list_users"?)' in wrong.stderr
    assert not (tmp_path / "d").exists()
    assert ninjaone(tmp_path / "e", "--all", "--actions", "list_users").returncode == 2


def test_templates_are_checked_where_they_are_written(ours: LogicHub) -> None:
    entrypoint = ("-e", "main.reboot_device")
    good = {"___device_id": "{{ device }}", "___mode": "NORMAL"}
    assert ours.validate(*entrypoint, **good) == (0, {})
    code, message = ours.validate(*entrypoint, ___mode="NORMAL")
    assert code == 1
    assert message["errors"] == [{"message": "Column name cannot be empty", "inputId": "___device_id"}]
    code, message = ours.validate(
        *entrypoint, **{**good, "___reason": "{% if %}", "___mode": "{{ how | upcase }}"}
    )
    assert code == 1
    assert [error["inputId"] for error in message["errors"]] == ["___mode", "___reason"]
    assert 'there is no filter "upcase"' in message["errors"][0]["message"]
    code, message = ours.validate(*entrypoint, **{**good, DELAY: "-1"})
    assert (code, [error["inputId"] for error in message["errors"]]) == (1, [DELAY])


def test_the_soar_preset_has_what_its_texts_point_to(
    sdk_python: Path, tmp_path: Path, catalog: Catalog
) -> None:
    build(tmp_path / "soar", PRESETS["soar"])
    described = LogicHub(sdk_python, tmp_path / "soar", tmp_path).metadata()
    assert (described["ok"], described["errors"]) == (True, [])
    assert set(PRESETS["documented"]) < set(by_entrypoint(described))
    titles = {action["name"] for action in described["actions"]}
    texts = [a["description"] for a in described["actions"]]
    texts += [arg["description"] for a in described["actions"] for arg in a["args"]]
    outside = [
        name
        for name in catalog.names_of("ninjaone")
        if any(re.search(rf"\b{name}\b", text) for text in texts)
    ]
    assert outside == []
    quoted = {title for text in texts for title in re.findall('"([A-Z][^"]+)"', text)}
    assert quoted & {catalog.action(name).title for name in catalog.names_of("ninjaone")} <= titles


@pytest.mark.parametrize("names", PRESETS.values(), ids=PRESETS)
def test_no_text_names_an_action_by_its_name(
    tmp_path: Path, catalog: Catalog, names: tuple[str, ...]
) -> None:
    build(tmp_path / "built", names)
    texts = (tmp_path / "built" / "main.py").read_text().split('"""')
    docstrings = " ".join(texts[3::2])
    assert [name for name in catalog.names_of("ninjaone") if re.search(rf"\b{name}\b", docstrings)] == []


def test_the_metadata_has_a_logo(described: dict[str, Any], integration_folder: Path) -> None:
    start = "data:image/svg+xml;base64,"
    assert described["integration_logo_url"].startswith(start)
    svg = base64.b64decode(described["integration_logo_url"].removeprefix(start))
    assert svg == (integration_folder / "logo.svg").read_bytes()
    assert svg.startswith(b"<svg ")
    assert (integration_folder / "logo.png").read_bytes().startswith(b"\x89PNG")


def test_the_check_of_an_action_names_the_field_of_the_delay(ours: LogicHub) -> None:
    code, message = ours.validate("-e", "main.cancel_maintenance", ___device_id="1", **{DELAY: "-5"})
    (error,) = message["errors"]
    assert (code, error["inputId"]) == (1, DELAY)
    assert error["message"] == "delay_ms: the delay cannot be negative"
