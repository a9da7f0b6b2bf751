"""The Ansible collection, by the real Ansible. `make ansible` installs it."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import connector
from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.ninjaone.server import Sandbox
from tests.conftest import ROOT
from tests.docs.console import Shell, check_block
from tests.docs.pages import blocks, page
from tests.hosts.programs import programs, read_json, run_host

SOURCES = ROOT / "integrations" / "ansible"
PAGE = "docs/ansible.md"
CALL = "ninjaone.connector.call"
BUSY = {"fault": "answer", "status": 429, "headers": {"Retry-After": "3600"}}
"""A fault after which the client gives up, because it would have to wait for too long."""


def test_the_collection_has_the_version_of_the_package() -> None:
    assert yaml.safe_load((SOURCES / "galaxy.yml").read_text())["version"] == connector.__version__


def test_the_documentation_of_the_module_has_its_options() -> None:
    tree = ast.parse((SOURCES / "plugins" / "modules" / "call.py").read_text())
    spec = next(
        ast.literal_eval(keyword.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "argument_spec"
    )
    documentation = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION"
    )
    options = yaml.safe_load(documentation)["options"]
    declared = ("type", "required", "default")
    assert {
        name: {key: option[key] for key in declared if key in option} for name, option in options.items()
    } == {name: {key: option[key] for key in declared if key in option} for name, option in spec.items()}


@pytest.fixture(scope="module")
def ansible(wheel: Path) -> Path:
    """The folder of Ansible's programs."""
    return programs("ansible", wheel)


@pytest.fixture
def environment(ansible: Path, tmp_path: Path) -> dict[str, str]:
    """The variables of Ansible, with the collection installed in a folder of the test's own."""
    variables = {
        "HOME": str(tmp_path),
        "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    run_host(
        ansible / "ansible-galaxy", "collection", "install", "--offline", SOURCES, cwd=tmp_path, **variables
    )
    return variables


class Playbook:
    """Runs tasks, given by name, which may fail; `printed` is the output of the last run."""

    def __init__(self, program: Path, folder: Path, environment: dict[str, str]) -> None:
        self._program, self._folder, self._environment = program, folder, environment
        self.printed = ""

    def run(self, tasks: dict[str, dict[str, Any]], *options: str) -> dict[str, dict[str, Any]]:
        """What each of the tasks has registered."""
        file, results = self._folder / "play.json", self._folder / "results.json"
        texts = ", ".join(f"'{name}': {name}" for name in tasks)
        copy = {"content": f"{{{{ {{{texts}}} | to_json }}}}", "dest": str(results)}
        written = [{"name": name, "register": name, "ignore_errors": True, **tasks[name]} for name in tasks]
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [*written, {"copy": copy}]}
        file.write_text(json.dumps([play]))
        self.printed = run_host(self._program, file, *options, cwd=self._folder, **self._environment)
        return dict(read_json(results))


@pytest.fixture
def playbook(ansible: Path, environment: dict[str, str], tmp_path: Path) -> Playbook:
    return Playbook(ansible / "ansible-playbook", tmp_path, environment)


def changes(sandbox: Sandbox) -> list[str]:
    """The requests that the sandbox received and that are not reads."""
    requests = [f"{one['method']} {one['path']}" for one in sandbox.log.requests()]
    return [request for request in requests if not request.startswith("GET")]


@pytest.mark.slow
def test_tasks_read_change_and_preview(playbook: Playbook, sandbox: Sandbox, connection_file: Path) -> None:
    connection = {"connection": str(connection_file)}
    rename = {"action": "update_device", "inputs": {"device_id": 12, "display_name": "Front desk"}}
    reboot = {"action": "reboot_device", "inputs": {"device_id": "DSK-0012", "mode": "NORMAL"}}
    found = playbook.run(
        {
            "servers": {
                CALL: {**connection, "action": "list_devices", "inputs": {"filter": "class = WINDOWS_SERVER"}}
            },
            "read_in_check_mode": {
                CALL: {
                    **connection,
                    "action": "get_device",
                    "inputs": {"device_id": "{{ servers.result[0].id }}"},
                },
                "check_mode": True,
            },
            "preview": {CALL: {**connection, **rename}, "check_mode": True, "diff": True},
            "unchanged": {CALL: {**connection, "action": "get_device", "inputs": {"device_id": 12}}},
            "renamed": {CALL: {**connection, **rename}},
            "refused": {CALL: {**connection, **reboot}},
            "refused_preview": {CALL: {**connection, **reboot}, "check_mode": True},
            "rebooted": {CALL: {**connection, **reboot, "confirm": True}},
            "missing": {CALL: {**connection, "action": "get_device", "inputs": {"device_id": 9999}}},
            "unknown": {CALL: {**connection, "action": "get_device", "inputs": {"device": 1}}},
        }
    )
    assert [device["systemName"] for device in found["servers"]["result"]][:2] == ["SRV-0001", "SRV-0008"]
    assert (found["servers"]["changed"], found["servers"]["code"], found["servers"]["status"]) == (
        False,
        None,
        200,
    )
    assert found["read_in_check_mode"]["result"]["systemName"] == "SRV-0001"
    preview = found["preview"]
    assert (preview["changed"], preview["request"]["body"]) == (True, {"displayName": "Front desk"})
    assert '"displayName": "Front desk"' in preview["diff"]["prepared"]
    assert found["unchanged"]["result"]["displayName"] != "Front desk"
    assert found["renamed"]["changed"] is True
    for refused in (found["refused"], found["refused_preview"]):
        assert refused["failed"]
        assert refused["msg"].endswith("it requires confirm: true. Nothing was sent")
    assert found["rebooted"]["changed"] is True
    assert changes(sandbox) == ["PATCH /v2/device/12", "POST /v2/device/12/reboot/NORMAL"]
    missing = found["missing"]
    assert [missing[name] for name in ("failed", "changed", "code", "status", "transient")] == [
        *(True, False, "not_found", 404, False)
    ]
    assert found["unknown"]["failed"]
    assert 'no input "device"' in found["unknown"]["msg"]


@pytest.mark.slow
def test_only_transient_failures_are_retried_and_nothing_is_sent_twice(
    playbook: Playbook, sandbox: Sandbox, connection_file: Path
) -> None:
    sandbox.set_faults(rates={"token": 1})
    read = {"connection": str(connection_file), "action": "get_device", "inputs": {"device_id": 1}}
    assert playbook.run({"sign_in": {CALL: read}})["sign_in"]["transient"] is True
    sandbox.set_faults(rates={}, queue=[BUSY, None, "reset_after"])

    def tag(name: str) -> dict[str, Any]:
        call = {"connection": str(connection_file), "action": "create_tag", "inputs": {"name": f"{name} tag"}}
        until = f"{name} is succeeded or not {name}.transient"
        return {CALL: call, "retries": 3, "delay": 0, "until": until}

    found = playbook.run({"busy": tag("busy"), "lost": tag("lost")})
    assert (found["busy"]["attempts"], found["busy"]["failed"], found["busy"]["changed"]) == (2, False, True)
    lost = found["lost"]
    assert (lost["attempts"], lost["code"], lost["transient"]) == (1, "outcome_unknown", False)
    assert "may have taken effect" in lost["msg"]
    assert changes(sandbox) == ["POST /v2/tag"] * 3


@pytest.fixture
def system_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the entries that modules write to the system's log."""
    folder, log = tmp_path / "modules", tmp_path / "syslog.txt"
    folder.mkdir()
    (folder / "syslog.py").write_text(
        "LOG_USER = LOG_INFO = 8\ndef openlog(*given): pass\n"
        f"def syslog(level, text):\n    with open({str(log)!r}, 'a') as file: print(text, file=file)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return log


@pytest.mark.slow
def test_no_secret_is_shown(playbook: Playbook, sandbox: Sandbox, system_log: Path) -> None:
    account = {name: value for name, value in sandbox.connection.items() if name != "service"}
    secret = {"password": "correct horse battery"}
    item = {
        "action": "create_secure_related_item",
        "inputs": {"entity_type": "ORGANIZATION", "entity_id": 1, "name": "Router"},
    }
    found = playbook.run(
        {
            "visible": {CALL: {**account, **item, "inputs": {**item["inputs"], **secret}}},
            "both": {CALL: {**account, **item, "inputs": secret, "secret_inputs": {"password": "another"}}},
            "twice": {CALL: {**account, **item, "secret_inputs": {"name": "Router"}}},
            "hidden": {CALL: {**account, **item, "secret_inputs": secret}},
        },
        "-vvv",
        "--diff",
    )
    for refused in (found["visible"], found["both"]):
        assert refused["msg"] == "password is a secret: give it in secret_inputs. Nothing was sent"
    assert found["twice"]["msg"].startswith("name appears twice")
    assert found["hidden"]["changed"] is True
    assert len(changes(sandbox)) == 1
    logged = system_log.read_text()
    assert "Invoked with action=create_secure_related_item" in logged
    shown = playbook.printed + json.dumps(found) + logged
    assert "correct horse" not in shown
    assert account["client_secret"] not in shown


@pytest.mark.slow
def test_actions_of_halopsa_are_called_by_their_names(playbook: Playbook, tmp_path: Path) -> None:
    with HaloSandbox() as halo:
        (tmp_path / "halo.yaml").write_text(yaml.safe_dump(dict(halo.connection)))
        call = {
            "connection": str(tmp_path / "halo.yaml"),
            "action": "halopsa.list_clients",
            "inputs": {"search": "Alder"},
        }
        found = playbook.run({"clients": {CALL: call}})
    assert [client["name"] for client in found["clients"]["result"]] == ["Alder Dental"]


@pytest.mark.slow
def test_ansible_doc_shows_the_module(ansible: Path, environment: dict[str, str], tmp_path: Path) -> None:
    shown = json.loads(run_host(ansible / "ansible-doc", "--json", CALL, cwd=tmp_path, **environment))[CALL]
    assert set(shown["doc"]["options"]) >= {"action", "inputs", "secret_inputs", "connection", "confirm"}
    assert set(shown["return"]) >= {"result", "code", "transient", "request"}


@pytest.mark.slow
def test_the_page_shows_what_ansible_prints(
    ansible: Path,
    environment: dict[str, str],
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**environment, "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "new")}.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "work"
    shutil.copytree(SOURCES, folder / "integrations" / "ansible")
    (folder / "sandbox.yaml").write_text(yaml.safe_dump(dict(sandbox.connection)))
    shell = Shell(folder, tmp_path / "shell", int(sandbox.base_url.rpartition(":")[2]), ansible)
    for block in blocks(page(PAGE)):
        if block.file or Path(__file__).name in (block.not_run or ""):
            check_block(shell, PAGE, block)
    assert len(changes(sandbox)) == 2
