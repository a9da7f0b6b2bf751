"""The page that `ninjaone sync demo` writes: one file that needs neither a server nor a network."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from connector.sync.plan_file import load_plan
from connector.sync.plan_items import ENTITIES
from connector.web.render import STATIC, Renderer
from connector.web.syncs.alert_lines import WIDTH, make_alerts
from connector.web.syncs.folders import Sides, SideView, SyncFolder
from connector.web.syncs.plan_table import OPS, count_rows, item_row
from connector.web.tryout.targets import Place

STYLES = ("style.css", "runs.css", "sync.css")


@dataclass(frozen=True)
class Fact:
    """A number that was counted at the end of the demo, and the expected number."""

    name: str
    value: Any
    expected: Any

    @property
    def holds(self) -> bool:
        """Whether the number is as expected."""
        return bool(self.value == self.expected)


def write_demo_page(path: Path, folder: Path, plan_path: Path, facts: Sequence[Fact]) -> None:
    """Write a page with the first plan, the alerts and the facts of a sync. Raises RunError and OSError."""
    plan = load_plan(plan_path)
    sides = Sides(
        SideView(plan.source.title, Place(plan.source.key), {}),
        SideView(plan.target.title, Place(plan.target.key), {}),
    )
    html = Renderer(served=False).page(
        "sync_demo.html",
        "",
        style=Markup("\n".join((STATIC / name).read_text("utf-8") for name in STYLES)),  # noqa: S704
        plan=plan,
        counts=count_rows(plan),
        rows=[item_row(item) for item in plan.items()],
        sides=sides,
        alerts=make_alerts(SyncFolder(folder.name, folder), sides, "", 1, time.time()),
        facts=facts,
        entities=ENTITIES,
        ops=OPS,
        width=WIDTH,
    )
    path.write_text(html, encoding="utf-8")
