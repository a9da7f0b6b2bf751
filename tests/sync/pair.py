"""Both sandboxes with a sync's folder, for tests over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from connector.catalog.catalog import Catalog
from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.ninjaone.server import Sandbox
from connector.sync.mapping_file import load_mapping
from connector.sync.sides import ActionSource, ActionTarget, open_sides

CATALOG = Catalog()


class Pair:
    """A NinjaOne and a HaloPSA sandbox with the same companies and devices, and the folder of their sync.

    `traps` are HaloPSA's; `devices` is the number of NinjaOne's devices, `assets` of HaloPSA's. `ninja` and
    `halo` are further arguments of the sandboxes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        devices: int = 12,
        assets: int = 12,
        traps: Mapping[str, str] | None = None,
        ninja: Mapping[str, Any] | None = None,
        **halo: Any,
    ) -> None:
        self.folder = folder
        self.ninja = Sandbox(devices=devices, **(ninja or {}))
        self.halo = HaloSandbox(assets=assets, traps=traps, **halo)

    def __enter__(self) -> Pair:
        self.ninja.__enter__()
        self.halo.__enter__()
        files = {"ninja": {"service": "ninjaone", **self.ninja.connection}, "halo": self.halo.connection}
        for name, connection in files.items():
            (self.folder / f"{name}.yaml").write_text(json.dumps(connection))
            (self.folder / f"{name}.yaml").chmod(0o600)
        self.map(clients={"take": "all"})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ninja.__exit__(kind, error, trace)
        self.halo.__exit__(kind, error, trace)

    def map(self, **parts: Any) -> None:
        """Write the mapping."""
        top = {"version": 1, "source": "ninja.yaml", "target": "halo.yaml"}
        (self.folder / "mapping.yaml").write_text(json.dumps({**top, **parts}, indent=1))

    def sides(self) -> tuple[ActionSource, ActionTarget]:
        """Return the source and the target."""
        return open_sides(load_mapping(self.folder / "mapping.yaml"), CATALOG, delay_ms=0)
