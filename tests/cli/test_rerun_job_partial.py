"""Rows of a job that were partly done continue after their completed requests, where that is safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_rerun import REFUSED, rows_of
from tests.cli.test_rerun_job import made

pytestmark = pytest.mark.in_process

JOB = """\
connection: connection.yaml
input: rows.csv
output: out
delay_ms: 0
steps:
  - name: organization
    action: create_organization
    templates: {name: "{{ client }}", fields: {siteCode: "{{ tag }}"}}
  - name: site
    action: create_location
    input: {step: organization}
    templates: {organization_id: "{{ organization.id }}", name: "{{ client }} {{ tag }}"}
"""


@pytest.fixture
def job(connection_file: Path, tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_text("client,tag\nAcme,A1\n")
    (tmp_path / "job.yaml").write_text(JOB)
    return tmp_path


def changes(sandbox: Sandbox) -> list[str]:
    return [f"{r['method']} {r['path']}" for r in sandbox.log.requests() if r["method"] != "GET"]


def test_completed_requests_are_not_sent_again(job: Path, ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=[None, None, REFUSED])
    done = ninjaone("run", "job.yaml")
    assert rows_of(job / "out/organization.jsonl") == {1: "partial"}, done.stderr
    sandbox.set_faults(queue=[None, REFUSED])
    assert ninjaone("rerun", "out").returncode == 1
    assert rows_of(job / "out/rerun/organization.jsonl") == {1: "partial"}
    sandbox.set_faults(queue=[])
    before = changes(sandbox)
    done = ninjaone("rerun", "out")
    assert done.returncode == 0, done.stderr
    assert [request.partition(" ")[0] for request in changes(sandbox)[len(before) :]] == ["PATCH", "POST"]
    assert made(sandbox) == ["Acme", "Acme A1"]
    assert "no rows to rerun" in ninjaone("rerun", "out").stderr


def test_data_of_a_completed_request_cannot_be_corrected(
    job: Path, ninjaone: Ninjaone, sandbox: Sandbox
) -> None:
    sandbox.set_faults(queue=[None, None, REFUSED])
    assert ninjaone("run", "job.yaml").returncode == 1
    sandbox.set_faults(queue=[])
    before = changes(sandbox)
    (job / "fix.csv").write_text("row,step,client,tag\n1,organization,Globex,A1\n")
    done = ninjaone("rerun", "out", "--input", "fix.csv")
    assert done.returncode == 1
    assert "the row was done in part with other data" in done.stderr
    assert changes(sandbox) == before
    assert "1 to check first (1 partial), not run" in ninjaone("rerun", "out").stderr
    # After the check, the row still continues after its completed request.
    (job / "fix.csv").write_text("row,step,client,tag\n1,organization,Acme,A1\n")
    done = ninjaone("rerun", "out", "--input", "fix.csv", "--checked", "all")
    assert done.returncode == 0, done.stderr
    assert [request.partition(" ")[0] for request in changes(sandbox)[len(before) :]] == ["PATCH", "POST"]
    assert made(sandbox) == ["Acme", "Acme A1"]


def test_other_data_is_corrected(job: Path, ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=[None, None, REFUSED])
    assert ninjaone("run", "job.yaml").returncode == 1
    sandbox.set_faults(queue=[])
    before = changes(sandbox)
    (job / "fix.csv").write_text("row,step,client\n1,organization,Acme\n")
    assert ninjaone("rerun", "out", "--input", "fix.csv").returncode == 1
    assert rows_of(job / "out/rerun/organization.jsonl") == {1: "template_error"}
    assert changes(sandbox) == before
    (job / "fix.csv").write_text("row,step,client,tag\n1,organization,Acme,B2\n")
    done = ninjaone("rerun", "out", "--input", "fix.csv")
    assert done.returncode == 0, done.stderr
    assert made(sandbox) == ["Acme", "Acme B2"]


def test_a_request_without_a_response_is_checked_first(
    job: Path, ninjaone: Ninjaone, sandbox: Sandbox
) -> None:
    sandbox.set_faults(queue=[None, "reset_after"])
    assert ninjaone("run", "job.yaml").returncode == 1
    sandbox.set_faults(queue=[])
    before = changes(sandbox)
    assert "no rows to rerun; 1 to check first" in ninjaone("rerun", "out").stderr
    assert changes(sandbox) == before
