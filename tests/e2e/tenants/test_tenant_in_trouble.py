"""A tenant that hangs, throttles or cannot sign in holds up nobody; errors count over the whole run."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.test_run import envelopes
from tests.e2e.tenants.instances import (
    ALLOWED,
    CREATE,
    FILES,
    NAMES,
    REFUSED,
    Start,
    Tenants,
    asked,
    assert_each_row_once,
    end,
    is_untouched,
    save,
    write_rows,
)
from tests.fakes import wait_until
from tests.loopback import PATIENCE_S, Server, closed_port

WAITS = {"fault": "429", "headers": {"Retry-After": "250"}}


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
        else {"base_url": f"http://127.0.0.1:{closed_port()}"}
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
    assert "no tenant could sign in: acme: signing in at" in done.stderr
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
    assert 'step "b": no tenant could sign in: globex' in done.stderr
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
    wait_until(lambda: len(asked(tenants["globex"])) == 200)
    assert len(asked(tenants["acme"])) <= concurrency
    assert process.poll() is None
    assert not (tmp_path / "out.jsonl").exists()
    if trouble == "hold":
        tenants["acme"].set_faults(queue=[])
        message = end(process)
        assert process.returncode == 0, message
    else:
        process.send_signal(signal.SIGINT)
        message = end(process)
        assert process.returncode == 130, message
        tenants["acme"].set_faults(queue=[])
        tenants["acme"].log.clear("requests")
        resumed = start(*CREATE, *FILES, "--resume")
        message = end(resumed)
        assert resumed.returncode == 0, message
        assert "400 rows (200 of them before it was interrupted), 400 succeeded" in message
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 400)


def test_a_tenant_that_hangs_while_it_signs_in_holds_up_nobody(start: Start, tmp_path: Path) -> None:
    write_rows(tmp_path, 40)
    with Sandbox() as globex, Server((lambda talk: talk.server.done.wait(10 * PATIENCE_S) and None,)) as acme:
        save("acme", {**globex.connection, "base_url": acme.base_url})
        save("globex", globex.connection)
        process = start(*CREATE, *FILES)
        wait_until(lambda: len(asked(globex)) == 20)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        message = end(process)  # it does not wait for the sign-in, which takes longer
        assert process.returncode == 130, message
        assert "20 rows, 20 succeeded" in message
        globex.set_faults(queue=[REFUSED])
        process = start(*CREATE, "-i", "rows.jsonl", "-o", "other.jsonl", "--on-error", "stop")
        message = end(process)
        assert process.returncode == 3, message


def test_a_tenant_that_answers_503_holds_up_nobody(start: Start, tenants: Tenants, tmp_path: Path) -> None:
    write_rows(tmp_path, 60)
    tenants["acme"].set_faults(rates={"503": 1})
    process = start("run", "get_organization", "-t", "organization_id=1", *ALLOWED, *FILES)
    wait_until(lambda: len(tenants["globex"].log.requests()) == 30)
    last = max(r["time"] for r in tenants["globex"].log.requests())
    assert process.poll() is None
    tenants["acme"].set_faults(rates={})
    message = end(process)
    assert process.returncode in (0, 1), message
    assert len([r for r in tenants["acme"].log.requests() if r["time"] > last]) > 20
    found = envelopes(tmp_path / "out.jsonl")
    assert [e["row"] for e in found] == list(range(1, 61))
    assert {e["meta"]["code"] for e in found if e["meta"]["connection"] == "globex"} == {None}


def test_every_tenant_keeps_a_pace_of_its_own(ninjaone: Ninjaone, tenants: Tenants, tmp_path: Path) -> None:
    write_rows(tmp_path, 16)
    done = ninjaone(*CREATE, *FILES, "--delay-ms", 120, "--concurrency", 4)
    assert done.returncode == 0, done.stderr
    times = {name: [r["time"] for r in tenants[name].log.requests()] for name in ("acme", "globex")}
    for name, its in times.items():
        assert len(its) == 8
        # On a busy machine a request can arrive late, but none starts before the sign-in.
        (signed_in,) = (sign_in["time"] for sign_in in tenants[name].log.signins())
        assert its[-1] - signed_in > 6 * 0.12
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
    assert "failed, more than the run allows" in done.stderr
    sent = [len(asked(tenants[name])) for name in ("acme", "globex")]
    # The tenth failure is the last thing that is begun; what was under way is finished.
    failed = sum(r["status"] == 409 for n in ("acme", "globex") for r in tenants[n].log.requests())
    assert 10 <= failed <= 9 + 2 * concurrency
    assert sum(sent) < 200
    assert ninjaone(*CREATE, *FILES, "--resume").returncode == 1
    assert_each_row_once(tenants, tmp_path / "out.jsonl", 200)
