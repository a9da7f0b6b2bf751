"""Prepare the two sandboxes and the sync folder of `ninjaone sync demo`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connector.errors import RunError, file_errors
from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.invented import company, serial_number
from connector.sandbox.ninjaone.server import Sandbox

MARK = "# Written by `ninjaone sync demo`, which overwrites this folder."
MAPPING = (
    MARK
    + """
version: 1
source: ninjaone.yaml
target: halopsa.yaml
clients:
  take: all
  create: true
  top_level: 1
  map:
    - {organization: 1, client: 11}       # the client was renamed by hand
devices:
  type: "{{ device.nodeClass }}"
  types: {WINDOWS_SERVER: Server, WINDOWS_WORKSTATION: Workstation, MAC: Mac, LINUX_SERVER: Linux}
  create_types: true
  type_group: 3
  match: {field: 117}                     # 117: serial number
  fields:
    117: "{{ device.system.serialNumber }}"
    44: "{{ (device.memory.capacity / 2**30) | round | int }} GB"
    51: "{{ device.system.model }}"
    53: "{{ custom.purchased }}"
    CFAssetTag: {value: "{{ custom.assetTag }}", when: empty}
  user: {value: "{{ last_user }}", match: [login, emailaddress]}
alerts:
  by: [poll]
  ticket:
    type: 25
    summary: "{{ alert.subject or alert.message }}"
    details: "{{ alert.message }}"
    priority: 3
    source: 12
  rules:
    - {if: "{{ alert.severity == 'MINOR' }}", ticket: none}
  default_user: 3002
  stamp: CFNinjaAlert
"""
)
TRAPS = {"answer": "list", "asset_fields": "flag_and_type"}
"""The settings of the HaloPSA sandbox that differ from its defaults."""
FILES = ("pins.yaml", "state.db", "state.db-wal", "state.db-shm", "demo.html")
"""The files of an earlier demo, which are deleted."""
CLIENTS = 4
TWIN_OF, NEW_ORGANIZATION = 3, 5
TAG = "hand-made"


@dataclass(frozen=True)
class Scene:
    """The two sandboxes and the sync folder.

    `twins` is the id of a device whose serial number two assets have. `tagged` is the id of a device whose
    asset has a field value that was entered by hand.
    """

    ninjaone: Sandbox
    halopsa: HaloSandbox
    folder: Path
    twins: int
    tagged: int

    def assets_of(self, device: int) -> list[int]:
        """Return the ids of the assets in which a device's id is stored."""
        assets = self.halopsa.state.assets
        return [number for number in assets.ids() if assets.values(number)["ninjarmm_id"] == device]


@contextmanager
def open_scene(folder: Path, devices: int) -> Iterator[Scene]:
    """Start both sandboxes and write the sync folder; stop the sandboxes at the end. Raises RunError."""
    with (
        Sandbox(devices=devices) as ninjaone,
        HaloSandbox(assets=devices * 3 // 4, clients=CLIENTS, tickets=0, traps=TRAPS) as halopsa,
    ):
        with file_errors(folder):
            _write_folder(folder, ninjaone, halopsa)
        _prepare_organizations(ninjaone, halopsa, devices)
        twins, tagged = _prepare_devices(ninjaone, halopsa, devices)
        ninjaone.state.alerts.clear()
        yield Scene(ninjaone, halopsa, folder, twins, tagged)


def _write_folder(folder: Path, ninjaone: Sandbox, halopsa: HaloSandbox) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    mapping = folder / "mapping.yaml"
    if any(folder.iterdir()) and not (mapping.is_file() and mapping.read_text("utf-8").startswith(MARK)):
        raise RunError(f"{folder} contains other files; use --output for another folder")
    for path in (*(folder / name for name in FILES), *(folder / "plans").glob("*.json")):
        path.unlink(missing_ok=True)
    mapping.write_text(MAPPING, encoding="utf-8")
    for name, settings in (("ninjaone", ninjaone.connection), ("halopsa", halopsa.connection)):
        path = folder / f"{name}.yaml"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"service": name, **settings}, indent=2) + "\n", encoding="utf-8")


def _prepare_organizations(ninjaone: Sandbox, halopsa: HaloSandbox, devices: int) -> None:
    """Rename a client, add a second client with the same name, and add an organization without a client."""
    halo, ninja = halopsa.state, ninjaone.state
    halopsa.agent.client(11, name=f"{halo.clients[11]['name']} (formerly Hill Dental)")
    client, site = max(halo.clients) + 1, max(halo.sites) + 1
    twin = next(c for c in halo.clients.values() if c["name"] == company(1, TWIN_OF))
    halo.clients[client] = {**twin, "id": client, "main_site_id": site}
    halo.sites[site] = {**halo.sites[twin["main_site_id"]], "id": site, "client_id": client}
    location = max(ninja.locations) + 1
    ninja.organizations[NEW_ORGANIZATION] = {
        **ninja.organizations[1],
        "id": NEW_ORGANIZATION,
        "name": company(1, NEW_ORGANIZATION),
    }
    ninja.locations[location] = {
        **ninja.locations[min(ninja.locations)],
        "id": location,
        "name": "Main Office",
        "organizationId": NEW_ORGANIZATION,
    }
    approved = [d for d in range(1, devices + 1) if ninja.fleet.facts(d).status == "APPROVED"]
    for device in approved[-devices // 12 :]:
        ninja.fleet.change(device).fields |= {"organizationId": NEW_ORGANIZATION, "locationId": location}


def _prepare_devices(ninjaone: Sandbox, halopsa: HaloSandbox, devices: int) -> tuple[int, int]:
    """Change assets and fields so that matching is ambiguous; return the ids `twins` and `tagged`."""
    ninja, assets = ninjaone.state, halopsa.state.assets
    of: dict[int, list[int]] = {}
    for device in range(1, assets.count + 1):
        of.setdefault(ninja.fleet.facts(device).organization_id, []).append(device)
    twins, other = of[2][0], of[2][-1]
    halopsa.agent.asset(other + 5000, fields={117: serial_number(twins)})
    replaced, spaced, tagged, *_ = of[1]
    halopsa.agent.asset(replaced + 5000, fields={117: "OLD-MAINBOARD"}, ninjarmm_id=replaced)
    halopsa.agent.asset(spaced + 5000, fields={117: f" {serial_number(spaced).lower()} "})
    for device in (*of[1], *of[4]):
        ninja.custom_fields[("device", device)] = {"assetTag": f"T-{device:04d}"}
    assets.change(tagged + 5000).custom["CFAssetTag"] = TAG
    ninja.fleet.change(of[4][0]).fields["displayName"] = "Büro <Süd> & Lager"
    workstation = next(d for d in of[4] if ninja.fleet.facts(d).node_class == "WINDOWS_WORKSTATION")
    ninja.custom_fields[("device", workstation)]["purchased"] = "last spring"
    return twins, tagged
