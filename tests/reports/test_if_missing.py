"""Row 22: records that exist are found by their name, and are not created again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.authoring.checks import check_action
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.errors import DeclarationError
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_log import killed_run
from tests.declared import declare
from tests.fakes import write_lines

FIELD = {"label": "Rack", "type": "TEXT"}
DEVICE = {"organization_id": 1, "location_id": 1, "role_id": 301}
CREATED = [
    ("create_organization", "name", {}, "id"),
    ("create_location", "name", {"organization_id": "alder dental"}, "id"),
    ("create_custom_field_definition", "field_name", FIELD, "name"),
    ("create_tag", "name", {}, "id"),
    ("create_unmanaged_device", "name", DEVICE, "nodeId"),
]


@pytest.fixture(autouse=True)
def connection(connection_file: Path) -> Path:
    return connection_file


@pytest.fixture
def create(ninjaone: Ninjaone, tmp_path: Path) -> Any:
    """Run an action with `if_missing` for rows, and return the envelopes, whatever their outcome."""

    def run(action: str, *rows: dict[str, Any], options: tuple[object, ...] = ()) -> list[Any]:
        write_lines(tmp_path / "rows.jsonl", [{"if_missing": True, **row} for row in rows])
        done = ninjaone("run", action, "-i", "rows.jsonl", *FILES, "-o", "out.jsonl", "--restart", *options)
        assert done.returncode in (0, 1), done.stderr
        return lines(tmp_path / "out.jsonl")

    return run


FILES = ("-c", "connection.yaml", "--delay-ms", "0")


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def sent(sandbox: Sandbox) -> list[str]:
    return [f"{r['method']} {r['path']}" for r in sandbox.log.requests()]


def posts(sandbox: Sandbox) -> int:
    return sum(line.startswith("POST ") for line in sent(sandbox))


@pytest.mark.parametrize(("action", "name", "more", "identity"), CREATED, ids=[case[0] for case in CREATED])
def test_each_action_creates_once(
    create: Any, sandbox: Sandbox, action: str, name: str, more: dict[str, Any], identity: str
) -> None:
    first, second = create(action, {name: "Row22", **more}, {name: "Row22", **more})
    assert first["error"] is None
    assert "existed" not in first["meta"]
    assert (second["meta"]["existed"], second["result"]) == (True, first["result"])
    (again,) = create(action, {name: " ROW22", **more})  # as another run finds it
    assert again["meta"]["existed"] is True
    assert again["result"][identity] == first["result"][identity]
    assert posts(sandbox) == 1
    (forced,) = create(action, {name: "ROW22", **more, "if_missing": False})
    assert "existed" not in forced["meta"]
    assert posts(sandbox) == 2


@pytest.mark.parametrize("name", ["CAFE\u0301  mu\u0308ller", "Caf\xe9\xa0M\xfcller", " Caf\xe9 M\xfcller\t"])
def test_a_name_that_looks_the_same_exists(create: Any, sandbox: Sandbox, name: str) -> None:
    """As macOS writes accents, and with a no-break space, as web pages have it."""
    first, second = create("create_organization", {"name": "Caf\xe9 M\xfcller"}, {"name": name})
    assert (second["meta"].get("existed"), second["result"]["id"]) == (True, first["result"]["id"])
    (location,) = create("create_location", {"organization_id": name, "name": "Main"})
    assert location["error"] is None


def test_what_existed_before(create: Any, sandbox: Sandbox) -> None:
    (found,) = create("create_organization", {"name": "ALDER dental", "description": "new"})
    assert (found["result"]["id"], found["result"]["name"]) == (1, "Alder Dental")
    assert found["result"]["description"] == "Example organization 1"
    assert found["meta"] == {**found["meta"], "existed": True, "status": 200, "code": None}
    assert sent(sandbox) == ["GET /v2/organizations-detailed"]


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_list_is_requested_once_and_rows_of_one_name_wait(
    create: Any, sandbox: Sandbox, concurrency: int
) -> None:
    rows = [{"name": f"Tag {n % 5}"} for n in range(40)]
    envelopes = create("create_tag", *rows, options=("--concurrency", concurrency))
    assert [e["result"]["name"] for e in envelopes] == [row["name"] for row in rows]
    assert len({e["result"]["id"] for e in envelopes}) == 5
    assert (sent(sandbox).count("GET /v2/tag"), posts(sandbox)) == (1, 5)


def test_a_location_is_looked_for_in_its_organization(create: Any, sandbox: Sandbox) -> None:
    at = [{"organization_id": organization, "name": "main office"} for organization in (1, 2, "Alder Dental")]
    names = [location["name"] for location in (e["result"] for e in create("create_location", *at))]
    assert names == ["Main Office"] * 3
    (other,) = create("create_location", {"organization_id": 2, "name": "Branch of Alder"})
    assert "existed" not in other["meta"]
    (same,) = create("create_location", {"organization_id": 1, "name": "Branch of Alder"})
    assert "existed" not in same["meta"]
    assert posts(sandbox) == 2


def test_a_device_is_looked_for_in_its_organization(create: Any, sandbox: Sandbox) -> None:
    create("create_unmanaged_device", {**DEVICE, "name": "Monitor 1"})
    there = {**DEVICE, "organization_id": 2, "location_id": 3, "name": "Monitor 1"}
    (other,) = create("create_unmanaged_device", there)
    assert other["error"] is None
    assert "existed" not in other["meta"]


def test_two_records_of_one_name_are_listed_and_nothing_is_created(create: Any, sandbox: Sandbox) -> None:
    row = {**DEVICE, "name": "Phone"}
    twice = create("create_unmanaged_device", *[{**row, "if_missing": False}] * 2)
    one, two = (e["result"]["nodeId"] for e in twice)
    (refused,) = create("create_unmanaged_device", {**row, "name": "phone"})
    assert refused["error"] == (
        f'name: 2 records have the name "phone": Phone (id {one}), Phone (id {two}). '
        "Nothing was created; use the id of one of them"
    )
    assert refused["meta"] == {**refused["meta"], "code": "conflict", "repeatable": True}
    assert posts(sandbox) == 2


def test_a_record_that_another_creates_meanwhile_is_a_conflict(create: Any, sandbox: Sandbox) -> None:
    taken = {"fault": "answer", "status": 409, "body": {"resultCode": "tag_name_already_exists"}}
    sandbox.set_faults(queue=[None, taken])
    first, second = create("create_tag", {"name": "Raced"}, {"name": "Raced"})
    assert (first["meta"]["code"], "tag_name_already_exists" in first["error"]) == ("conflict", True)
    assert "existed" not in second["meta"]
    # The second row looked again, because the first list was out of date.
    assert sent(sandbox) == ["GET /v2/tag", "POST /v2/tag"] * 2


def test_a_lost_response_is_looked_up_by_the_rerun(
    create: Any, ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_faults(queue=[None, "reset_after"])
    (lost,) = create("create_tag", {"name": "Lost"})
    assert lost["meta"] == {**lost["meta"], "code": "outcome_unknown", "repeatable": True}
    assert ninjaone("rerun", "out.jsonl").returncode == 0
    (found,) = lines(tmp_path / "out.rerun.jsonl")
    assert (found["result"]["name"], found["meta"]["existed"]) == ("Lost", True)
    assert posts(sandbox) == 1


def test_the_same_row_without_it_is_not_repeated(create: Any, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=["reset_after"])
    (lost,) = create("create_tag", {"name": "Lost", "if_missing": False})
    assert lost["meta"] == {**lost["meta"], "code": "outcome_unknown", "repeatable": False}


def test_a_row_that_has_begun_to_create_goes_on_after_a_kill(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Its organization exists, but its custom fields are not set yet."""
    row = {"name": "Willow", "fields": {"contractEnd": "2027-01-02"}, "if_missing": True}
    files = ("-i", write_lines(tmp_path / "rows.jsonl", [row]), "-o", "out.jsonl", *FILES)
    killed_run(sandbox, tmp_path, 4, "create_organization", *files)
    done = ninjaone("run", "create_organization", *files, "--resume")
    assert done.returncode == 0, done.stderr
    (envelope,) = lines(tmp_path / "out.jsonl")
    assert "existed" not in envelope["meta"]
    assert (posts(sandbox), sent(sandbox)[-1]) == (1, "PATCH /v2/organization/5/custom-fields")


def test_a_kill_leaves_the_look_up_to_the_rerun(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"name": "Lost", "if_missing": True}])
    files = ("-i", rows, "-o", "out.jsonl", *FILES)
    killed_run(sandbox, tmp_path, 2, "create_tag", *files)
    assert ninjaone("run", "create_tag", *files, "--resume").returncode == 1
    (lost,) = lines(tmp_path / "out.jsonl")
    assert lost["meta"] == {**lost["meta"], "code": "outcome_unknown", "repeatable": True}
    assert ninjaone("rerun", "out.jsonl").returncode == 0
    (found,) = lines(tmp_path / "out.rerun.jsonl")
    assert (found["result"]["name"], found["meta"]["existed"]) == ("Lost", True)
    assert posts(sandbox) == 1


def test_a_change_that_fails_after_the_creation_is_not_repeated(create: Any, sandbox: Sandbox) -> None:
    refusal = {"fault": "answer", "status": 400, "body": {"resultCode": "no"}}
    sandbox.set_faults(queue=[None, None, None, refusal])
    (envelope,) = create("create_organization", {"name": "W", "fields": {"contractEnd": "2027-01-02"}})
    assert envelope["meta"] == {**envelope["meta"], "code": "partial", "repeatable": False}


def test_custom_fields_of_what_existed_are_not_set(create: Any, sandbox: Sandbox) -> None:
    row = {"name": "Alder Dental", "fields": {"contractEnd": "2027-01-02"}}
    (found,) = create("create_organization", row)
    assert found["meta"]["warnings"] == ["fields: not set, because the organization already exists"]
    assert not [line for line in sent(sandbox) if line.startswith(("POST", "PATCH"))]


def test_the_summary_counts_them(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"name": "Alder Dental"}, {"name": "New"}])
    files = ("-i", "rows.jsonl", "-o", "out.jsonl", *FILES, "-t", "name={{ name }}", "-t", "if_missing=true")
    done = ninjaone("run", "create_organization", *files, "--summary", "summary.json")
    assert "  1 existed already, so that nothing was created\n" in done.stderr
    assert json.loads((tmp_path / "summary.json").read_text())["runs"][0]["existed"] == 1


def test_preview_shows_where_it_looks(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = (
        "-i",
        write_lines(tmp_path / "rows.jsonl", [{"organization_id": 1, "name": "X", "if_missing": 1}]),
    )
    done = ninjaone("preview", "create_location", *rows, "-c", "connection.yaml")
    assert done.returncode == 0, done.stderr
    where = f"{sandbox.base_url}/v2/organization/1/locations"
    assert f"  (sent only if no record has this name in {where})\n" in done.stdout
    assert sandbox.log.requests() == []


# --- declared by others

ROLE = """\
name: create_shelf
title: Create Shelf
summary: Create a shelf.
operation: createTag
request: POST /v2/tag
effect: write
idempotent: false
inputs:
  shelf: {title: Shelf, type: string, to: body.name}
if_missing: {request: GET /v2/tag, items: tags, match: {shelf: name}, result: {number: id}}
required: [shelf]
result: {}
examples:
  - row: {}
    templates: {shelf: a}
    sends: [{method: POST, path: /v2/tag, body: {name: a}}]
"""


def test_an_action_of_ones_own(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "mine/ninjaone/area/create_shelf.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(ROLE)
    call = ("call", "create_shelf", "shelf=S", "if_missing=yes", "-c", "connection.yaml", "--actions", "mine")
    made, found = (json.loads(ninjaone(*call).stdout) for _ in range(2))
    assert found["result"] == {"number": made["result"]["id"]}
    assert found["meta"]["existed"] is True


def test_catalog_check_knows_its_keys(service: Service, tmp_path: Path) -> None:
    lookup = {"request": "GET /v2/a", "match": {"a": "n"}, "items": "x", "query": {"q": 1}}
    declared = {"request": "POST /v2/a", "inputs": {"a": "body.a"}, "if_missing": lookup, "effect": "write"}
    example = {"sends": [{"method": "POST", "path": "/v2/a", "body": {}}]}
    action = declare(tmp_path, **declared, examples=[example])
    assert check_action(action, service) == []
    lookup["paging"] = "none"
    (problem,) = check_action(declare(tmp_path, **declared, examples=[example]), service)
    assert problem.endswith('if_missing: ninjaone has no pager "none"')


def test_a_response_without_the_list(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "mine/ninjaone/area/create_shelf.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(ROLE.replace("items: tags", "items: shelves"))
    call = ("call", "create_shelf", "shelf=S", "if_missing=yes", "-c", "connection.yaml", "--actions", "mine")
    refused = json.loads(ninjaone(*call).stdout)
    assert refused["meta"]["code"] == "bad_response"
    assert "GET /v2/tag: the response has no array of records" in refused["error"]
    assert posts(sandbox) == 0


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"request": "POST /v2/x", "match": {"a": "n"}}, "if_missing.request: GET and a path are expected"),
        ({"request": "GET /v2/{other}", "match": {"a": "n"}}, "no other placeholders"),
        ({"request": "GET /v2/x", "match": {}}, "if_missing.match: at least one input is required"),
        ({"request": "GET /v2/x", "match": {"b": "n"}}, 'if_missing.match.b: "b" is not an input'),
        ({"request": "GET /v2/x", "match": {"q": "n"}}, 'if_missing.match.q: "q" is not an input'),
        ({"request": "GET /v2/x", "match": {"a": 5}}, "the name of a member is expected"),
        ({"request": "GET /v2/x", "match": {"a": "n"}, "when": 1}, 'unknown key "when"'),
        ({"match": {"a": "n"}}, 'the key "request" is missing'),
    ],
)
def test_wrong_declarations(tmp_path: Path, declared: dict[str, Any], says: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        declare(tmp_path, request="POST /v2/a", inputs={"a": "body.a", "q": "query.q"}, if_missing=declared)
    assert says in str(caught.value)


def test_the_actions_that_have_it(catalog: Catalog) -> None:
    found = {action.name for action in catalog.actions("ninjaone") if action.existing}
    assert found == {case[0] for case in CREATED}
    assert yaml.safe_load(catalog.action("create_tag").file.read_text())["if_missing"]["items"] == "tags"
