"""Rows 16, 17, 18 and 34: templates as people write them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process
DATA = Path(__file__).parent / "data"
ROW: dict[str, Any] = {"id": 3, "js": '{"a": 1}', "name": "HOST-1", "d": {"a": 1}, "role": 500}


def previewed(ninjaone: Ninjaone, tmp_path: Path, *options: object) -> Any:
    rows = write_lines(tmp_path / "rows.jsonl", [ROW])
    done = ninjaone("preview", "update_device", "-i", rows, *options, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["body"]


FILTERS = [
    ("{{ js | from_json | to_json }}", '{"a": 1}'),
    ("{{ name | regex_replace('1', '2') }}", "HOST-2"),
    ("{{ name | regex_search('O.*') }}", "OST-1"),
    ("{{ name | b64encode }}", "SE9TVC0x"),
    ("{{ d | dict2items | to_json }}", '[{"key": "a", "value": 1}]'),
    ("{{ d | combine({'b': 2}) | to_json }}", '{"a": 1, "b": 2}'),
    ("{{ d | json_query('a') }}", "1"),
    ("{{ name | hash('sha256') }}", "917060c93cc9a7d2a518eb992e074f2e0ea7d79fe02d4a3d9b40987d7e3acffc"),
    ("{{ name | ternary('a', 'b') }}", "a"),
    ("{{ name is match('x') }}", "false"),
    ("{{ name | split('-') | last }}", "1"),
    ("{{ 'yes' | bool }}", "true"),
    ("{{ d | to_json }}", '{"a": 1}'),
]


@pytest.mark.parametrize(("template", "value"), FILTERS)
def test_17_filters_of_other_platforms(ninjaone: Ninjaone, tmp_path: Path, template: str, value: str) -> None:
    options = ("-t", "device_id={{ id }}", "-t", f"display_name={template}")
    assert previewed(ninjaone, tmp_path, *options) == {"displayName": value}


REPORTED = (DATA / "filters.txt").read_text(encoding="utf-8").splitlines()
VALUES: list[Any] = [
    {"a": 1},
    "HOST-2",
    None,  # nothing is found, so that the input is omitted
    "SE9TVC0x",
    ("strftime", "format_datetime"),
    [{"key": "a", "value": 1}],
    {"a": 1, "b": 2},
    1,
    "917060c93cc9a7d2a518eb992e074f2e0ea7d79fe02d4a3d9b40987d7e3acffc",
    None,  # omit
    "a",
    False,
    ["HOST-", ""],
    ValueError('"host-1" is not one of true, yes, on, 1, false, no, off, 0'),
    '{"a": 1}',
    "2023-04-25T00:00:00Z",
    ("convert_from_epoch", "from_epoch"),
]
"""By line of the reported file: the value, the unknown filter with the one that is named, or an error."""


@pytest.mark.parametrize(("template", "value"), list(zip(REPORTED, VALUES, strict=True)), ids=REPORTED)
def test_17_the_reported_templates_one_by_one(
    ninjaone: Ninjaone, tmp_path: Path, template: str, value: Any
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{**ROW, "t": 1748390400, "date": "4/25/2023"}])
    expression = template[2:-2]
    data = "{{ {'x': 1, 'v': " + expression + "} }}"
    options = ("-t", "device_id={{ id }}", "-t", f"user_data={data}", "--json")
    done = ninjaone("preview", "update_device", "-i", rows, *options)
    if isinstance(value, tuple):
        assert done.returncode == 2
        assert f'there is no filter "{value[0]}"; use {value[1]}' in done.stderr
        return
    shown = json.loads(done.stdout)
    if isinstance(value, ValueError):
        assert str(value) in shown["error"]
        return
    assert done.returncode == 0, done.stdout
    sent = shown["body"]["userData"]
    assert sent == ({"x": 1} if value is None and "omit" in template else {"x": 1, "v": value})


def test_18_lines_of_statements_leave_nothing(ninjaone: Ninjaone, tmp_path: Path) -> None:
    shutil.copy(DATA / "statement-lines.yaml", tmp_path)
    assert previewed(ninjaone, tmp_path, "--templates", "statement-lines.yaml") == {"displayName": "  big"}


def test_18_a_line_of_text_keeps_its_line_break(ninjaone: Ninjaone, tmp_path: Path) -> None:
    options = ("-t", "device_id=3", "-t", "display_name=Status: {% if id %}A{% endif %}\nNext\n")
    assert previewed(ninjaone, tmp_path, *options) == {"displayName": "Status: A\nNext"}


def test_34_braces_of_another_tool(ninjaone: Ninjaone, tmp_path: Path, sandbox: Sandbox) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [ROW])
    arguments = (
        "preview",
        "run_script",
        "-i",
        rows,
        "-t",
        "device_id=3",
        "-t",
        "type=SCRIPT",
        "-t",
        "script_id=1",
    )
    done = ninjaone(*arguments, "-t", "parameters=-Format {{.Name}}")
    assert done.returncode == 2
    assert "{% raw %}" in done.stderr
    done = ninjaone(*arguments, "-t", "parameters={% raw %}-Format {{.Name}}{% endraw %}", "--json")
    assert json.loads(done.stdout)["body"]["parameters"] == "-Format {{.Name}}"
    connection = "".join(f"{name}: {value}\n" for name, value in sandbox.connection.items())
    (tmp_path / "connection.yaml").write_text(connection)
    call = ("call", "run_script", "device_id=3", "type=SCRIPT", "script_id=1", "parameters=-Format {{.Name}}")
    assert ninjaone(*call, "-c", "connection.yaml").returncode == 0
    assert sandbox.log.requests()[-1]["body"]["parameters"] == "-Format {{.Name}}"


def test_16_dates_of_the_united_states(ninjaone: Ninjaone, tmp_path: Path) -> None:
    shutil.copy(DATA / "us-dates.csv", tmp_path)
    end = "warranty_end={{ WarrantyEnd | to_datetime('%m/%d/%Y') }}"
    done = ninjaone(
        "preview", "update_device", "-i", "us-dates.csv", "-t", "device_id={{ Id }}", "-t", end, "--json"
    )
    assert done.returncode == 0, done.stderr
    shown = [json.loads(line)["times"]["warranty_end"] for line in done.stdout.splitlines()]
    assert shown == ["2025-12-09T00:00:00Z", "2024-12-28T00:00:00Z"]


COUNTRIES = """\
connection: connection.yaml
input: rows.jsonl
output: out
vars: {country: NO}
steps:
  - name: renamed
    action: update_device
    templates:
      device_id: 3
      display_name: NO
      user_data: {on: yes, country: "{{ country }}", all: [NO, true]}
  - name: created
    action: create_tag
    templates: {name: off, if_missing: yes}
"""


def test_words_that_yaml_reads_as_booleans_are_text(
    ninjaone: Ninjaone, connection_file: Path, tmp_path: Path
) -> None:
    """The code of Norway, and `on`, are text in templates; `yes` is still true for an input that is one."""
    (tmp_path / "rows.jsonl").write_text("{}\n")
    (tmp_path / "job.yaml").write_text(COUNTRIES)
    done = ninjaone("preview", "job.yaml", "--json")
    assert done.returncode == 0, done.stderr
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["body"] == {
        "displayName": "NO",
        "userData": {"on": "yes", "country": "NO", "all": ["NO", True]},
    }
    assert (second["body"], "if_missing" in second) == ({"name": "off"}, True)
