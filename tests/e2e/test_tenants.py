"""Rows of several tenants in one file: the command line, and a server for each tenant.

What is killed, interrupted or limited is a process of its own.
"""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.cli.main import main
from connector.common.package_data import schema
from connector.connections.saved import SavedConnections
from connector.connections.secret_store import SecretStore
from connector.sandbox.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_run import envelopes
from tests.fakes import wait_until, write_lines
from tests.loopback import Server, Talk, free_port

Tenants = dict[str, Sandbox]
Start = Callable[..., "subprocess.Popen[bytes]"]

NAMES = ("acme", "globex", "initech")
REFUSED = {"fault": "answer", "status": 409, "body": {"resultCode": "conflict"}}
WAITS = {"fault": "429", "headers": {"Retry-After": "250"}}
ALLOWED = ("--connection", "{{ tenant }}", "--allow-connections", "acme,globex", "--delay-ms", 0)
FILES = ("-i", "rows.jsonl", "-o", "out.jsonl")
CREATE = ("run", "create_organization", "-t", "name=Client {{ n }}", *ALLOWED)
"""Writes that must not be repeated."""


def save(name: str, settings: dict[str, Any]) -> None:
    """Save a connection, as `connection add` does."""
    kept = {key: value for key, value in settings.items() if key != "client_secret"}
    SavedConnections().save(name, kept)
    SecretStore().set(name, "client_secret", settings["client_secret"])


@pytest.fixture
def tenants() -> Iterator[Tenants]:
    """Three instances, each a saved connection. Runs allow the first two; the third is the default."""
    with Sandbox() as acme, Sandbox() as globex, Sandbox() as initech:
        running = dict(zip(NAMES, (acme, globex, initech), strict=True))
        for name, sandbox in running.items():
            save(name, sandbox.connection)
        SavedConnections().make_default("initech")
        yield running


@pytest.fixture
def ninjaone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Ninjaone:
    """Run `ninjaone ARGUMENTS` in the test's folder and give what came of it."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(argument) for argument in arguments]
        with pytest.MonkeyPatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            code = main(command)
        return subprocess.CompletedProcess(command, code, *capfd.readouterr())

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `ninjaone ARGUMENTS` in the test's folder, and do not wait for its end."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: object, **more: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "connector", *map(str, arguments)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path, env=os.environ, **more)
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        with process:  # closes its pipes
            pass


def end(process: subprocess.Popen[bytes], seconds: float = 60) -> str:
    """Wait for the end, and give what was said on standard error."""
    _, said = process.communicate(timeout=seconds)
    return said.decode()


def write_rows(folder: Path, count: int, *names: str) -> None:
    """Write rows whose tenants take turns."""
    of = names or ("acme", "globex")
    rows = [{"n": n, "tenant": of[(n - 1) % len(of)]} for n in range(1, count + 1)]
    write_lines(folder / "rows.jsonl", rows)


def asked(sandbox: Sandbox, *, executed: bool = False) -> list[str]:
    """The names that an instance was asked to give (or gave) to organizations, one a request."""
    posts = [r for r in sandbox.log.requests() if r["method"] == "POST" and (r["executed"] or not executed)]
    return [r["body"]["name"] for r in posts]


def is_untouched(sandbox: Sandbox) -> bool:
    return not sandbox.log.requests() and not sandbox.log.signins()


def assert_each_row_once(tenants: Tenants, path: Path, count: int) -> None:
    """Every row has one envelope, in order, and was sent once, to its own tenant."""
    found = envelopes(path)
    assert [e["row"] for e in found] == list(range(1, count + 1))
    for place, name in enumerate(("acme", "globex")):
        assert Counter(asked(tenants[name])) == {f"Client {n}": 1 for n in range(place + 1, count + 1, 2)}
        assert {e["row"] for e in found if e["meta"].get("connection") == name} == set(
            range(place + 1, count + 1, 2)
        )


# What a run gives


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
    printed, said = process.communicate(lines.encode(), 60)
    assert process.returncode == 1, said
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
    assert "1 left out by only" in done.stderr
    for name, rows in (("acme", (1, 5)), ("globex", (2, 4, 6))):
        patched = [r["body"]["name"] for r in tenants[name].log.requests() if r["method"] == "PATCH"]
        assert patched == [f"{name} {n}" for n in rows]
    assert len(tenants["initech"].log.requests()) == 1


# Who is never asked


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
        assert "This run allows acme, globex" in envelope["error"]
        assert "connection" not in envelope["meta"]
        assert envelope["meta"]["repeatable"] is True
    assert 'connection: "initech" is not allowed' in refused[0]["error"]
    assert "the row names none" in refused[names.index("")]["error"]
    assert (last["meta"]["code"], last["meta"]["connection"]) == (None, "acme")
    assert asked(tenants["acme"]) == ["Client 99"]
    assert is_untouched(tenants["globex"])  # no row is its own
    assert is_untouched(tenants["initech"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--connection", "{{ tenant }}"), "say which connections rows may name, with --allow-connections"),
        (("--connection", "acme", "--allow-connections", "acme,globex"), "connection is no template"),
        (("--allow-connections", "acme,globex"), "connection is no template"),
        (("--connection", "{{ tenant }}", "--allow-connections", "acme,glubex"), 'did you mean "globex"'),
        (("--connection", "{{ tenant }}", "--allow-connections", "acme,no/such.yaml"), "no/such.yaml"),
        (("--connection", "{{ tenant }}", "--allow-connections", "acme,acme"), '"acme" is listed twice'),
        (("--connection", "{{ tenant }}", "--allow-connections", "acme,,globex"), "without a name"),
        (("--connection", "{{ tenant }}", "--allow-connections", "acme,twin"), "acme and twin are the same"),
        (("--connection", "{{ tenant", "--allow-connections", "acme"), "connection: template, line 1"),
        (("--connection", "{{ ['a', 'b'] | random }}", "--allow-connections", "acme"), "left to chance"),
    ],
)  # fmt: skip
def test_faults_of_the_run_are_found_before_anything_is_sent(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    save("twin", tenants["acme"].connection)
    write_rows(tmp_path, 4)
    for command in ("run", "preview"):
        done = ninjaone(command, "create_organization", "-t", "name={{ n }}", "-i", "rows.jsonl", *options,
                        *(("-o", "out.jsonl") if command == "run" else ()))  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
    assert all(map(is_untouched, tenants.values()))
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_a_call_has_no_row_that_could_name_a_connection(ninjaone: Ninjaone, tenants: Tenants) -> None:
    done = ninjaone("call", "list_organizations", "--connection", "{{ tenant }}")
    assert done.returncode == 2
    assert "call runs an action once" in done.stderr
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


# A tenant in trouble


@pytest.mark.parametrize(
    ("trouble", "code"), [("wrong secret", "auth_failed"), ("down", "network_error")]
)  # fmt: skip
def test_a_tenant_that_cannot_sign_in_costs_its_own_rows(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path, trouble: str, code: str
) -> None:
    broken = (
        {"client_secret": "no-such-secret"}
        if trouble == "wrong secret"
        else {"base_url": f"http://127.0.0.1:{free_port()}"}
    )
    save("globex", {**tenants["globex"].connection, **broken})
    write_rows(tmp_path, 20)
    done = ninjaone(*CREATE, *FILES, "--concurrency", 2)
    assert done.returncode == 1, done.stderr
    found = envelopes(tmp_path / "out.jsonl")
    assert [e["row"] for e in found] == list(range(1, 21))
    assert [e["meta"]["code"] for e in found] == [None, code] * 10
    for envelope in found[1::2]:
        assert "signing in at" in envelope["error"]
        assert (envelope["meta"]["connection"], envelope["meta"]["repeatable"]) == ("globex", True)
    assert "globex: 10 of 10 rows failed" in done.stderr
    assert len(tenants["globex"].log.signins()) == (1 if trouble == "wrong secret" else 0)
    assert len(asked(tenants["acme"])) == 10
    # Its rows can be rerun, and only they, once it is mended.
    save("globex", tenants["globex"].connection)
    again = ninjaone("rerun", "out.jsonl", *(("--connection", "{{ tenant }}") if trouble == "down" else ()))
    assert again.returncode == 0, again.stderr
    assert [e["row"] for e in envelopes(tmp_path / "out.rerun.jsonl")] == list(range(2, 21, 2))
    assert len(asked(tenants["acme"])) == 10
    assert len(asked(tenants["globex"])) == 10


def test_when_no_tenant_can_sign_in_nothing_is_run(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path
) -> None:
    for name in ("acme", "globex"):
        save(name, {**tenants[name].connection, "client_secret": "no-such-secret"})
    write_rows(tmp_path, 5, "acme", "globex", "nobody")
    done = ninjaone(*CREATE, *FILES)
    assert done.returncode == 2, done.stderr
    assert "no tenant can sign in: acme: signing in at" in done.stderr
    assert "; globex: signing in at" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]
    # A third tenant that could, but has no row, does not count.
    more = ninjaone(*CREATE, *FILES, "--allow-connections", "acme,globex,initech")
    assert more.returncode == 2, more.stderr
    assert is_untouched(tenants["initech"])


def test_steps_look_for_a_tenant_that_signs_in_before_the_first_one_begins(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path
) -> None:
    save("globex", {**tenants["globex"].connection, "client_secret": "no-such-secret"})
    write_rows(tmp_path, 2, "acme")
    (tmp_path / "job.yaml").write_text(
        """\
        input: rows.jsonl
        output: out
        delay_ms: 0
        steps:
          - {name: a, action: create_organization, connection: acme, templates: {name: "Client {{ n }}"}}
          - name: b
            action: list_organizations
            input: {step: a}
            connection: "{{ tenant }}"
            allow_connections: [globex]
        """
    )
    done = ninjaone("run", "job.yaml")
    assert done.returncode == 2, done.stderr
    assert 'step "b": no tenant can sign in: globex' in done.stderr
    assert asked(tenants["acme"]) == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("trouble", ["hold", "throttled"])
@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_tenant_that_hangs_or_throttles_holds_up_nobody(
    start: Start, tenants: Tenants, tmp_path: Path, concurrency: int, trouble: str
) -> None:
    write_rows(tmp_path, 400)
    tenants["acme"].set_faults(queue=["hold" if trouble == "hold" else WAITS] * 400)
    process = start(*CREATE, *FILES, "--concurrency", concurrency)
    # All of the one's rows are through, though the other is at its first ones.
    wait_until(lambda: len(asked(tenants["globex"])) == 200, 40)
    assert len(asked(tenants["acme"])) <= concurrency
    assert process.poll() is None
    assert not (tmp_path / "out.jsonl").exists()
    if trouble == "hold":
        tenants["acme"].set_faults(queue=[])
        said = end(process)
        assert process.returncode == 0, said
    else:
        process.send_signal(signal.SIGINT)
        said = end(process)
        assert process.returncode == 130, said
        tenants["acme"].set_faults(queue=[])
        tenants["acme"].log.clear("requests")
        resumed = start(*CREATE, *FILES, "--resume")
        said = end(resumed)
        assert resumed.returncode == 0, said
        assert "400 rows (200 of them before it was interrupted), 400 succeeded" in said
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 400)


def test_a_tenant_that_hangs_while_it_signs_in_holds_up_nobody(start: Start, tmp_path: Path) -> None:
    write_rows(tmp_path, 40)
    with Sandbox() as globex, Server((lambda talk: talk.server.done.wait(60) and None,)) as acme:
        save("acme", {**globex.connection, "base_url": acme.base_url})
        save("globex", globex.connection)
        process = start(*CREATE, *FILES)
        wait_until(lambda: len(asked(globex)) == 20)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said = end(process, 20)  # it does not wait for the sign-in, which may take 60 s
        assert process.returncode == 130, said
        assert "20 rows, 20 succeeded" in said
        globex.set_faults(queue=[REFUSED])
        process = start(*CREATE, "-i", "rows.jsonl", "-o", "other.jsonl", "--on-error", "stop")
        said = end(process, 20)
        assert process.returncode == 3, said


def test_a_tenant_that_answers_503_holds_up_nobody(start: Start, tenants: Tenants, tmp_path: Path) -> None:
    write_rows(tmp_path, 60)
    tenants["acme"].set_faults(rates={"503": 1})
    process = start("run", "get_organization", "-t", "organization_id=1", *ALLOWED, *FILES)
    wait_until(lambda: len(tenants["globex"].log.requests()) == 30)
    last = max(r["time"] for r in tenants["globex"].log.requests())
    assert process.poll() is None
    tenants["acme"].set_faults(rates={})
    said = end(process)
    assert process.returncode in (0, 1), said
    assert len([r for r in tenants["acme"].log.requests() if r["time"] > last]) > 20
    found = envelopes(tmp_path / "out.jsonl")
    assert [e["row"] for e in found] == list(range(1, 61))
    assert {e["meta"]["code"] for e in found if e["meta"]["connection"] == "globex"} == {None}


def test_every_tenant_keeps_a_pace_of_its_own(ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path) -> None:
    write_rows(tmp_path, 16)
    done = ninjaone(*CREATE, *FILES, "--delay-ms", 120, "--concurrency", 4)
    assert done.returncode == 0, done.stderr
    times = {name: [r["time"] for r in tenants[name].log.requests()] for name in ("acme", "globex")}
    for its in times.values():
        assert len(its) == 8
        # On a busy machine the first one can be late; without a pace all take a tenth of this time.
        assert its[-1] - its[0] > 5 * 0.12
    assert min(times["globex"]) < max(times["acme"])
    assert min(times["acme"]) < max(times["globex"])


# Errors are counted over the whole run


def test_nothing_is_sent_when_a_refused_row_is_one_too_many(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path
) -> None:
    write_rows(tmp_path, 9, *NAMES)
    done = ninjaone(*CREATE, *FILES, "--on-error", "stop")
    assert done.returncode == 3, done.stderr
    assert asked(tenants["acme"]) == asked(tenants["globex"]) == []
    assert "3 rows, 0 succeeded, 3 failed" in done.stderr
    # As with any run, to go on is to go on without the rows that failed.
    done = ninjaone(*CREATE, *FILES, "--resume", "--on-error", "stop")
    assert done.returncode == 1, done.stderr
    assert [e["meta"]["code"] for e in envelopes(tmp_path / "out.jsonl")] == [None, None, "input_invalid"] * 3


@pytest.mark.parametrize("concurrency", [1, 4])
def test_failures_of_all_tenants_stop_all_of_them(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path, concurrency: int
) -> None:
    write_rows(tmp_path, 200)
    for name in ("acme", "globex"):
        tenants[name].set_faults(queue=[*[REFUSED] * 6, *[None] * 94])
    done = ninjaone(*CREATE, *FILES, "--concurrency", concurrency, "--max-errors", 9)
    assert done.returncode == 3, done.stderr
    assert "failed, and nothing more is begun then" in done.stderr
    sent = [len(asked(tenants[name])) for name in ("acme", "globex")]
    # The tenth failure is the last thing that is begun; what was under way is finished.
    failed = sum(r["status"] == 409 for n in ("acme", "globex") for r in tenants[n].log.requests())
    assert 10 <= failed <= 9 + 2 * concurrency
    assert sum(sent) < 200
    assert ninjaone(*CREATE, *FILES, "--resume").returncode == 1
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 200)


# Interruptions


def asked_in_all(tenants: Tenants) -> int:
    return sum(len(asked(sandbox)) for sandbox in tenants.values())


def wait_for(process: subprocess.Popen[bytes], tenants: Tenants, count: int) -> None:
    """Wait until so many requests were received, or the process has ended."""
    wait_until(lambda: process.poll() is not None or asked_in_all(tenants) >= count)


def test_a_run_that_is_killed_again_and_again_sends_nothing_twice(
    start: Start, tenants: Tenants, tmp_path: Path
) -> None:
    draw, concurrency, count = random.Random(1), 2, 120
    write_rows(tmp_path, count, *NAMES)
    for name in ("acme", "globex"):
        tenants[name].set_faults(queue=[{"fault": "slow", "seconds": 0.01}] * 500)
    kills = 0
    while not (tmp_path / "out.jsonl").exists() or (tmp_path / "out.jsonl.run" / "journal.jsonl").exists():
        is_begun = (tmp_path / "out.jsonl.run" / "journal.jsonl").exists()
        process = start(*CREATE, *FILES, "--concurrency", concurrency, *(("--resume",) if is_begun else ()))
        if kills < 6:
            wait_for(process, tenants, asked_in_all(tenants) + draw.randint(0, 12))
            time.sleep(draw.uniform(0, 0.02))
            process.kill()
            kills += 1
        said = end(process)
        assert process.returncode in (-signal.SIGKILL, 0, 1), said
    found = envelopes(tmp_path / "out.jsonl")
    assert [e["row"] for e in found] == list(range(1, count + 1))
    assert is_untouched(tenants["initech"])
    done = Counter(asked(tenants["acme"])) + Counter(asked(tenants["globex"]))
    assert set(done.values()) == {1}
    for envelope in found:
        code = envelope["meta"]["code"]
        if envelope["row"] % 3 == 0:
            assert code == "input_invalid"
        else:
            assert code in (None, "outcome_unknown")
            assert code or done[f"Client {envelope['row']}"] == 1
    in_doubt = sum(e["meta"]["code"] == "outcome_unknown" for e in found)
    assert in_doubt <= kills * 2 * concurrency


def test_ctrl_c_stops_all_tenants_after_the_rows_under_way(
    start: Start, tenants: Tenants, tmp_path: Path
) -> None:
    write_rows(tmp_path, 200)
    process = start(*CREATE, *FILES, "--delay-ms", 10, "--concurrency", 2)
    wait_until(lambda: min(len(asked(tenants[name])) for name in ("acme", "globex")) >= 3)
    process.send_signal(signal.SIGINT)
    said = end(process)
    assert process.returncode == 130, said
    assert "stopping after the rows under way" in said
    assert "--resume goes on" in said
    sent = asked_in_all(tenants)
    assert f"{sent} rows, {sent} succeeded" in said
    assert sent < 200
    resumed = start(*CREATE, *FILES, "--resume")
    said = end(resumed)
    assert resumed.returncode == 0, said
    assert f"200 rows ({sent} of them before it was interrupted)" in said
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 200)


def test_what_was_answered_is_printed_when_a_run_to_standard_output_is_stopped(
    start: Start, tenants: Tenants, tmp_path: Path
) -> None:
    write_rows(tmp_path, 200)
    tenants["acme"].set_faults(queue=[None] * 5 + ["hold"])
    process = start(*CREATE, "-i", "rows.jsonl", stdout=subprocess.PIPE)
    wait_until(lambda: len(asked(tenants["globex"])) == 100 and len(asked(tenants["acme"])) == 6)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert b"stopping after the rows under way" in process.stderr.readline()
    tenants["acme"].set_faults(queue=[])
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    rows = [json.loads(line)["row"] for line in printed.splitlines()]
    assert rows == sorted([*range(1, 13, 2), *range(2, 201, 2)])


_LIMITED = """
import resource, sys
from connector.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
sys.exit(main())
"""


def test_a_full_disk_stops_all_tenants(ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    write_rows(tmp_path, 200)
    command = [sys.executable, "-c", _LIMITED, *map(str, (*CREATE, *FILES))]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    assert "cannot be written" in done.stderr
    assert 0 < asked_in_all(tenants) < 200
    again = ninjaone(*CREATE, *FILES, "--resume")
    assert again.returncode == 0, again.stderr
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 200)


def test_a_work_folder_that_is_removed_is_put_back(start: Start, tenants: Tenants, tmp_path: Path) -> None:
    """Also what a tenant had sent that was through already."""
    write_rows(tmp_path, 200)
    tenants["acme"].set_faults(queue=[None] * 5 + ["hold"])
    process = start(*CREATE, *FILES)
    wait_until(lambda: len(asked(tenants["globex"])) == 100 and len(asked(tenants["acme"])) == 6)
    shutil.rmtree(tmp_path / "out.jsonl.run")
    tenants["acme"].set_faults(queue=[])
    said = end(process)
    assert process.returncode == 3, said
    assert "was removed while the run went on; it is put back" in said
    resumed = start(*CREATE, *FILES, "--resume")
    said = end(resumed)
    assert resumed.returncode == 0, said
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 200)


@pytest.mark.parametrize(
    "change",
    [
        ("--allow-connections", "acme,globex,initech"),
        ("--connection", "{{ tenant | lower }}"),
        ("--allow-connections", "globex"),
    ],
)
def test_another_run_is_not_taken_for_the_interrupted_one(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path, change: tuple[str, ...]
) -> None:
    write_rows(tmp_path, 20)
    tenants["acme"].set_faults(queue=[None, REFUSED])
    assert ninjaone(*CREATE, *FILES, "--on-error", "stop").returncode == 3
    before = [len(asked(sandbox)) for sandbox in tenants.values()]
    done = ninjaone(*CREATE, *FILES, *change, "--resume")
    assert done.returncode == 2, done.stderr
    assert "the interrupted run was another one: its connection differed" in done.stderr
    assert [len(asked(sandbox)) for sandbox in tenants.values()] == before
    # In another order they are the same connections.
    same = ninjaone(*CREATE, *FILES, "--allow-connections", "globex,acme", "--resume")
    assert same.returncode == 1, same.stderr
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 20)


def test_a_restart_begins_again(ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path) -> None:
    write_rows(tmp_path, 20)
    tenants["acme"].set_faults(queue=[None, REFUSED])
    assert ninjaone(*CREATE, *FILES, "--on-error", "stop").returncode == 3
    for sandbox in tenants.values():
        sandbox.reset()
        sandbox.log.clear("requests")
    done = ninjaone(*CREATE, *FILES, "--restart")
    assert done.returncode == 0, done.stderr
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 20)


def test_a_rerun_sends_what_failed_to_its_own_tenants(
    ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path
) -> None:
    write_rows(tmp_path, 9, *NAMES)
    tenants["acme"].set_faults(queue=[None, REFUSED, "reset_after"])
    tenants["globex"].set_faults(queue=[REFUSED])
    assert ninjaone(*CREATE, *FILES).returncode == 1
    before = {name: len(asked(tenants[name])) for name in NAMES}
    done = ninjaone("rerun", "out.jsonl")
    assert done.returncode == 1, done.stderr
    assert asked(tenants["acme"])[before["acme"] :] == ["Client 4"]
    assert asked(tenants["globex"])[before["globex"] :] == ["Client 2"]
    found = envelopes(tmp_path / "out.rerun.jsonl")
    assert [(e["row"], e["meta"].get("connection")) for e in found] == [
        *((2, "globex"), (3, None), (4, "acme"), (6, None), (9, None))
    ]
    # What was refused goes out once its connection is allowed, which has to be said.
    done = ninjaone("rerun", "out.jsonl", "--allow-connections", "acme,globex,initech")
    assert done.returncode == 0, done.stderr
    assert asked(tenants["initech"]) == ["Client 3", "Client 6", "Client 9"]
    assert [len(asked(tenants[name])) for name in ("acme", "globex")] == [
        before["acme"] + 1,
        before["globex"] + 1,
    ]
    assert "nothing is left to rerun" in ninjaone("rerun", "out.jsonl").stderr
