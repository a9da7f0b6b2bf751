"""The steps of `ninjaone sync demo`: plan, apply, kill and restart a sync between two sandboxes."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from connector.cli.main import OK, OUR_FAULT, main
from connector.cli.sync_demo_scene import TAG, Scene, open_scene
from connector.errors import RunError, file_errors
from connector.sandbox.request_log import LoggedRequest
from connector.web.syncs.demo_page import Fact, write_demo_page

PAGE = "demo.html"
KILLED_AT = 2
"""The number of the creation of an asset, and of a ticket, during which the process is killed."""
_PATIENCE_S = 60.0


def run_demo(folder: Path, devices: int) -> int:
    """Show a sync of so many devices in a folder, and return the exit code. Raises RunError."""
    with open_scene(folder, devices) as scene:
        demo = _Demo(scene)
        demo.run()
        page = scene.folder / PAGE
        with file_errors(page):
            write_demo_page(page, scene.folder, demo.plan, demo.facts)
    print(f"\nThe plan and the history of each alert are in {page}: open it in a browser.")
    if not all(fact.holds for fact in demo.facts):
        print("The demo did not give the expected results.")
        return OUR_FAULT
    return OK


class _Demo:
    """Runs the steps of the demo and collects its results in `facts`."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.facts: list[Fact] = []
        self.plan = scene.folder / "plans"

    def run(self) -> None:
        """Run all steps of the demo."""
        self._begin()
        self._plan()
        self._kill_and_restart()
        self._again()
        self._alerts()
        self._both_ways()
        self._check()

    def _begin(self) -> None:
        ninja, halo = self._scene.ninjaone, self._scene.halopsa
        print(
            "Both services are simulated on this computer; nothing is sent anywhere else:\n"
            f"  NinjaOne  {ninja.base_url}  {ninja.state.fleet.count} devices, some not approved yet\n"
            f"  HaloPSA   {halo.base_url}  {halo.state.assets.count} assets\n"
            "Some records are easily confused: a client was renamed, two clients have the same name, an\n"
            "organization has no client, two assets have the same serial number, one has the number of a\n"
            "replaced mainboard, a value was entered by hand, and a purchase date is not a date.\n"
            "The commands below also work with the real services. They send requests without an interval\n"
            "(--delay-ms 0), because the sandboxes have no request limits."
        )

    def _plan(self) -> None:
        _title("Make a plan: it lists the changes with their reasons, and writes nothing.")
        self._command("plan")
        (self.plan,) = (self._scene.folder / "plans").glob("*.json")
        self._fact("writes while planning", self._writes(0), 0)
        _title("Resolve two conflicts: choose the matching record. A sync never guesses.")
        self._command("pin", "organization", "3", "13")
        self._command("pin", "device", str(self._scene.twins), str(5000 + self._scene.twins))

    def _kill_and_restart(self) -> None:
        _title("Apply, and kill the process with SIGKILL while it creates the second asset.")
        self._killed("/Asset", KILLED_AT, "asset", "run")
        _title("Run again: look up creations with an unknown outcome, and write the remaining changes.")
        self._command("run")

    def _again(self) -> None:
        _title("Run a third time: all records are up to date, so nothing is written.")
        since = self._last()
        self._command("run")
        self._fact("writes of the third run", self._writes(since), 0)

    def _alerts(self) -> None:
        _title("Four devices raise an alert in NinjaOne. The mapping excludes alerts of severity MINOR.")
        raised = (
            (1, "Disk C: has less than 10 % free", "MAJOR"),
            (2, "The backup failed", "CRITICAL"),
            (3, "The antivirus is switched off", "MAJOR"),
            (4, "The device has restarted", "MINOR"),
        )
        self._uids = [
            self._scene.ninjaone.alerts.trigger(device, subject=text, message=text, severity=severity)["uid"]
            for device, text, severity in raised
        ]
        print("Create their tickets, and kill the process while it creates the second one:")
        self._killed("/Tickets", KILLED_AT, "ticket", "run", "--only", "alerts")
        print("Run again: look up that ticket, and create the missing one:")
        self._command("run", "--only", "alerts")
        self._show_tickets()

    def _both_ways(self) -> None:
        _title("One alert ends in NinjaOne, and a technician closes the ticket of another alert.")
        self._scene.ninjaone.alerts.reset(self._uids[0])
        self._scene.halopsa.agent.close(self._ticket_of("The backup failed")["id"])
        print("An alert counts as ended when it is missing from two consecutive lists:")
        self._command("run", "--only", "alerts")
        self._command("run", "--only", "alerts")
        self._show_tickets()

    def _show_tickets(self) -> None:
        active = {alert["subject"] for alert in self._scene.ninjaone.state.alerts.values()}
        for ticket in self._tickets():
            alert = "active" if ticket["summary"] in active else "reset"
            state = "closed" if ticket["hasbeenclosed"] else "open"
            print(f"  ticket {ticket['id']} {state:6}  alert {alert:6}  {ticket['summary']}")

    def _check(self) -> None:
        _title("The contents of both sandboxes now")
        scene = self._scene
        listed = [d for d in range(1, scene.ninjaone.state.fleet.count + 1) if self._is_listed(d)]
        single = sum(len(scene.assets_of(device)) == 1 for device in listed)
        self._fact("devices in the list", len(listed), len(listed))
        self._fact("devices with exactly one asset", single, len(listed))
        self._fact("tickets of three alerts", len(self._tickets()), 3)
        self._fact("tickets still open", sum(not t["hasbeenclosed"] for t in self._tickets()), 1)
        self._fact("alerts still active", len(scene.ninjaone.state.alerts), 2)
        kept = scene.halopsa.state.assets.change(5000 + scene.tagged).custom.get("CFAssetTag")
        self._fact("value that was entered by hand", kept, TAG)
        for fact in self.facts:
            print(f"  {fact.name:34} {fact.value}{'' if fact.holds else f' (expected: {fact.expected})'}")

    def _is_listed(self, device: int) -> bool:
        return self._scene.ninjaone.state.fleet.facts(device).status == "APPROVED"

    def _tickets(self) -> list[dict[str, Any]]:
        return list(self._scene.halopsa.state.tickets.values())

    def _ticket_of(self, summary: str) -> dict[str, Any]:
        return next(ticket for ticket in self._tickets() if ticket["summary"] == summary)

    def _fact(self, name: str, value: Any, expected: Any) -> None:
        self.facts.append(Fact(name, value, expected))

    def _command(self, name: str, *arguments: str) -> None:
        """Print a command line and run the command in this process."""
        line = self._line(name, *arguments)
        _show(line)
        main(line)

    def _line(self, name: str, *arguments: str) -> list[str]:
        delay = [] if name == "pin" else ["--delay-ms", "0"]
        return ["sync", name, str(self._scene.folder), *arguments, *delay]

    def _killed(self, path: str, number: int, noun: str, name: str, *arguments: str) -> None:
        """Run a command as a process; kill it while it waits for the response to the nth creation."""
        halo, kill = self._scene.halopsa, _KillPoint(path, number)
        halo.before_response(kill.hold)
        line = self._line(name, *arguments)
        _show(line)
        command = [sys.executable, "-m", "connector", *line]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603  our own command
            try:
                while process.poll() is None and not kill.reached.wait(0.02):
                    pass
            finally:
                process.kill()
                process.wait(_PATIENCE_S)
                kill.over.set()
                halo.before_response(lambda entry: None)
        if not kill.reached.is_set():
            raise RunError("the process ended before it was killed; this is a bug in the demo")
        made = max(halo.state.assets.ids() if noun == "asset" else halo.state.tickets)
        print(f"killed: HaloPSA has created {noun} {made}, and the process did not get the response")

    def _last(self) -> int:
        return len(self._scene.halopsa.log.requests(0))

    def _writes(self, since: int) -> int:
        """Return the number of writes among the requests after the first `since`."""
        requests = self._scene.halopsa.log.requests(0)[since:]
        return sum(request["method"] != "GET" for request in requests)


class _KillPoint:
    """Delays the sandbox's response to the nth creation at a path until `over` is set."""

    def __init__(self, path: str, number: int) -> None:
        self._path, self._left = path, number
        self.reached, self.over = threading.Event(), threading.Event()

    def hold(self, entry: LoggedRequest) -> None:
        """Delay the response if the request is the nth creation."""
        if entry.method != "POST" or not entry.path.endswith(self._path) or entry.status not in (200, 201):
            return
        self._left -= any("id" not in record for record in json.loads(entry.body))
        if self._left == 0 and not self.reached.is_set():
            self.reached.set()
            self.over.wait(_PATIENCE_S)


def _title(text: str) -> None:
    print(f"\n--- {text}")


def _show(line: list[str]) -> None:
    print(f"  $ {shlex.join(['ninjaone', *line])}", flush=True)
