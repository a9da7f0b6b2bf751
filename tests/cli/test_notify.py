"""Notifications at the end of a run, received by a real server and a real command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.json_schema import validator
from connector.cli import webhook
from connector.common.package_data import schema
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import wait_until, write_lines
from tests.interruption import hold_from, interrupt, wait_for_requests
from tests.loopback import Server, Talk, answering, read_only

pytestmark = pytest.mark.in_process

RUN = (
    "run", "get_organization", "-c", "connection.yaml", "-i", "rows.jsonl", "-o", "out.jsonl", "--delay-ms", 0
)  # fmt: skip
SECRET = "/services/T0/B0/x7secretx7"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server((answering,)) as running:
        yield running


def write_rows(folder: Path, *organizations: int) -> None:
    write_lines(folder / "rows.jsonl", [{"organization_id": number} for number in organizations])


def posted(server: Server) -> list[tuple[str, Any]]:
    """Return the target and the body of each request."""
    return [(one.target, _document(one.body.decode())) for one in server.received]


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def test_a_run_with_failed_rows_is_reported_with_its_summary(
    ninjaone: Ninjaone, connection_file: Path, server: Server, tmp_path: Path
) -> None:
    write_rows(tmp_path, 1, 999)
    done = ninjaone(*RUN, "--notify-url", server.base_url + SECRET, "--summary", "sum.json")
    assert done.returncode == 1, done.stderr
    ((target, body),) = posted(server)
    assert target == SECRET
    assert server.received[0].headers["content-type"] == "application/json"
    assert body["job"] == "get_organization"
    assert body["summary"] == json.loads((tmp_path / "sum.json").read_text())
    validator(schema("summary.schema.json")).validate(body["summary"])
    first, second, third = body["text"].splitlines()
    assert first == f"get_organization on {body['host']}: finished, 1 of 2 rows failed (exit code 1)"
    assert second == "get_organization: 2 rows, 1 succeeded, 1 failed"
    assert third.startswith("  1 not_found, for example row 2: GET /v2/organization/999: ")
    assert "x7secretx7" not in done.stdout + done.stderr


def test_a_run_without_failures_is_reported_on_request(
    ninjaone: Ninjaone, connection_file: Path, server: Server, tmp_path: Path
) -> None:
    write_rows(tmp_path, 1)
    assert ninjaone(*RUN, "--notify-url", server.base_url).returncode == 0
    assert posted(server) == []
    done = ninjaone(*RUN, "--restart", "--yes", "--notify-url", server.base_url, "--notify-on", "always")
    assert done.returncode == 0, done.stderr
    ((_, body),) = posted(server)
    assert (body["summary"]["exit_code"], body["summary"]["runs"][0]["succeeded"]) == (0, 1)


def test_the_forms_of_chats(
    ninjaone: Ninjaone, connection_file: Path, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "own.txt").write_text("{{ job }}: {{ failed }}/{{ rows }} {{ summary.runs[0].action }} <&>")
    write_rows(tmp_path, 999)
    for form in ("slack", "teams", "text", "own.txt"):
        given = ("--notify-url", server.base_url, "--notify-template", form, "--restart", "--yes")
        assert ninjaone(*RUN, *given).returncode == 1
    slack, teams, text, own = (body for _, body in posted(server))
    assert list(slack) == ["text"]
    assert "1 of 1 row failed" in slack["text"]
    (card,) = teams["attachments"]
    assert card["content"]["body"][0]["text"].startswith("get_organization on ")
    assert "(exit code 1)\n\nget_organization: 1 row" in card["content"]["body"][0]["text"]
    assert text.splitlines()[1] == "get_organization: 1 row, 0 succeeded, 1 failed"
    assert own == "get_organization: 1/1 get_organization <&>"
    assert server.received[-1].headers["content-type"] == "text/plain; charset=utf-8"


def test_a_chat_reads_no_markup_in_messages(ninjaone: Ninjaone, server: Server) -> None:
    given = ("--notify-url", server.base_url, "--notify-template", "slack")
    assert ninjaone("run", "a<b>&c", *given).returncode == 2
    ((_, body),) = posted(server)
    assert 'no action "a&lt;b&gt;&amp;c"' in body["text"]


def test_a_command_reads_the_notification(ninjaone: Ninjaone, connection_file: Path, tmp_path: Path) -> None:
    write_rows(tmp_path, 999)
    command = 'cat > "told $NINJAONE_RUN_EXIT_CODE $NINJAONE_RUN_STATE"; echo plain output'
    done = ninjaone(*RUN, "-o", "-", "--notify-command", command)
    assert done.returncode == 1
    assert "(exit code 1)\nget_organization: 1 row" in (tmp_path / "told 1 finished").read_text()
    assert "plain output" not in done.stdout


def test_the_job_file_says_whom_to_notify(
    ninjaone: Ninjaone, connection_file: Path, server: Server, tmp_path: Path
) -> None:
    write_rows(tmp_path, 1)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/url.txt").write_text(f"{server.base_url}{SECRET}\n")
    (tmp_path / "jobs/own.txt").write_text("{{ exit_code }}")
    (tmp_path / "jobs/night.yaml").write_text(
        "action: get_organization\nconnection: ../connection.yaml\ninput: ../rows.jsonl\n"
        "output: out.jsonl\ndelay_ms: 0\ntemplates: {organization_id: '{{ organization_id }}'}\n"
        "notify: {url: url.txt, template: own.txt, when: always, ping_url: '${MONITOR}/ping?a=b'}\n"
    )
    done = ninjaone("run", "jobs/night.yaml", MONITOR=server.base_url)
    assert done.returncode == 0, done.stderr
    assert [target for target, _ in posted(server)] == ["/ping/start?a=b", "/ping?a=b", SECRET]
    assert server.received[-1].body == b"0"
    with (tmp_path / "jobs/night.yaml").open("a") as file:
        file.write("surprise: 1\n")
    assert ninjaone("run", "jobs/night.yaml", MONITOR=server.base_url).returncode == 2
    assert [target for target, _ in posted(server)][3:] == ["/ping/start?a=b", "/ping/fail?a=b", SECRET]
    assert 'unknown key "surprise"' in str(posted(server)[-2][1])
    records = "".join(path.read_text() for path in tmp_path.parent.rglob("*.json") if path.is_file())
    assert "x7secretx7" not in records


def test_a_rerun_notifies_as_well(
    ninjaone: Ninjaone, connection_file: Path, server: Server, tmp_path: Path
) -> None:
    write_rows(tmp_path, 1, 999)
    assert ninjaone(*RUN).returncode == 1
    assert ninjaone("rerun", "out.jsonl", "--notify-url", server.base_url).returncode == 1
    ((_, body),) = posted(server)
    assert (body["job"], body["summary"]["runs"][0]["rows"]) == ("rerun out.jsonl", 1)


def test_a_rerun_of_a_job_notifies_as_the_job_file_says(
    ninjaone: Ninjaone, connection_file: Path, server: Server, tmp_path: Path
) -> None:
    write_rows(tmp_path, 1, 999)
    step = "{name: found, action: get_organization, templates: {organization_id: '{{ organization_id }}'}}"
    (tmp_path / "job.yaml").write_text(
        f"connection: connection.yaml\ninput: rows.jsonl\noutput: out\ndelay_ms: 0\nsteps: [{step}]\n"
        f"notify: {{url: '{server.base_url}'}}\n"
    )
    assert ninjaone("run", "job.yaml").returncode == 1
    assert ninjaone("rerun", "job.yaml").returncode == 1
    assert [body["job"] for _, body in posted(server)] == ["job.yaml", "rerun job.yaml"]
    assert posted(server)[0][1]["text"].splitlines()[1] == (
        "found (get_organization): 2 rows, 1 succeeded, 1 failed"
    )


def test_an_interrupted_run_is_reported(
    sandbox: Sandbox, connection_file: Path, server: Server, tmp_path: Path
) -> None:
    write_rows(tmp_path, *range(1, 20))
    command = [sys.executable, "-m", "connector", *map(str, RUN), "--ping-url", server.base_url]
    command += ["--notify-url", server.base_url + "/hook"]
    hold_from(sandbox, 3)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    wait_for_requests(process, 3, sandbox)
    message = interrupt(process, sandbox, number=signal.SIGTERM)
    assert process.returncode == 130, message
    assert [target for target, _ in posted(server)] == ["/start", "/fail", "/hook"]
    assert posted(server)[-1][1]["summary"]["state"] == "interrupted"


def test_a_stopped_run_and_a_bug_are_reported(
    in_process: Ninjaone,
    connection_file: Path,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_rows(tmp_path, 999, 1)
    given = ("--notify-url", server.base_url)
    assert in_process(*RUN, "--on-error", "stop", *given).returncode == 3

    def defect(*_: object, **__: object) -> None:
        raise ValueError("unexpected")

    monkeypatch.setattr("connector.cli.run.run_steps", defect)
    assert in_process(*RUN, "--restart", *given).returncode == 4
    stopped, fault = (body["summary"] for _, body in posted(server))
    assert (stopped["state"], stopped["exit_code"]) == ("stopped", 3)
    assert (fault["state"], fault["exit_code"], fault["message"]) == ("fault", 4, "unexpected")


def test_secrets_are_in_no_notification(
    ninjaone: Ninjaone, connection_file: Path, server: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_rows(tmp_path, 1)
    (tmp_path / "own.txt").write_text(f"{sandbox.client_secret} {{{{ text }}}}")
    write_lines(tmp_path / "rows.jsonl", [{"organization_id": f"x{sandbox.client_secret}"}])
    for form in ("own.txt", "json"):
        ninjaone(*RUN, "--restart", "--notify-url", server.base_url + SECRET, "--notify-template", form)
    first, second = (one.body.decode() for one in server.received)
    assert first.startswith("••• get_organization on ")
    assert sandbox.client_secret not in first + second
    assert json.loads(second)["summary"]["runs"][0]["failed"] == 1


# Notifications that fail


def refuse(talk: Talk) -> None:
    while talk.read():
        talk.answer(b"no_team " + SECRET.encode(), "404 Not Found")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refuse, "the server responded with 404: no_team •••"),
        (Talk.reset, ""),
        (read_only, "no complete response"),
    ],
)
def test_a_notification_that_fails_is_reported_and_changes_nothing(
    in_process: Ninjaone,
    connection_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
    reason: str,
) -> None:
    if answer is read_only:
        monkeypatch.setattr(webhook, "TIMEOUT_S", 0.1)
    write_rows(tmp_path, 1)
    with Server((answer,)) as server:
        url = server.base_url + SECRET
        done = in_process(*RUN, "--notify-url", url, "--notify-on", "always", "--ping-url", url)
    assert done.returncode == 0
    lines = [line for line in done.stderr.splitlines() if "notification" in line]
    assert [line.partition(" failed: ")[0] for line in lines] == [
        "ninjaone: the notification (--ping-url, 127.0.0.1)",
        "ninjaone: the notification (--ping-url, 127.0.0.1)",
        "ninjaone: the notification (--notify-url, 127.0.0.1)",
    ]
    assert reason in lines[-1]
    assert "x7secretx7" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("echo no mail here >&2; exit 3", "the command ended with exit code 3: no mail here"),
        ("sleep 60", "the command did not end within 0 s"),
        ("exec 0<&-; exit 0", None),
        ("none-such-program-x", "exit code 127"),
    ],
)
def test_a_command_that_fails_changes_nothing(
    in_process: Ninjaone,
    connection_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    reason: str | None,
) -> None:
    if command == "sleep 60":
        monkeypatch.setattr("connector.cli.notifier.TIMEOUT_S", 0.1)
    write_rows(tmp_path, 1)
    done = in_process(*RUN, "--notify-command", command, "--notify-on", "always")
    assert done.returncode == 0
    assert (reason is None) == ("the notification (--notify-command) failed" not in done.stderr)
    assert (reason or "") in done.stderr


@pytest.mark.slow
def test_a_command_that_takes_too_long_is_ended_with_its_children(
    in_process: Ninjaone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.cli.notifier.TIMEOUT_S", 3.0)
    assert in_process("run", "none", "--notify-command", "sleep 60 & echo $! > child; wait").returncode == 2
    stat = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")
    wait_until(lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--notify-url", "http://example.com/x7secretx7"], "--notify-url: the URL must use https://"),
        (["--ping-url", "ftp://example.com/x7secretx7"], "--ping-url: not a valid URL"),
        (["--notify-url", "https://a:x7secretx7@example.com/"], "--notify-url: not a valid URL"),
        (["--notify-url", "https://exa mple.com/"], "--notify-url: not a valid URL"),
        (["--notify-url", "${NO_SUCH_VARIABLE}"], "the environment variable NO_SUCH_VARIABLE is not set"),
        (["--notify-url", "none.txt"], "--notify-url: none.txt: cannot be read: No such file or directory"),
        (["--notify-url", "rows.jsonl"], "--notify-url: rows.jsonl: expected one line with a URL"),
        (["--notify-command", "true", "--notify-template", "mail"], "mail: cannot be read"),
        (["--notify-command", "true", "--notify-template", "bad.txt"], "bad.txt: "),
    ],
)
def test_a_setting_that_is_not_valid_is_found_before_anything_is_sent(
    ninjaone: Ninjaone,
    connection_file: Path,
    sandbox: Sandbox,
    tmp_path: Path,
    given: list[str],
    message: str,
) -> None:
    write_rows(tmp_path, 1, 2)
    (tmp_path / "bad.txt").write_text("{{ text | no_such_filter }}")
    done = ninjaone(*RUN, *given)
    assert done.returncode == 2
    assert message in done.stderr
    assert "x7secretx7" not in done.stderr
    assert sandbox.log.requests() == []
