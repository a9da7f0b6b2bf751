"""How a vendor's document differs from the one that the catalog was made from, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from connector.authoring.openapi_facts import Facts, published_facts
from connector.authoring.openapi_names import KnownApi, with_known_names
from connector.authoring.openapi_references import Resolver
from connector.authoring.openapi_schemas import resource_name, resource_schemas
from connector.authoring.published_check import check_published
from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.common import json_text

_NAMED = ("properties", "parameters", "body")
_STEPS = {"properties": "", "items": "[]", "additionalProperties": "{}"}
"""How a keyword shows in the place of a change, where it is not itself what changed."""


@dataclass(frozen=True)
class Change:
    """One difference: `where` it is, what `was` there and what is there `now`; None is nothing."""

    where: str
    was: Any
    now: Any

    def __str__(self) -> str:
        if self.was is None:
            return f"{self.where}: added, {_short(self.now)}"
        if self.now is None:
            return f"{self.where}: removed, it was {_short(self.was)}"
        return f"{self.where}: {_short(self.was)} became {_short(self.now)}"


@dataclass(frozen=True)
class Drift:
    """All that differs. `missing` are published operations that no action declares.

    `changed` and `resources` hold the changes by operation and by resource; `actions` are the
    declarations that the new document contradicts.
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
        """Give all of it, for programs."""
        return asdict(self)


def find_drift(
    document: Mapping[str, Any], known: KnownApi, actions: list[Action], service: Service
) -> Drift:
    """Compare a document with what is known of the API and with the actions that are declared.

    Whether a document names its schemas or repeats them at each place makes no difference.
    """
    document = with_known_names(document, known)
    facts, now = known.operations, published_facts(document)
    declared = {action.operation for action in actions}
    requests = {(action.method, action.path) for action in actions if not action.published}
    problems = []
    for action in actions:
        before = set(check_published(action, service, facts))
        problems += [said for said in check_published(action, service, now) if said not in before]
    return Drift(
        missing=[
            _named(now, name)
            for name, known in now.items()
            if name not in declared and (known["method"], known["path"]) not in requests
        ],
        added=[_named(now, name) for name in now if name not in facts],
        removed=[_named(facts, name) for name in facts if name not in now],
        changed=_changed(facts, now),
        resources=_changed(*_comparable(known.resources, resource_schemas(document, service.name))),
        actions=problems,
    )


def _named(facts: Facts, name: str) -> str:
    return f"{name} ({facts[name]['method']} {facts[name]['path']})"


def _comparable(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Leave out what was corrected by hand (`x-corrected` lists its keywords), which differs for good."""

    def kept(schemas: Mapping[str, Any]) -> dict[str, Any]:
        # A resource that extends another is compared with all of its members.
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
    """Compare two JSON values, member by member; the order of values in a list is no difference.

    `named` says that the members' names are the vendor's, and no keywords of a schema.
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
        gone, come = [v for v in was if v not in now], [v for v in now if v not in was]
        if gone or come:
            yield Change(where, gone or None, come or None)
    elif was != now or type(was) is not type(now):
        yield Change(where, was, now)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json_text.dumps(value)
    return text if len(text) <= 120 else text[:117] + "..."
