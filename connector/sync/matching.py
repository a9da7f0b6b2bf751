"""Match source records with target records; an ambiguous match is a conflict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connector.common.same_name import same_name
from connector.sync.records import Asset, Client, Site, User


@dataclass(frozen=True, slots=True)
class Match:
    """The result of matching a record: a target and the method, conflicting candidates, or no match.

    A pin cannot choose the candidates in `unfit`. A conflict has the method "pin" or "map" if that is wrong.
    """

    target: int | None = None
    method: str = ""
    candidates: tuple[int, ...] = ()
    reason: str = ""
    names: tuple[str, ...] = ()
    """The names of the candidates; empty if unknown."""
    unfit: tuple[int, ...] = ()

    @property
    def is_conflict(self) -> bool:
        """Whether a user must decide between the candidates."""
        return self.target is None and bool(self.reason)


NOTHING = Match()


@dataclass(frozen=True)
class Named:
    """The clients of the target, or the sites of one client, indexed by name."""

    noun: str
    records: Mapping[int, Client | Site]
    owners: Mapping[int, int] = field(default_factory=dict)
    """Target record ids mapped to the source record to which a pin, map entry, link or stamp assigns them."""
    source_names: Mapping[str, int] = field(default_factory=dict)
    """The number of source records of each name."""

    def names_of(self, ids: Iterable[int]) -> tuple[str, ...]:
        """Return the names of records; empty text for a record that does not exist."""
        return tuple(self.records[id].name if id in self.records else "" for id in ids)

    def by_stamp(self, stamp: int) -> list[int]:
        """Return the ids of the active records whose stamp (the saved source id) is `stamp`."""
        return [r.id for r in self.records.values() if r.is_active and r.stamp == stamp]

    def by_name(self, name: str) -> list[int]:
        """Return the ids of the active records with a name."""
        return self._names.get(same_name(name), [])

    def __post_init__(self) -> None:
        names: dict[str, list[int]] = {}
        for record in self.records.values():
            if record.is_active:
                names.setdefault(same_name(record.name), []).append(record.id)
        object.__setattr__(self, "_names", names)

    _names: Mapping[str, list[int]] = field(init=False, repr=False, default_factory=dict)

    def match(
        self, source: int, name: str, pin: int | None, row: int | None, link: int | None, *, by_name: bool
    ) -> Match:
        """Return the match of a source record: by pin, map entry, link, stamp, or else by name."""
        for target, method in ((pin, "pin"), (row, "map")):
            if target is not None:
                return self._decided(target, method)
        if link is not None and link in self.records and self.records[link].is_active:
            return Match(link, "link")
        stamped = self.by_stamp(source)
        if stamped:
            return self._only(stamped, "stamp", f"{len(stamped)} {self.noun}s have the stamp {source}")
        if not by_name:
            return NOTHING
        named = self.by_name(name)
        if not named:
            return NOTHING
        if len(named) > 1:
            return Match(
                candidates=tuple(sorted(named)), reason=f'{len(named)} {self.noun}s are called "{name}"'
            )
        if self.source_names.get(same_name(name), 1) > 1:
            return Match(candidates=tuple(named), reason=f'"{name}" is the name of several source records')
        owner = self.owners.get(named[0], source)
        if owner != source:
            return Match(candidates=tuple(named), reason=f"{self.noun} {named[0]} already belongs to {owner}")
        return Match(named[0], "name")

    def _decided(self, target: int, method: str) -> Match:
        if target in self.records and self.records[target].is_active:
            return Match(target, method)
        problem = "is inactive" if target in self.records else "does not exist, or the agent cannot see it"
        reason = f"{self.noun} {target} in the {method} {problem}"
        return Match(method=method, candidates=(target,), reason=reason, unfit=(target,))

    @staticmethod
    def _only(found: Sequence[int], method: str, reason: str) -> Match:
        if len(found) == 1:
            return Match(found[0], method)
        return Match(candidates=tuple(sorted(found)), reason=reason)


def name_counts(names: Iterable[str]) -> Counter[str]:
    """Return the number of uses of each name, normalized for comparison."""
    return Counter(map(same_name, names))


def match_stamped(device: int, client: int, stamped: Sequence[Asset]) -> Match:
    """Return the match of a device with the assets that store its id."""
    here = [asset for asset in stamped if asset.client == client]
    ids = tuple(asset.id for asset in stamped)
    unfit = tuple(asset.id for asset in stamped if asset.client != client or not asset.is_active)
    if not stamped:
        return NOTHING
    if len(here) < len(stamped):
        others = ", ".join(str(a.client) for a in stamped if a.client != client)
        reason = f"the asset with the device's id is in another client ({others})"
        return Match(candidates=ids, reason=reason, unfit=unfit)
    if len(here) > 1:
        reason = f"{len(here)} assets have the id of device {device}"
        return Match(candidates=ids, reason=reason, unfit=unfit)
    if not here[0].is_active:
        reason = f"asset {here[0].id} has the device's id, and is inactive"
        return Match(candidates=ids, reason=reason, unfit=unfit)
    return Match(here[0].id, "stamp")


def match_value(
    device: int,
    what: str,
    method: str,
    devices: int,
    found: Sequence[Asset],
    owner: Callable[[Asset], int | None],
) -> Match:
    """Return the match of a device by a value; several devices or assets with the value are a conflict.

    `devices` is how many devices of the client have the value; `owner` returns the device that an asset
    belongs to.
    """
    if not found:
        return NOTHING
    ids = tuple(asset.id for asset in found)
    if devices > 1:
        return Match(candidates=ids, reason=f"{devices} devices have {what}")
    if len(found) > 1:
        return Match(candidates=ids, reason=f"{len(found)} assets have {what}: {', '.join(map(str, ids))}")
    other = owner(found[0])
    if other is not None and other != device:
        return Match(candidates=ids, reason=f"asset {ids[0]} with {what} belongs to device {other}")
    return Match(ids[0], method)


class UserIndex:
    """The active users of a client, indexed by the user fields to match."""

    def __init__(self, users: Iterable[User], members: Sequence[str]) -> None:
        self._members = members
        self._found: dict[tuple[str, str], int] = {}
        for user in users:
            if user.is_active:
                for member in members:
                    value = same_name(user.values.get(member, "") or "")
                    if value:
                        key = (member, value)
                        self._found[key] = 0 if self._found.get(key, user.id) != user.id else user.id

    def match(self, value: str) -> int | None:
        """Return the only user with this value, or with its part after the last backslash; else None."""
        for text in dict.fromkeys((value, value.rpartition("\\")[2])):
            for member in self._members:
                found = self._found.get((member, same_name(text)))
                if found is not None:
                    return found or None
        return None
