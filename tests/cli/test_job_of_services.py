"""A job whose steps belong to two services: each step uses a connection of its own service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.json_schema import validator
from connector.common.package_data import schema
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines
from tests.loopback import Server
from tests.toy import declare_toy, toy_connection, toy_server

pytestmark = pytest.mark.in_process

OWN = ("--actions", "own")
BOTH = {"ninjaone": "acme.yaml", "toy": "toy-connection.yaml"}
STEPS = [
    {
        "name": "organization",
        "action": "list_organizations",
        "rows": "each",
        "delay_ms": 0,
        "templates": {"limit": "{{ how_many }}"},
    },
    {
        "name": "ticket",
        "action": "toy.create_ticket",
        "input": {"step": "organization"},
        "templates": {"subject": "{{ organization.name }}"},
    },
]


@pytest.fixture
def desk(tmp_path: Path, sandbox: Sandbox) -> Iterator[Server]:
    """Two services, a connection file of each, and rows."""
    declare_toy(tmp_path / "own")
    (tmp_path / "acme.yaml").write_text(yaml.safe_dump({"service": "ninjaone", **sandbox.connection}))
    write_lines(tmp_path / "rows.jsonl", [{"how_many": 2}])
    with toy_server() as server:
        toy_connection(tmp_path, server)
        yield server


def write_job(folder: Path, **more: Any) -> None:
    job = {"input": "rows.jsonl", "output": "out", **more, "steps": more.get("steps", STEPS)}
    validator(schema("job.schema.json")).validate(job)
    (folder / "job.yaml").write_text(yaml.safe_dump(job))


def both_were_used(sandbox: Sandbox, desk: Server) -> bool:
    tickets = [json.loads(r.body)["subject"] for r in desk.received if "/api/tickets" in r.line]
    return len(sandbox.log.requests()) == 1 and len(tickets) == 2


def test_a_mapping_names_one_for_each_service(
    ninjaone: Ninjaone, desk: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_job(tmp_path, connection=BOTH)
    assert ninjaone("preview", "job.yaml", *OWN).returncode == 0
    done = ninjaone("run", "job.yaml", *OWN)
    assert done.returncode == 0, done.stderr
    assert both_were_used(sandbox, desk)


def test_a_step_may_name_its_own(ninjaone: Ninjaone, desk: Server, sandbox: Sandbox, tmp_path: Path) -> None:
    first, second = STEPS
    steps = [{**first, "connection": "acme.yaml"}, {**second, "connection": "toy-connection.yaml"}]
    write_job(tmp_path, steps=steps)
    done = ninjaone("run", "job.yaml", *OWN)
    assert done.returncode == 0, done.stderr
    assert both_were_used(sandbox, desk)


def test_options_name_one_for_each_service(
    ninjaone: Ninjaone, desk: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_job(tmp_path, connection={"ninjaone": "missing.yaml", "toy": "missing.yaml"})
    done = ninjaone("run", "job.yaml", *OWN, "-c", "toy-connection.yaml", "-c", "acme.yaml")
    assert done.returncode == 0, done.stderr
    assert both_were_used(sandbox, desk)


def test_of_several_each_must_name_its_service(ninjaone: Ninjaone, desk: Server, tmp_path: Path) -> None:
    settings = yaml.safe_load((tmp_path / "acme.yaml").read_text())
    settings.pop("service")
    (tmp_path / "acme.yaml").write_text(yaml.safe_dump(settings))
    write_job(tmp_path)
    done = ninjaone("run", "job.yaml", "-c", "toy-connection.yaml", "-c", "acme.yaml", *OWN)
    assert done.returncode == 2
    assert done.stderr.endswith("for each of them; this connection does not name its service\n")
    assert desk.received == []


def test_of_several_for_one_service_the_last_one_counts(
    ninjaone: Ninjaone, desk: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_job(tmp_path)
    (tmp_path / "wrong.yaml").write_text("service: ninjaone\nregion: mars\n")
    options = ("-c", "wrong.yaml", "-c", "toy-connection.yaml", "-c", "acme.yaml")
    done = ninjaone("run", "job.yaml", *OWN, *options)
    assert done.returncode == 0, done.stderr
    assert both_were_used(sandbox, desk)


def test_the_default_of_each_service_is_used_where_none_is_named(
    ninjaone: Ninjaone, desk: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_job(tmp_path, connection={"toy": "toy-connection.yaml"})
    done = ninjaone("run", "job.yaml", *OWN)
    assert (done.returncode, 'step "organization": no connection' in done.stderr) == (2, True)
    done = ninjaone("run", "job.yaml", *OWN, NINJAONE_CONNECTION="acme.yaml")
    assert done.returncode == 0, done.stderr
    assert both_were_used(sandbox, desk)


@pytest.mark.parametrize(
    ("connection", "options", "message"),
    [
        ({"ninja": "acme.yaml"}, (), 'no service "ninja" (did you mean "ninjaone"?)'),
        (
            "acme.yaml",
            (),
            'step "ticket": acme.yaml, line 4: this connection is for another service than toy',
        ),
        ({**BOTH, "toy": 5}, (), "connection.toy: text is expected here, not an integer"),
        (
            BOTH,
            ("-c", "acme.yaml"),
            "the steps use several services (ninjaone, toy); use --connection once for",
        ),
        (
            BOTH,
            ("-c", "toy.yaml", "-c", "acme.yaml"),
            "--connection acme.yaml: the steps use several services",
        ),
    ],
)
def test_what_is_wrong_with_connections_is_said_before_anything_is_sent(
    ninjaone: Ninjaone,
    desk: Server,
    sandbox: Sandbox,
    tmp_path: Path,
    connection: Any,
    options: tuple[str, ...],
    message: str,
) -> None:
    job = {"input": "rows.jsonl", "output": "out", "connection": connection, "steps": STEPS}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
    done = ninjaone("run", "job.yaml", *OWN, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr.replace(f"{tmp_path}/", "")
    assert sandbox.log.requests() == desk.received == []


def test_a_template_for_one_service_alone(
    ninjaone: Ninjaone, desk: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"how_many": 2, "tenant": "acme.yaml"}])
    connection = {"ninjaone": "{{ tenant }}", "toy": "toy-connection.yaml"}
    write_job(tmp_path, connection=connection, allow_connections=["acme.yaml"])
    done = ninjaone("run", "job.yaml", *OWN)
    assert done.returncode == 0, done.stderr
    assert both_were_used(sandbox, desk)


def test_a_rerun_uses_the_connection_of_its_step(
    ninjaone: Ninjaone, desk: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    first, second = STEPS
    steps = [first, {**second, "templates": {"subject": "{{ organization.subject }}"}}]
    write_job(tmp_path, steps=steps, connection=BOTH)
    assert ninjaone("run", "job.yaml", *OWN).returncode == 1
    rerun = ninjaone("rerun", "out/ticket.jsonl", *OWN)
    assert (rerun.returncode, "connection" in rerun.stderr) == (1, False), rerun.stderr
