"""A tenant sees its own rows and secrets alone, and a row reaches only what the run allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ninjaone
from tests.cli.test_run import envelopes
from tests.e2e.tenants.instances import (
    ALLOWED,
    CREATE,
    FILES,
    NAMES,
    Tenants,
    asked,
    is_untouched,
    save,
    write_rows,
)
from tests.fakes import write_lines
from tests.loopback import Server, Talk


def answering_as(name: str) -> Callable[[Talk], None]:
    """Answer sign-ins with a token of the tenant's own, and everything else with an organization."""

    def talk(talk: Talk) -> None:
        while received := talk.read():
            token = {"access_token": f"token-of-{name}", "expires_in": 3600}
            body = token if "/oauth/token" in received.target else {"id": 1}
            talk.answer(json.dumps(body).encode())

    return talk


def test_a_tenant_sees_its_own_secret_token_and_rows_alone(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write_lines(
        tmp_path / "rows.jsonl", [{"n": n, "tenant": NAMES[n % 3], "of": NAMES[n % 3]} for n in range(1, 13)]
    )
    with (
        Server((answering_as("acme"),)) as acme,
        Server((answering_as("globex"),)) as globex,
        Server((answering_as("initech"),)) as initech,
    ):
        servers = dict(zip(NAMES, (acme, globex, initech), strict=True))
        for name, server in servers.items():
            settings = {"client_id": f"app-of-{name}", "client_secret": f"secret-of-{name}"}
            save(name, {"base_url": server.base_url, **settings})
        done = ninjaone("run", "create_organization", "-t", "name={{ of }} {{ n }}", *ALLOWED, *FILES,
                        "--concurrency", 3)  # fmt: skip
    assert done.returncode == 1, done.stderr
    for name in ("acme", "globex"):
        heads = [r for r in servers[name].received if "/oauth/token" not in r.target]
        assert {r.headers["authorization"] for r in heads} == {f"Bearer token-of-{name}"}
        assert len(heads) == 4
        received = b"".join(r.line.encode() + r.body for r in servers[name].received)
        for other in NAMES:
            assert (other.encode() in received) == (other == name)
    assert initech.connections == 0


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_row_cannot_name_what_is_not_allowed(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path, concurrency: int
) -> None:
    (tmp_path / "initech.yaml").write_text(
        "".join(f"{key}: {value}\n" for key, value in tenants["initech"].connection.items())
    )
    names: list[Any] = [
        *("initech", "initech.yaml", "./initech.yaml", str(tmp_path / "initech.yaml"), "../x"),
        *("ACME", "acme "),
        *("acme,globex", "{{ 'acme' }}", "\u0430cme", "", " ", None, 7, ["acme"], {"a": "acme"}, True),
    ]
    rows = [{"n": n, "tenant": name} for n, name in enumerate(names, start=1)]
    write_lines(tmp_path / "rows.jsonl", [*rows, {"n": 0}, {"n": 99, "tenant": "acme"}])
    done = ninjaone(*CREATE, *FILES, "--concurrency", concurrency, NINJAONE_CONNECTION="initech")
    assert done.returncode == 1, done.stderr
    *refused, missing, last = envelopes(tmp_path / "out.jsonl")
    assert {e["meta"]["code"] for e in refused} == {"input_invalid"}
    assert missing["meta"]["code"] == "template_error"
    assert 'the row has no field "tenant"' in missing["error"]
    for envelope in (*refused, missing):
        assert "Allowed connections: acme, globex" in envelope["error"]
        assert "connection" not in envelope["meta"]
        assert envelope["meta"]["repeatable"] is True
    assert 'connection: "initech" is not allowed' in refused[0]["error"]
    assert "the template is empty for this row" in refused[names.index("")]["error"]
    assert (last["meta"]["code"], last["meta"]["connection"]) == (None, "acme")
    assert asked(tenants["acme"]) == ["Client 99"]
    assert is_untouched(tenants["globex"])  # no row is its own
    assert is_untouched(tenants["initech"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--connection", "{{ tenant }}"), "list the connections that rows may select"),
        (("--connection", "acme", "--allow-connections", "acme,globex"), "requires a connection template"),
        (("--allow-connections", "acme,globex"), "requires a connection template"),
        (("--connection", "{{ tenant }}", "--allow-connections", "acme,glubex"), 'did you mean "globex"'),
        (("--connection", "{{ tenant }}", "--allow-connections", "acme,no/such.yaml"), "no/such.yaml"),
        (("--connection", "{{ tenant }}", "--allow-connections", "acme,acme"), '"acme" is listed twice'),
        (("--connection", "{{ tenant }}", "--allow-connections", "acme,,globex"), "a name is empty"),
        (("--connection", "{{ tenant }}", "--allow-connections", "acme,twin"), "acme and twin are the same"),
        (("--connection", "{{ tenant", "--allow-connections", "acme"), "connection: template, line 1"),
        (("--connection", "{{ ['a', 'b'] | random }}", "--allow-connections", "acme"),
         "the filter random cannot be used here"),
    ],
)  # fmt: skip
def test_faults_of_the_run_are_found_before_anything_is_sent(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    save("twin", tenants["acme"].connection)
    write_rows(tmp_path, 4)
    for command in ("run", "preview"):
        done = ninjaone(command, "create_organization", "-t", "name={{ n }}", "-i", "rows.jsonl", *options,
                        *(("-o", "out.jsonl") if command == "run" else ()))  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
    assert all(map(is_untouched, tenants.values()))
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_a_call_has_no_row_that_could_name_a_connection(ninjaone: Ninjaone, tenants: Tenants) -> None:
    done = ninjaone("call", "list_organizations", "--connection", "{{ tenant }}")
    assert done.returncode == 2
    assert "call has no rows to select a connection" in done.stderr
    assert all(map(is_untouched, tenants.values()))


def test_a_preview_names_the_connection_of_each_row(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path
) -> None:
    write_rows(tmp_path, 3, *NAMES)
    preview = ("preview", *CREATE[1:-2], "-i", "rows.jsonl")
    done = ninjaone(*preview, "--json")
    assert done.returncode == 1, done.stderr
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert (first["connection"], second["connection"]) == ("acme", "globex")
    for shown, name in ((first, "acme"), (second, "globex")):
        assert shown["url"].startswith(tenants[name].base_url + "/")
    assert "initech" in third["error"]
    assert third.keys() == {"row", "error"}
    assert f"row 1 (acme): POST {tenants['acme'].base_url}" in ninjaone(*preview).stdout
    assert all(map(is_untouched, tenants.values()))
