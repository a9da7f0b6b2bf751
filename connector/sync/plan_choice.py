"""Restrict a plan to the records that the user has chosen."""

from __future__ import annotations

from connector.sync.plan import Plan
from connector.sync.plan_items import UNCHANGED, Counts
from connector.sync.run import Choice


def narrow(plan: Plan, choice: Choice) -> list[tuple[str, str]]:
    """Remove all other records from a plan; return the chosen keys (entity, source id) that it lacks.

    `Plan.stops` is not changed, because a stopped entity can be the reason for which a record is missing.
    """
    plan.spool.keep_chosen(choice.entities, choice.keys)
    chosen = set(plan.counts.of)
    if choice.entities is not None:
        chosen &= choice.entities
    if choice.keys is not None:
        chosen &= {entity for entity, _ in choice.keys}
    plan.limits = [limit for limit in plan.limits if limit.entity in chosen]
    if "asset" not in chosen:
        plan.fields.no_value.clear()
        plan.fields.errors.clear()
    before, plan.counts = plan.counts, Counts()
    if choice.keys is None:
        plan.counts.of.update({entity: before.of[entity] for entity in chosen})
        return []
    return _count(plan, {key for key in choice.keys if key[0] in chosen})


def _count(plan: Plan, keys: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Count the plan's records that have one of the keys; return the keys that the plan lacks."""
    for item in plan.items():
        plan.counts.add(item.entity, item.op)
        keys.discard((item.entity, str(item.source)))
    stopped = {stop.entity for stop in plan.stops}
    seen = {name: {str(id) for id in ids} for name, ids in plan.seen.items() if name not in stopped}
    seen["ticket"] = plan.alerts
    for entity, source in keys:
        if source in seen.get(entity, ()):
            plan.counts.add(entity, UNCHANGED)
    return sorted(key for key in keys if key[1] not in seen.get(key[0], ()))
