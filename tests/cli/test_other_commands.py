"""`call`, `preview`, `actions`, `show`, `catalog`, `sandbox` and `demo` as subprocesses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from connector.catalog.catalog import Catalog
from connector.cli.main import COMMANDS
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.conftest import ROOT
from tests.fakes import write_lines
from tests.loopback import PATIENCE_S

pytestmark = pytest.mark.in_process


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(f"ninjaone {command}" in page.read_text(encoding="utf-8") for page in pages)


def test_the_help_names_every_service(ninjaone: Ninjaone) -> None:
    catalog = Catalog()
    text = ninjaone("--help").stdout.partition("positional arguments")[0]
    assert [name for name in catalog.services if catalog.service(name).title not in text] == []


def test_call_prints_one_envelope(ninjaone: Ninjaone, connection_file: Path) -> None:
    done = ninjaone("call", "get_device_link", "device_id=1", "-c", connection_file)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"]["url"].startswith("http")


def test_call_takes_its_values_wherever_they_stand(ninjaone: Ninjaone, connection_file: Path) -> None:
    done = ninjaone("call", "update_device", "device_id=1", "-c", connection_file, "display_name=a b")
    assert done.returncode == 0, done.stderr
    refused = ninjaone("call", "update_device", "-c", connection_file, "device_id=1", "--no-such")
    assert refused.returncode == 2
    assert "unrecognized arguments: --no-such\n" in refused.stderr


def test_call_exits_1_when_the_row_fails(ninjaone: Ninjaone, connection_file: Path) -> None:
    done = ninjaone("call", "get_device_link", "device_id=12345", "-c", connection_file)
    assert done.returncode == 1
    assert json.loads(done.stdout)["meta"]["code"] == "not_found"


def test_a_value_that_looks_like_a_template_stays_text(ninjaone: Ninjaone, connection_file: Path) -> None:
    done = ninjaone("call", "update_device", "device_id=1", "display_name={{ 7*7 }}", "-c", connection_file)
    assert done.returncode == 0, done.stderr
    sandbox_url = connection_file.read_text().splitlines()[0].split(": ")[1]
    sent = requests.get(f"{sandbox_url}/_sandbox/requests", timeout=PATIENCE_S).json()
    assert sent[-1]["body"] == {"displayName": "{{ 7*7 }}"}


@pytest.mark.parametrize("word", ["devise_id=1", "device_id", "device_id=1 device_id=2"])
def test_call_refuses_unknown_and_malformed_values(
    ninjaone: Ninjaone, connection_file: Path, word: str
) -> None:
    done = ninjaone("call", "get_device_link", *word.split(), "-c", connection_file)
    assert done.returncode == 2
    assert done.stdout == ""


def test_preview_shows_every_row_and_sends_nothing(
    ninjaone: Ninjaone, sandbox: Sandbox, connection_file: Path, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"d": 1, "s": "web server"}, {"s": "x"}, "broken"])
    arguments = (
        "preview",
        "list_windows_services",
        "-i",
        rows,
        "-t",
        "device_id={{ d }}",
        "-t",
        "service_name={{ s }}",
    )
    done = ninjaone(*arguments, "-c", connection_file, "--json")
    assert done.returncode == 1
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert first["method"] == "GET"
    assert first["url"] == f"{sandbox.base_url}/v2/device/1/windows-services?name=web%20server"
    assert first["query"] == {"name": "web server"}
    assert first["headers"]["authorization"] == "Bearer •••"
    assert first["body"] is None
    assert 'no field "d"' in second["error"]
    assert "not JSON" in third["error"]
    assert sandbox.log.requests() == []
    assert sandbox.log.signins() == []

    plain = ninjaone(*arguments)
    assert "# device_id <- the template {{ d }}" in plain.stdout
    assert "https://INSTANCE/v2/device/1/windows-services?name=web%20server" in plain.stdout


def test_preview_shows_the_write_and_not_the_lookup_in_front_of_it(ninjaone: Ninjaone) -> None:
    row = json.dumps({"name": "Heron", "fields": {"siteCode": "H"}})
    done = ninjaone("preview", "create_organization", "--json", stdin=row)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["method"], shown["url"]) == ("POST", "https://INSTANCE/v2/organizations")
    assert shown["body"] == {"name": "Heron"}
    assert shown["looks_up"].startswith("https://INSTANCE/v2/custom-fields")
    plain = ninjaone("preview", "create_organization", stdin=row)
    assert "names are looked up first, once per run" in plain.stdout


def test_preview_shows_the_instant_that_is_sent(ninjaone: Ninjaone, tmp_path: Path) -> None:
    table = tmp_path / "dates.csv"
    table.write_text(
        "device_id,warranty_end\n2,20281201\n3,1859241600\n4,2028-12-01T02:00:00+02:00\n5,47088\n"
    )
    done = ninjaone("preview", "update_device", "-i", table, "--json")
    assert done.returncode == 1
    *good, bad = map(json.loads, done.stdout.splitlines())
    assert [row["body"] for row in good] == [{"warranty": {"endDate": 1859241600}}] * 3
    assert [row["times"] for row in good] == [{"warranty_end": "2028-12-01T00:00:00Z"}] * 3
    assert "warranty_end: 47088 looks like a spreadsheet date: 2028-12-01" in bad["error"]
    assert (
        "(warranty_end is 2028-12-01T00:00:00Z)" in ninjaone("preview", "update_device", "-i", table).stdout
    )

    tasks = json.dumps([{"organizationId": 1, "name": "Move", "tasks": [{"dueDate": "20281201T060000Z"}]}])
    done = ninjaone("preview", "create_checklists", "-t", f"checklists={tasks}", "--json", stdin="{}")
    shown = json.loads(done.stdout)
    assert shown["body"][0]["tasks"] == [{"dueDate": 1859263200}]
    assert shown["times"] == {"checklists[0].tasks[0].dueDate": "2028-12-01T06:00:00Z"}


def test_text_that_is_not_unicode_is_refused_in_every_way_in(
    ninjaone: Ninjaone, sandbox: Sandbox, connection_file: Path, tmp_path: Path
) -> None:
    table = tmp_path / "rows.csv"
    table.write_bytes(b"device_id,display_name\n3,B\xfcro\n")
    templates = tmp_path / "templates.yaml"
    templates.write_text("device_id: 3\ndisplay_name: '{{ \"\\udc00\" ~ row.name }}'\n")
    rows = '{"device_id": 3, "display_name": "a\\ud83d"}'
    done = ninjaone("preview", "update_device", "--json", "-i", table)
    assert done.returncode == 2  # one error before the run, as the first 64 KiB show it
    assert "not UTF-8" in done.stderr
    for arguments, stdin in (
        ([], rows),
        ([], f"[{rows}]"),
        (["-t", "device_id=3", "-t", "display_name=B\udcfcro"], "{}"),
        (["--templates", str(templates)], '{"name": "x"}'),
        (["-t", "device_id=3", "-t", 'user_data={"a": ["\\ud83d"]}'], "{}"),
    ):
        done = ninjaone("preview", "update_device", "--json", *arguments, stdin=stdin)
        assert done.returncode == 1, (arguments, done.stderr)
        assert re.search(r"is not Unicode text|not UTF-8", json.loads(done.stdout)["error"]), done.stdout
    called = ninjaone("call", "update_device", "device_id=3", "display_name=B\udcfcro", "-c", connection_file)
    envelope = json.loads(called.stdout)
    assert envelope["meta"]["code"] == "input_invalid"
    assert "the byte 0xFC is not UTF-8" in envelope["error"]
    assert sandbox.log.requests() == []


def test_a_number_keeps_its_spelling_where_it_becomes_text(ninjaone: Ninjaone, tmp_path: Path) -> None:
    row = '{"device_id": 3, "code": 1E5}'
    for name, template in (
        ("1E5", "{{ code }}"),
        ("PC-1E5", "PC-{{ code }}"),
        ('["1E5"]', '["{{ code }}"]'),
    ):
        done = ninjaone(
            "preview",
            "update_device",
            "--json",
            "-t",
            "device_id=3",
            "-t",
            f"display_name={template}",
            stdin=row,
        )
        assert json.loads(done.stdout)["body"] == {"displayName": name}
    templates = tmp_path / "templates.yaml"
    templates.write_text("device_id: 3\ndisplay_name: 1.10\n")
    done = ninjaone("preview", "update_device", "--json", "--templates", templates, stdin="{}")
    assert json.loads(done.stdout)["body"] == {"displayName": "1.10"}


def test_actions_lists_and_searches(ninjaone: Ninjaone) -> None:
    listed = ninjaone("actions")
    assert listed.returncode == 0
    assert "Schedule Maintenance" in listed.stdout
    found = json.loads(ninjaone("actions", "maintenance", "cancel", "--json").stdout)
    assert [action["name"] for action in found] == ["cancel_maintenance"]
    about = {"name", "title", "service", "area", "summary", "operation", "method", "path"}
    does = {"effect", "idempotent", "paging", "inputs", "required", "result", "examples"}
    assert found[0].keys() == about | does | {"disruptive"}
    assert ninjaone("actions", "nosuchword").returncode == 1


def test_garbage_is_looked_for_once_a_command_is_loaded() -> None:
    code = "import gc; from connector.cli.main import main; main(['actions']); print(gc.isenabled())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"


def test_show_tells_about_one_action(ninjaone: Ninjaone) -> None:
    page = ninjaone("show", "schedule_maintenance").stdout
    for text in (
        "PUT /v2/device/{id}/maintenance",
        "safe to repeat",
        "Maintenance window start",
        "AVSCANS",
        "sends",
    ):
        assert text in page
    assert json.loads(ninjaone("show", "run_script", "--json").stdout)["operation"] == "runScriptOnDevice"
    wrong = ninjaone("show", "run_skript")
    assert wrong.returncode == 2
    assert 'did you mean "run_script"?' in wrong.stderr


def test_show_has_the_query_and_the_parts_of_what_is_sent(ninjaone: Ninjaone) -> None:
    def sends(action: str) -> list[str]:
        lines = ninjaone("show", action).stdout.splitlines()
        return [line.removeprefix("  sends ").strip() for line in lines if line.startswith("  sends ")]

    assert sends("list_devices")[-1] == "GET /v2/devices?pageSize=3"
    assert '"name": "comment"' in sends("add_ticket_comment")[0]


def test_show_says_what_is_newer_than_the_published_api(ninjaone: Ninjaone) -> None:
    name = "list_device_geolocation_history"
    assert "\nNewer than the API document: not every instance supports it.\n" in ninjaone("show", name).stdout
    assert json.loads(ninjaone("show", name, "--json").stdout)["published"] is False
    assert "published" not in json.loads(ninjaone("show", "list_devices", "--json").stdout)


@pytest.mark.slow  # `make lint` runs it, too
def test_the_catalogue_is_in_order(ninjaone: Ninjaone) -> None:
    done = ninjaone("catalog", "check")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(" 0 problems\n")


def test_the_sandbox_prints_a_connection_that_works(ninjaone: Ninjaone, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "connector", "sandbox", "--port", "0", "--devices", "7", "--fault", "slow=0",
         "--user-context", "runScriptOnDevice", "--old-token-path"],
        stdout=subprocess.PIPE, text=True, env=os.environ,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        message = []
        for line in process.stdout:
            message.append(line)
            if "Ctrl-C" in line:
                break
        settings = [line.strip() for line in message if line.startswith("    ") and ": " in line]
        (tmp_path / "printed.yaml").write_text("\n".join(settings))
        done = ninjaone("call", "list_devices", "-c", "printed.yaml")
        assert len(json.loads(done.stdout)["result"]) == 7
        exports = dict(
            line.strip().removeprefix("export ").split("=", 1) for line in message if "export" in line
        )
        assert ninjaone("call", "list_devices", **exports).returncode == 0
        old_path = requests.post(f"{exports['NINJAONE_BASE_URL']}/oauth/token", timeout=PATIENCE_S)
        assert old_path.status_code == 415
        script = ("call", "run_script", "device_id=1", "type=SCRIPT", "script_id=1", "run_as=system")
        assert "user_context_required" in ninjaone(*script, **exports).stdout
        (add,) = (line.strip() for line in message if "connection add NAME" in line)
        address = exports["NINJAONE_BASE_URL"]
        assert add.endswith(f"NAME --base-url {address} --client-id sandbox-native --browser")
        assert any(
            "sandbox-web-secret; the redirect URI of both is http://127.0.0.1:28765/" in line
            for line in message
        )
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize(("option", "says"), [("nonsense=0.1", "nonsense"), ("429=2", "429"), ("429", "429")])
def test_the_sandbox_refuses_faults_that_it_does_not_have(ninjaone: Ninjaone, option: str, says: str) -> None:
    done = ninjaone("sandbox", "--port", "0", "--fault", option)
    assert done.returncode == 2
    assert says in done.stderr


def test_the_demo_goes_as_it_should(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    for text in (
        "create_organization: 6 rows, 2 succeeded, 4 failed",
        "envelopes: demo-output",
        '"has_error":false',
    ):
        assert text in done.stdout
    assert str(tmp_path / "demo-output") in done.stdout
    written = {path.name for path in (tmp_path / "demo-output").iterdir()}
    assert written == {"organizations.jsonl", "maintenance.jsonl", "scripts.jsonl", "devices.csv"}
    assert ninjaone("demo").returncode == 0


def test_the_demo_of_halopsa_goes_as_it_should(ninjaone: Ninjaone, tmp_path: Path) -> None:
    done = ninjaone("demo", "--service", "halopsa")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "halopsa.update_asset: 5 rows, 2 succeeded, 3 failed" in done.stdout
    written = {path.name for path in (tmp_path / "demo-output").iterdir()}
    assert written == {f"{name}.jsonl" for name in ("clients", "assets", "tickets", "closing")} | {
        "statuses.csv"
    }
    assert "the service 'other' has no sandbox" in ninjaone("demo", "--service", "other").stderr
