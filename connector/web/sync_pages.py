"""The pages of a sync: overview, plan, and alerts."""

from __future__ import annotations

import time
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from connector.errors import ConnectorError, RunError
from connector.sync.plan_file import PlanFile, load_plan, plan_paths
from connector.sync.plan_items import ENTITIES
from connector.sync.state_reports import later_run
from connector.web.route import Route
from connector.web.runs.run_view import clock_text
from connector.web.site import Site
from connector.web.syncs.alert_lines import GROUPS, WIDTH, AlertList, make_alerts
from connector.web.syncs.folders import SyncFolder, sides_of
from connector.web.syncs.overview import make_overview
from connector.web.syncs.plan_table import OPS, Filter, count_rows, make_table


def sync_of(site: Site, name: str) -> SyncFolder:
    """Return the sync with this name. Raises NotFound."""
    if name not in site.syncs:
        raise NotFound
    return site.syncs[name]


def show(site: Site, sync: SyncFolder, tab: str, root: str = "../../", **values: Any) -> Response:
    """Return the page `tab` of a sync. All pages of a sync have the data of both sides."""
    sides = values.pop("sides", None) or sides_of(sync, site.catalog)
    return site.page(f"sync_{tab}.html", root, sync=sync, sides=sides, tab=tab, **values)


def _overview(site: Site, request: Request, name: str) -> Response:
    sync = sync_of(site, name)
    overview, fault = None, ""
    try:
        overview = make_overview(sync)
    except RunError as error:
        fault = str(error)
    return show(site, sync, "overview", "../", overview=overview, fault=fault)


def chosen_plan(sync: SyncFolder, name: str) -> PlanFile | None:
    """Return the plan with this name, or the newest; None if there is none. Raises NotFound, RunError."""
    paths = plan_paths(sync.path)
    if name:
        paths = [path for path in paths if path.stem == name]
        if not paths:
            raise NotFound
    return load_plan(paths[0]) if paths else None


def _plan(site: Site, request: Request, name: str) -> Response:
    sync, given = sync_of(site, name), request.args
    shown = Filter(given.get("entity", ""), given.get("op", ""), given.get("q", "").strip())
    plan, table, later, fault = None, None, None, ""
    try:
        plan = chosen_plan(sync, given.get("plan", ""))
        table = make_table(plan, shown, max(1, given.get("page", 1, int))) if plan else None
        with sync.state() as state:
            later = later_run(state, plan.made) if plan else None
    except RunError as error:
        fault = str(error)
    return show(
        site,
        sync,
        "plan",
        plan=plan,
        table=table,
        fault=fault,
        shown=shown,
        plans=[path.stem for path in plan_paths(sync.path)],
        made=clock_text(plan.made) if plan else "",
        later=clock_text(later) if later else "",
        notes=plan_notes(sync, plan) if plan else [],
        counts=count_rows(plan) if plan else [],
        command=site.sync_commands.last(sync, "plan", "apply"),
        entities=ENTITIES,
        ops=OPS,
    )


def plan_notes(sync: SyncFolder, plan: PlanFile) -> list[str]:
    """Return the reasons why a plan cannot be applied; an empty list if it can."""
    notes = []
    if plan.is_expired(time.time()):
        notes.append("This plan is older than a day and can no longer be applied: make a new one.")
    try:
        if sync.mapping().digest != plan.mapping:
            notes.append("The mapping has changed since this plan was made: make a new one.")
    except ConnectorError as error:
        notes.append(str(error))
    return notes


def _alerts(site: Site, request: Request, name: str) -> Response:
    sync, group = sync_of(site, name), request.args.get("state", "")
    if group not in GROUPS:
        raise NotFound
    page = max(1, request.args.get("page", 1, int))
    sides = sides_of(sync, site.catalog)
    alerts, fault = AlertList(), ""
    try:
        alerts = make_alerts(sync, sides, group, page, time.time())
    except ConnectorError as error:
        fault = str(error)
    return show(
        site, sync, "alerts", sides=sides, alerts=alerts, group=group, page=page, width=WIDTH, fault=fault
    )


ROUTES = (
    Route("/sync/<name>", _overview),
    Route("/sync/<name>/plan", _plan),
    Route("/sync/<name>/alerts", _alerts),
)
