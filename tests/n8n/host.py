"""The real n8n, in a separate folder, and the workflows that it runs. `make n8n` installs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from integrations.n8n.generator.files import CREDENTIAL, FOLDER, PACKAGE
from tests.conftest import ROOT
from tests.fakes import wait_until
from tests.install import STAMP
from tests.loopback import free_port

BUILD = ROOT / "build"
NODE = BUILD / "node24" / "node_modules" / ".bin"
PROGRAM = BUILD / "n8n" / "node_modules" / ".bin" / "n8n"
TOOLS = BUILD / "n8n-cli" / "node_modules"
IS_INSTALLED = all((BUILD / name / STAMP).exists() for name in ("node24", "n8n-cli", "n8n"))
PATIENCE_S = 300.0
SOURCES = ("package.json", "tsconfig.json", "eslint.config.mjs", "credentials", "nodes", "icons")


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a program with the Node.js that n8n requires."""
    return {**os.environ, "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}", **more}


def run(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program with the Node.js that n8n requires."""
    return subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=environment(options.pop("env", {})),
        **options,
    )


def tool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run n8n's tool for the packages of nodes in a folder."""
    return run([TOOLS / ".bin" / "n8n-node", *arguments], cwd=folder)


def copy_sources(folder: Path) -> None:
    """Copy the sources of the package to a folder, with the tools that build it."""
    folder.mkdir()
    for name in SOURCES:
        source = FOLDER / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "node_modules").symlink_to(TOOLS)


class N8n:
    """An installation of n8n with the package and a credential."""

    def __init__(self, folder: Path, package: Path, port: int) -> None:
        self._folder = folder
        self._environment = {
            "N8N_USER_FOLDER": str(folder),
            "N8N_ENCRYPTION_KEY": "test",
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
            "N8N_RUNNERS_BROKER_PORT": str(port),
            "N8N_LOG_LEVEL": "info",
        }
        installed = folder / ".n8n" / "nodes" / "node_modules" / PACKAGE
        shutil.copytree(package / "dist", installed / "dist")
        shutil.copy(package / "package.json", installed)

    def connect(self, address: str, key: str) -> None:
        """Import the credential of the nodes."""
        data = {"baseUrl": f"{address}/", "apiKey": key}
        self._import("credentials", [{"id": "c1", "name": "Connector", "type": CREDENTIAL, "data": data}])

    def add(self, workflows: Sequence[Mapping[str, Any]]) -> None:
        """Import workflows."""
        self._import("workflow", workflows)

    def publish(self, workflow: str) -> None:
        """Publish a workflow, so that its webhook runs it."""
        done = run([PROGRAM, "publish:workflow", f"--id={workflow}"], env=self._environment)
        assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def started(self) -> Iterator[Server]:
        """Context with the server of n8n."""
        port = free_port()
        settings = {"N8N_PORT": str(port), "N8N_LISTEN_ADDRESS": "127.0.0.1", "N8N_SECURE_COOKIE": "false"}
        log = self._folder / "server.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [PROGRAM, "start"],
                env=environment({**self._environment, **settings}),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            server = Server(f"http://127.0.0.1:{port}")
            wait_until(lambda: server.is_ready() or process.poll() is not None, PATIENCE_S)
            assert process.poll() is None, log.read_text()
            server.sign_in()
            yield server
        finally:
            process.terminate()
            process.wait(PATIENCE_S)

    def _import(self, what: str, values: Sequence[Mapping[str, Any]]) -> None:
        path = self._folder / f"{what}.json"
        path.write_text(json.dumps(values))
        done = run([PROGRAM, f"import:{what}", f"--input={path}"], env=self._environment)
        path.unlink()
        assert done.returncode == 0, done.stdout + done.stderr

    def execute(self, workflow: str) -> dict[str, Any]:
        """Execute a workflow; return the execution as n8n prints it."""
        done = run([PROGRAM, "execute", f"--id={workflow}", "--rawOutput"], env=self._environment)
        text = done.stdout
        assert "\n{" in text, text + done.stderr
        execution: dict[str, Any] = json.JSONDecoder().raw_decode(text[text.index("\n{") + 1 :])[0]
        return execution


class Server:
    """The server of n8n, by HTTP."""

    def __init__(self, address: str) -> None:
        self._address, self._session = address, requests.Session()

    def is_ready(self) -> bool:
        """Return whether the server accepts requests."""
        try:
            return requests.get(f"{self._address}/healthz/readiness", timeout=PATIENCE_S).ok
        except requests.ConnectionError:
            return False

    def sign_in(self) -> None:
        """Create the owner of this installation, who is then signed in."""
        owner = {"email": "owner@example.com", "firstName": "O", "lastName": "W", "password": "Password1"}
        self._post("/rest/owner/setup", owner)

    def trigger(self, path: str) -> Any:
        """Call the webhook of a workflow, which the server may still be registering; return its response."""
        deadline = time.monotonic() + 60
        while True:
            response = requests.post(f"{self._address}/webhook/{path}", json={}, timeout=PATIENCE_S)
            if response.status_code != 404 or time.monotonic() > deadline:
                assert response.ok, response.text
                return response.json()
            time.sleep(0.1)

    def cancel(self, workflow: str) -> None:
        """Cancel the only execution of a workflow, as by the button Stop."""
        executions = self._session.get(f"{self._address}/rest/executions", timeout=PATIENCE_S).json()
        (id,) = [one["id"] for one in executions["data"]["results"] if one["workflowId"] == workflow]
        stopped = self._post(f"/rest/executions/{id}/stop", {})
        assert stopped["data"]["status"] == "canceled", stopped

    def _post(self, path: str, body: Any) -> Any:
        response = self._session.post(f"{self._address}{path}", json=body, timeout=PATIENCE_S)
        assert response.ok, response.text
        return response.json()


def node(name: str, service: str, parameters: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """Return a node of the package in a workflow."""
    return {
        "name": name,
        "type": f"{PACKAGE}.{service}",
        "typeVersion": 1,
        "parameters": parameters,
        "credentials": {CREDENTIAL: {"id": "c1", "name": "Connector"}},
        **settings,
    }


MANUAL = {"name": "Start", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "parameters": {}}


def webhook(path: str, *, responds: str) -> dict[str, Any]:
    """Return a trigger that is called by HTTP, and responds `onReceived` or after the `lastNode`."""
    parameters = {"httpMethod": "POST", "path": path, "responseMode": responds, "options": {}}
    kind = {"name": "Start", "type": "n8n-nodes-base.webhook", "typeVersion": 2}
    return {**kind, "webhookId": path, "parameters": parameters}


def workflow(
    id: str,
    nodes: Sequence[dict[str, Any]],
    *,
    chained: bool = False,
    trigger: Mapping[str, Any] = MANUAL,
) -> dict[str, Any]:
    """Return a workflow: a trigger, and nodes that all follow it, or with `chained` one another."""
    placed = [
        {"id": f"{id}-{n}", "position": [200 * n if chained else 200, 100 * n], **one}
        for n, one in enumerate([trigger, *nodes])
    ]
    names = [one["name"] for one in nodes]
    ways = zip(["Start", *names[:-1]], names, strict=True) if chained else (("Start", name) for name in names)
    connections: dict[str, Any] = {}
    for start, end in ways:
        (outputs,) = connections.setdefault(start, {"main": [[]]})["main"]
        outputs.append({"node": end, "type": "main", "index": 0})
    settings = {"executionOrder": "v1", "timezone": "Europe/Berlin"}
    return {
        "id": id,
        "name": id,
        "active": False,
        "settings": settings,
        "nodes": placed,
        "connections": connections,
    }


def items(execution: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the items that the last run of a node has returned."""
    (found,) = execution["data"]["resultData"]["runData"][name][-1]["data"]["main"]
    return list(found)
