"""Compare a vendor's OpenAPI document with the document on which the catalog is based."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from connector.authoring.openapi_facts import Facts, published_facts
from connector.authoring.openapi_names import KnownApi, with_known_names
from connector.authoring.openapi_references import Resolver
from connector.authoring.openapi_repair import repaired
from connector.authoring.openapi_schemas import resource_name, resource_schemas
from connector.authoring.published_check import check_published, operation_of
from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.common import json_text

_NAMED = ("properties", "parameters", "body")
_STEPS = {"properties": "", "items": "[]", "additionalProperties": "{}"}
"""The notation of JSON Schema keywords in the path of a change."""


@dataclass(frozen=True)
class Change:
    """One difference at the path `where`: the old value `was` and the new value `now`; None is no value."""

    where: str
    was: Any
    now: Any

    def __str__(self) -> str:
        if self.was is None:
            return f"{self.where}: added, {_short(self.now)}"
        if self.now is None:
            return f"{self.where}: removed, was {_short(self.was)}"
        return f"{self.where}: changed from {_short(self.was)} to {_short(self.now)}"


@dataclass(frozen=True)
class Drift:
    """All differences between two OpenAPI documents, and between the new one and the catalog.

    `missing` has the operations in the document that no action declares. `changed` and `resources` have the
    changes by operation and by resource. `actions` has the declarations that contradict the new document.
    """

    missing: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: dict[str, list[Change]] = field(default_factory=dict)
    resources: dict[str, list[Change]] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def described(self) -> dict[str, Any]:
        """Return all differences as a JSON object."""
        return asdict(self)


def find_drift(
    document: Mapping[str, Any], known: KnownApi, actions: list[Action], service: Service
) -> Drift:
    """Return the differences of an OpenAPI document from the known facts and the declared actions.

    Whether a document names its schemas or repeats them at each place makes no difference. If the known facts
    cover only a part of the API, operations outside that part are not reported.
    """
    document = with_known_names(repaired(document, service), known)
    facts, now = known.operations, published_facts(document)
    declared = used_operations(actions, now)
    beyond = now.keys() - facts if known.is_partial else set()
    requests = {(action.method, action.path) for action in actions if not action.published}
    problems = []
    for action in actions:
        before = set(check_published(action, service, facts))
        problems += [problem for problem in check_published(action, service, now) if problem not in before]
    return Drift(
        missing=[
            _named(now, name)
            for name, known in now.items()
            if name not in declared | beyond and (known["method"], known["path"]) not in requests
        ],
        added=[_named(now, name) for name in now if name not in facts and name not in beyond],
        removed=[_named(facts, name) for name in facts if name not in now],
        changed=_changed(facts, now),
        resources=_changed(*_comparable(known.resources, resource_schemas(document, service.name))),
        actions=problems,
    )


def used_operations(actions: list[Action], facts: Facts) -> set[str | None]:
    """Return the operationIds that actions declare, and those of the requests in their examples."""
    sent = {
        (sends["method"], sends["path"])
        for action in actions
        if action.handler
        for shown in action.examples
        for sends in shown.sends
    }
    return {action.operation for action in actions} | {operation_of(facts, *one) for one in sent}


def _named(facts: Facts, name: str) -> str:
    return f"{name} ({facts[name]['method']} {facts[name]['path']})"


def _comparable(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both sets of schemas without keywords that were corrected by hand (`x-corrected`)."""

    def kept(schemas: Mapping[str, Any]) -> dict[str, Any]:
        # Inherited properties of a resource are compared, too.
        resolver = Resolver(lambda reference: schemas.get(resource_name(reference), {}))
        return {
            name: {
                key: value for key, value in resolver.resolve(schemas[name]).items() if key not in left_out
            }
            for name, left_out in corrected.items()
            if name in schemas
        }

    corrected = {name: {"x-corrected", *schema.get("x-corrected", ())} for name, schema in was.items()}
    return kept(was), kept(now)


def _changed(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, list[Change]]:
    found = {name: list(differences(was[name], now[name])) for name in now if name in was}
    return {name: changes for name, changes in found.items() if changes}


def differences(was: Any, now: Any, where: str = "", *, named: bool = False) -> Iterator[Change]:
    """Yield the differences between two JSON values; the order of list items is ignored.

    `named` is true if the keys are names chosen by the vendor instead of JSON Schema keywords.
    """
    if isinstance(was, Mapping) and isinstance(now, Mapping) and named | (("$ref" in was) == ("$ref" in now)):
        for name in [*was, *(name for name in now if name not in was)]:
            if name not in was or name not in now:
                yield Change(f"{where}.{name}".lstrip("."), was.get(name), now.get(name))
            else:
                step = name if named else _STEPS.get(name, name)
                below = f"{where}.{step}".strip(".")
                inside = not named and name in _NAMED
                yield from differences(was[name], now[name], below, named=inside)
    elif isinstance(was, list) and isinstance(now, list):
        removed, added = [v for v in was if v not in now], [v for v in now if v not in was]
        if removed or added:
            yield Change(where, removed or None, added or None)
    elif was != now or type(was) is not type(now):
        yield Change(where, was, now)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json_text.dumps(value)
    return text if len(text) <= 120 else text[:117] + "..."
