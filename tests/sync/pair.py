"""Both sandboxes with a sync's folder, for tests over HTTP."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from connector.catalog.catalog import Catalog
from connector.cli.main import main
from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.ninjaone.server import Sandbox
from connector.sync.mapping_file import load_mapping
from connector.sync.sides import ActionSource, ActionTarget, open_sides

CATALOG = Catalog()


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON on standard output."""
        return json.loads(self.out)


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
        self.halo = HaloSandbox(assets=assets, traps={"rate_limit": "none", **(traps or {})}, **halo)

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

    def map_text(self, text: str) -> None:
        """Write the rest of the mapping as text."""
        head = "version: 1\nsource: ninja.yaml\ntarget: halo.yaml\n"
        (self.folder / "mapping.yaml").write_text(head + text)

    def sync(self, command: str, *arguments: object, sends: bool = True) -> Done:
        """Run a command of `ninjaone sync` on the folder, in this process."""
        fast = ("--delay-ms", "0") if sends else ()
        return self.sync_words(command, self.folder, *arguments, *fast)

    def sync_words(self, *arguments: object) -> Done:
        """Run `ninjaone sync` with these words, in this process."""
        out, err = io.StringIO(), io.StringIO()
        words = ["sync", *map(str, arguments)]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(words)
            except SystemExit as exit:
                code = int(exit.code or 0)
        return Done(code, out.getvalue(), err.getvalue())

    def run(self, *arguments: object) -> Done:
        """Do one run, which must succeed."""
        done = self.sync("run", *arguments)
        assert done.code == 0, done
        return done

    def plan(self, *arguments: object) -> dict[tuple[str, Any], Any]:
        """Return the items of a plan by entity and source."""
        done = self.sync("plan", "--json", *arguments)
        assert done.code == 0, done
        return {(item["entity"], item["ninja"]): item for item in done.json["items"]}

    def writes(self, since: int = 0) -> list[Mapping[str, Any]]:
        """Return the requests that changed something in HaloPSA."""
        return [r for r in self.halo.log.requests()[since:] if r["method"] != "GET"]

    def asset_of(self, device: int) -> int:
        """Return the asset that a device is linked to."""
        links = self.sync("status", "--json", "--links", sends=False).json["links"]
        (found,) = [x["target"] for x in links if (x["entity"], x["source"]) == ("asset", device)]
        return int(found)

    def asset(self, id: int) -> dict[Any, Any]:
        """Return an asset's members, and its fields by number and custom fields by name."""
        assets = self.halo.state.assets
        changes = assets.changes(id)
        more = {"users": changes.users or [], "software": changes.software or []}
        return {**assets.values(id), **assets.fields(id), **(changes.custom or {}), **more}

    def sides(self) -> tuple[ActionSource, ActionTarget]:
        """Return the source and the target."""
        return open_sides(load_mapping(self.folder / "mapping.yaml"), CATALOG, delay_ms=0)
