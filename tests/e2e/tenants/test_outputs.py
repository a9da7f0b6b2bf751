"""What a run over several tenants gives: the output of one run, whatever its format."""

from __future__ import annotations

import csv
import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from tests.cli.conftest import Ninjaone
from tests.cli.test_run import envelopes
from tests.e2e.tenants.instances import (
    ALLOWED,
    CREATE,
    FILES,
    NAMES,
    Start,
    Tenants,
    asked,
    assert_each_row_once,
    is_untouched,
    write_rows,
)
from tests.fakes import write_lines


@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_tenant_gets_its_own_rows_and_the_output_is_that_of_one_run(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path, concurrency: int
) -> None:
    write_rows(tmp_path, 30)
    done = ninjaone(*CREATE, *FILES, "--concurrency", concurrency, "--keep-row", "--summary", "sum.json")
    assert done.returncode == 0, done.stderr
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 30)
    assert is_untouched(tenants["initech"])
    found = envelopes(tmp_path / "out.jsonl")
    assert [e["input"]["n"] for e in found] == [e["row"] for e in found]
    assert [e["result"]["name"] for e in found] == [f"Client {n}" for n in range(1, 31)]
    assert not (tmp_path / "out.jsonl.run").exists()
    summary = json.loads((tmp_path / "sum.json").read_text())
    validator(schema("summary.schema.json")).validate(summary)
    (run,) = summary["runs"]
    assert run["connections"] == {"acme": {"rows": 15, "failed": 0}, "globex": {"rows": 15, "failed": 0}}
    assert (run["rows"], run["succeeded"], run["stopped"]) == (30, 30, False)
    for name in ("acme", "globex"):
        assert len(tenants[name].log.signins()) == 1


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_other_formats_and_other_inputs(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path, ending: str
) -> None:
    (tmp_path / "rows.csv").write_text("tenant,n\nglobex,1\nacme,2\nnobody,3\nacme\nglobex,5\n")
    done = ninjaone(*CREATE, "-i", "rows.csv", "-o", f"out.{ending}")
    assert done.returncode == 1, done.stderr
    text = (tmp_path / f"out.{ending}").read_text()
    found = json.loads(text) if ending == "json" else list(csv.DictReader(text.splitlines()))
    assert [int(e["row"]) for e in found] == [1, 2, 3, 4, 5]
    assert [str(e["has_error"]).lower() for e in found] == ["false", "false", "true", "true", "false"]
    assert asked(tenants["acme"]) == ["Client 2"]
    assert asked(tenants["globex"]) == ["Client 1", "Client 5"]


@pytest.mark.parametrize("output", [(), ("--output-format", "json")])
def test_from_standard_input_to_standard_output(
    start: Start, tenants: Tenants, tmp_path: Path, output: tuple[str, ...]
) -> None:
    lines = "".join(json.dumps({"n": n, "tenant": NAMES[n % 3]}) + "\n" for n in range(1, 10))
    process = start(*CREATE, *output, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    printed, message = process.communicate(lines.encode(), 60)
    assert process.returncode == 1, message
    found = json.loads(printed) if output else [json.loads(line) for line in printed.splitlines()]
    assert [e["row"] for e in found] == list(range(1, 10))
    assert [e["meta"].get("connection") for e in found] == ["globex", None, "acme"] * 3
    assert is_untouched(tenants["initech"])
    assert list(tmp_path.iterdir()) == []


def test_an_input_without_rows(ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").touch()
    done = ninjaone(*CREATE, *FILES)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    assert all(map(is_untouched, tenants.values()))


def test_one_envelope_an_item(ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"tenant": name} for name in ("acme", "x", "globex", "acme")])
    done = ninjaone("run", "list_organizations", "--rows", "each", *ALLOWED, *FILES)
    assert done.returncode == 1, done.stderr
    found = envelopes(tmp_path / "out.jsonl")
    assert sorted(found, key=lambda e: (e["row"], e["meta"]["item"])) == found
    assert Counter(e["row"] for e in found if e["meta"]["last"]) == {1: 1, 2: 1, 3: 1, 4: 1}
    assert len([e for e in found if e["row"] == 3]) > 1
    last = [e["meta"] for e in found if e["meta"]["last"]]
    assert [meta.get("connection") for meta in last] == ["acme", None, "globex", "acme"]


def test_files_are_named_by_their_rows(ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"tenant": name} for name in ("globex", "acme", "globex")])
    (tmp_path / "files").mkdir()
    done = ninjaone("run", "download_article", "-t", "article_id=1", "--files", "files", *ALLOWED,
                    *FILES)  # fmt: skip
    assert done.returncode == 0, done.stderr + (tmp_path / "out.jsonl").read_text()
    assert sorted(path.name.partition("-")[0] for path in (tmp_path / "files").iterdir()) == ["1", "2", "3"]


def test_a_job_with_steps(ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path) -> None:
    write_rows(tmp_path, 6)
    (tmp_path / "job.yaml").write_text(
        """\
        connection: "{{ tenant }}"
        allow_connections: [acme, globex]
        input: rows.jsonl
        output: out
        delay_ms: 0
        steps:
          - {name: organization, action: create_organization, templates: {name: "Client {{ n }}"}}
          - name: renamed
            action: update_organization
            input: {step: organization, only: "{{ n != 3 }}"}
            templates: {organization_id: "{{ organization.id }}", name: "{{ tenant }} {{ n }}"}
          - name: elsewhere
            action: list_organizations
            connection: initech
            input: {step: renamed, only: "{{ n == 1 }}"}
        """
    )
    done = ninjaone("run", "job.yaml")
    assert done.returncode == 0, done.stderr
    assert_each_row_once(tenants, tmp_path / "out" / "organization.jsonl", 6)
    renamed = envelopes(tmp_path / "out" / "renamed.jsonl")
    assert [e["row"] for e in renamed] == [1, 2, 4, 5, 6]
    assert "1 row skipped: not selected by `only:" in done.stderr
    for name, rows in (("acme", (1, 5)), ("globex", (2, 4, 6))):
        patched = [r["body"]["name"] for r in tenants[name].log.requests() if r["method"] == "PATCH"]
        assert patched == [f"{name} {n}" for n in rows]
    assert len(tenants["initech"].log.requests()) == 1
