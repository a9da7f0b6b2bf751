"""The buttons of the plan page: make a new plan, apply it, or apply single items of it."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from connector.common.plurals import counted
from connector.errors import RunError
from connector.sync.plan_file import PlanFile, key_of
from connector.sync.plan_items import Item
from connector.web.consent import Question
from connector.web.responses import as_json, as_message, ask, once_of
from connector.web.route import Route
from connector.web.site import Site
from connector.web.sync_pages import chosen_plan, plan_notes, sync_of
from connector.web.syncs.folders import Sides, SyncFolder, sides_of
from connector.web.syncs.plan_table import UNDONE

MAX_ITEMS = 1000
"""The largest number of single items that are applied at once."""


def _make(site: Site, request: Request, name: str) -> Response:
    sync = sync_of(site, name)
    options = ["--full"] if request.form.get("full") else []
    site.sync_commands.start(sync, "plan", "", options, once_of(request))
    return _to_plan(sync)


def _apply(site: Site, request: Request, name: str) -> Response:
    sync = sync_of(site, name)
    plan = chosen_plan(sync, request.form.get("plan", ""))
    if plan is None:
        raise RunError("There is no plan: make one first.")
    beyond, beside = (bool(request.form.get(name)) for name in ("beyond", "beside"))
    sides = sides_of(sync, site.catalog)
    _require_applicable(sync, sides, plan, beyond=beyond, beside=beside)
    keys = request.form.getlist("item") if request.form.get("choice") == "ticked" else None
    items = _chosen(plan, keys)
    asked = _question(sides, items, some=keys is not None)
    if not asked.is_answered(request.form.get("confirmed")):
        return ask(site, asked)
    options = ["--plan", str(plan.path)]
    options += ["--beyond-limits"] if beyond else []
    options += ["--beside-halo"] if beside else []
    options += ["--item", *(key_of(item) for item in items)] if keys is not None else []
    site.sync_commands.start(sync, "apply", plan.name, options, once_of(request))
    return _to_plan(sync, plan)


def _require_applicable(
    sync: SyncFolder, sides: Sides, plan: PlanFile, *, beyond: bool, beside: bool
) -> None:
    """Raise RunError if a plan cannot be applied from this page."""
    for side in (sides.source, sides.target):
        if side.place.fault:
            raise RunError(side.place.fault)
    if sides.target.place.read_only:
        raise RunError(f"{sides.target.place.title} is read-only: a plan can be made, but not applied.")
    for note in plan_notes(sync, plan):
        raise RunError(note)
    if plan.writers and not beside:
        raise RunError(f"{plan.writers[0]}: turn it off, or tick “even beside it”.")
    if plan.limits and not beyond:
        raise RunError(f"{plan.limits[0].reason}. Tick “beyond the limits” to apply it anyway.")


def _chosen(plan: PlanFile, keys: list[str] | None) -> list[Item]:
    """Return the items to apply: all, or those with these keys. Raises RunError."""
    if keys is None:
        return [item for item in plan.items() if item.op not in UNDONE]
    if not keys:
        raise RunError("No items are ticked: tick the items to apply.")
    if len(keys) > MAX_ITEMS:
        raise RunError(f"At most {MAX_ITEMS:,} items can be ticked; apply the plan instead.")
    wanted = set(keys)
    items = [item for item in plan.items() if key_of(item) in wanted and item.op not in UNDONE]
    if len(items) < len(wanted):
        raise RunError("This plan does not have all of the ticked items: reload the page.")
    return items


def _question(sides: Sides, items: list[Item], *, some: bool) -> Question:
    writes = sum(item.is_write for item in items)
    what = f"{counted(len(items), 'ticked item')} of this plan" if some else "this plan"
    text = (
        f"Applying {what} sends {counted(writes, 'write')} to {sides.target.title}. "
        "Each record is read again first, and values that were changed since then are not overwritten."
    )
    title = f"Apply {what} to {sides.target.place.title}"
    return Question(title, text, writes, True, noun="write", yes="Apply")


def _stop(site: Site, request: Request, name: str) -> Response:
    sync = sync_of(site, name)
    site.sync_commands.stop(sync)
    return _to_plan(sync)


def _to_plan(sync: SyncFolder, plan: PlanFile | None = None) -> Response:
    query = f"?plan={plan.name}" if plan else ""
    return as_json({"location": f"/sync/{sync.url_name}/plan{query}"})


ROUTES = (
    Route("/sync/<name>/plan/make", as_message(_make), ("POST",)),
    Route("/sync/<name>/plan/apply", as_message(_apply), ("POST",)),
    Route("/sync/<name>/plan/stop", as_message(_stop), ("POST",)),
)
