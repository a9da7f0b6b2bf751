"""`ninjaone sync serve`, `run` and `webhook` as processes, over HTTP against both sandboxes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from benchmarks.sync_alerts import serving
from connector.sync.hook_key import HookKey
from tests.loopback import PATIENCE_S
from tests.sync.alert_pair import ALERTS
from tests.sync.pair import Pair

WITHIN_S = 60.0
"""Generous, as the machine may be busy; what is measured is in the benchmarks."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, devices=4, assets=4, tickets=0, traps={"rate_limit": "none"}) as made:
        made.ninja.state.alerts.clear()
        made.map(clients={"map": [{"organization": 1, "client": 11}]}, alerts=dict(ALERTS))
        yield made


def ninjaone(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "connector", "sync", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def until(is_true: Callable[[], Any]) -> None:
    end = time.monotonic() + WITHIN_S
    while not is_true():
        assert time.monotonic() < end, "not within a minute"
        time.sleep(0.05)


def tickets(pair: Pair) -> list[dict[str, Any]]:
    return list(pair.halo.state.tickets.values())


def test_serve_makes_and_closes_tickets_by_webhook_and_runs_by_the_schedule(pair: Pair) -> None:
    with serving(pair.folder, "--every", "1h") as (address, process):
        until(lambda: requests.get(f"{address}/health", timeout=PATIENCE_S).json().get("last_run"))
        done = ninjaone("webhook", "register", str(pair.folder), "--url", address, "--yes", "--delay-ms", "0")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "cannot be read" in done.stdout
        assert pair.ninja.state.webhook["url"] == f"{address}/hooks/ninjaone"
        uid = pair.ninja.alerts.trigger(1, subject="Disk full")["uid"]
        until(lambda: tickets(pair))
        assert tickets(pair)[0]["summary"] == "Disk full"
        pair.halo.agent.close(tickets(pair)[0]["id"])
        until(lambda: uid not in pair.ninja.state.alerts)
        health = requests.get(f"{address}/health", timeout=PATIENCE_S)
        assert (health.status_code, health.json()["status"], health.json()["errors"]) == (200, "ok", [])
        second = ninjaone("run", str(pair.folder))
        assert second.returncode == 2
        assert f"process {process.pid}" in second.stderr
        done = ninjaone("webhook", "remove", str(pair.folder), "--url", address, "--yes", "--delay-ms", "0")
        assert done.returncode == 0, done.stdout + done.stderr
        assert pair.ninja.state.webhook is None
        assert pair.halo.state.webhooks == {}
    assert process.returncode == 0
    assert len(tickets(pair)) == 1


def test_serve_goes_on_after_a_kill(pair: Pair) -> None:
    with serving(pair.folder) as (address, process):
        until(lambda: requests.get(f"{address}/health", timeout=PATIENCE_S).json().get("last_run"))
        ninjaone("webhook", "register", str(pair.folder), "--url", address, "--yes", "--delay-ms", "0")
        process.kill()
        process.wait()
    pair.ninja.alerts.trigger(1, subject="while it was down")
    pair.ninja.wait_for_deliveries()
    with serving(pair.folder):
        until(lambda: tickets(pair))
    assert [ticket["summary"] for ticket in tickets(pair)] == ["while it was down"]


def test_run_includes_alerts(pair: Pair) -> None:
    assert ninjaone("run", str(pair.folder), "--delay-ms", "0").returncode in (0, 1)
    uid = pair.ninja.alerts.trigger(1, subject="Disk full")["uid"]
    done = ninjaone("run", str(pair.folder), "--only", "alerts", "--delay-ms", "0", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["alerts"] == {"OPEN": 1}
    assert len(tickets(pair)) == 1
    pair.ninja.alerts.reset(uid)
    for _ in range(2):
        done = ninjaone("run", str(pair.folder), "--only", "alerts", "--delay-ms", "0")
    assert tickets(pair)[0]["hasbeenclosed"] is True
    assert "alerts   none open" in done.stdout


def test_run_releases_what_is_held_and_retries_what_was_refused(pair: Pair) -> None:
    mapping = {"clients": {"map": [{"organization": 1, "client": 11}]}, "alerts": dict(ALERTS)}
    pair.map(**mapping, limits={"tickets_per_hour": 1})
    assert ninjaone("run", str(pair.folder), "--only", "alerts", "--delay-ms", "0").returncode == 0
    for device in (1, 2):
        pair.ninja.alerts.trigger(device, subject=f"alert {device}")
    ninjaone("run", str(pair.folder), "--only", "alerts", "--delay-ms", "0")
    assert sorted(t["summary"] for t in tickets(pair))[0].startswith("1 alert is held")
    ninjaone("run", str(pair.folder), "--only", "alerts", "--release", "--delay-ms", "0")
    assert {"alert 1", "alert 2"} <= {ticket["summary"] for ticket in tickets(pair)}
    alerts = {**ALERTS, "ticket": {**ALERTS["ticket"], "type": 31}}
    pair.map(**{**mapping, "alerts": alerts})
    pair.ninja.alerts.trigger(3, subject="alert 3")
    done = ninjaone("run", str(pair.folder), "--only", "alerts", "--delay-ms", "0")
    assert (done.returncode, "1 error" in done.stdout) == (1, True)
    status = ninjaone("status", str(pair.folder)).stdout
    assert "alerts: 1 error, 2 open" in status
    assert " error: " in status
    assert "403" in status
    pair.map(**mapping)
    done = ninjaone("run", str(pair.folder), "--only", "alerts", "--retry", "--delay-ms", "0")
    assert done.returncode == 0, done.stdout
    assert "alert 3" in {ticket["summary"] for ticket in tickets(pair)}


def test_g23_register_says_what_is_refused_and_how_to_do_it_by_hand(tmp_path: Path) -> None:
    options = ("--url", "https://hooks.example.com", "--delay-ms", "0")
    with Pair(tmp_path, ninja={"user_context": ["configureWebhook"]}, tickets=0) as pair:
        pair.map(clients={"map": [{"organization": 1, "client": 11}]}, alerts=dict(ALERTS))
        unasked = ninjaone("webhook", "register", str(tmp_path), *options)
        assert (unasked.returncode, pair.halo.state.webhooks) == (2, {})
        assert "--yes" in unasked.stderr
        done = ninjaone("webhook", "register", str(tmp_path), "--yes", *options)
    assert done.returncode == 1
    token = HookKey.of(tmp_path).secrets_of("ninjaone").token
    assert f"https://hooks.example.com/hooks/ninjaone/{token}" in done.stdout
    assert "Notification Channels" in done.stdout
    assert "only by polling" in done.stdout
    assert "HaloPSA: delivers to https://hooks.example.com/hooks/halopsa" in done.stdout
    (webhook,) = pair.halo.state.webhooks.values()
    assert webhook["url"] == "https://hooks.example.com/hooks/halopsa"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("webhook", "register", ".", "--url", "http://hooks.example.com"), "starts with https://"),
        (("serve", "nowhere"), "is not a sync folder"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], message: str) -> None:
    done = ninjaone(*arguments)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr


def test_a_mapping_without_alerts_has_nothing_to_serve(pair: Pair) -> None:
    pair.map(clients={"take": "all"})
    done = ninjaone("serve", str(pair.folder), "--port", "0")
    assert done.returncode == 2
    assert "sync run --every" in done.stderr


def test_a_port_in_use_ends_it_before_anything_runs(pair: Pair) -> None:
    port = pair.ninja.base_url.rpartition(":")[2]
    done = ninjaone("serve", str(pair.folder), "--port", port)
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
