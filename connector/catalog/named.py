"""The kinds of records that inputs give by name instead of by id, declared in `service.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from connector.catalog.declaration import Section
from connector.catalog.inputs import Input, Slot
from connector.common.json_text import Json
from connector.common.same_name import same_name


class Owner(NamedTuple):
    """The request for the record that a row is about, and the member of its response that is the owner's id.

    `path` has a placeholder for the value of the input.
    """

    path: str
    member: str


class NamedKind(NamedTuple):
    """A kind of record: the path of its list, and which members of an item are its names and its id.

    A name is the value of one member, or the values of several members, joined by spaces; the first name is
    displayed. `items` is the member of the response that is the list, if it is not paged. Texts that match
    `ids` are ids. With `separators`, a space, `-` and `_` are the same in a name. `words` maps names of
    older API versions to the current ones.

    `takes` describes what an input of this kind takes. `inputs` are the names of those inputs and members
    (`ACTION.INPUT` for one action); of these, `lists` are texts that contain several, separated by commas.
    `results` are further members of results that are ids of this kind, and `alias` is another name of it.
    `owned_by` is the kind that owns records of this kind: a name is unique for one owner, whose id is the
    member `owner` of an item. `owners` are inputs of records that belong to an owner, too.
    """

    name: str
    noun: str
    path: str
    names: tuple[str, ...]
    id: str
    ids: re.Pattern[str]
    inputs: tuple[str, ...]
    lists: tuple[str, ...]
    results: tuple[str, ...]
    alias: str
    items: str
    pager: str
    query: Mapping[str, Json]
    separators: bool
    words: str
    takes: str
    owned_by: str
    owner: str
    owners: Mapping[str, Owner]

    def names_of(self, item: Mapping[str, Json]) -> tuple[str, ...]:
        """Return the names of an item; the first one is displayed."""
        joined = (
            " ".join(str(part) for part in map(item.get, name.split()) if part not in (None, ""))
            for name in self.names
        )
        return tuple(dict.fromkeys(name for name in joined if name.strip()))

    def same(self, name: str) -> str:
        """Return the form of a name in which names are equal that differ only in case or white space."""
        return same_name(re.sub("[_-]", " ", name) if self.separators else name)


def read_named(top: Section) -> dict[str, NamedKind]:
    """Read the kinds of a service's declaration. Raises DeclarationError."""
    kinds = {name: _kind(name, part) for name, part in top.sections("named")}
    for name, kind in kinds.items():
        for key, given, known in (
            ("pager", kind.pager, top.value("pagers", dict, {})),
            ("owned_by", kind.owned_by, kinds),
            ("words", kind.words, top.value("words", dict, {})),
        ):
            if given and given not in known:
                raise top.fault(f'"{given}" is not declared', "named", name, key)
        if bool(kind.owned_by) != bool(kind.owner):
            raise top.fault('"owned_by" and "owner" must be given together', "named", name)
    return kinds


def _kind(name: str, part: Section) -> NamedKind:
    owners = {}
    for owner, how in part.sections("owners"):
        owners[owner] = Owner(how.text("path"), how.text("member"))
        how.finish()
    kind = NamedKind(
        name=name,
        noun=part.text("noun", name.replace("_", " ")),
        path=part.text("path"),
        names=part.texts("names") or ("name",),
        id=part.text("id", "id"),
        ids=part.pattern("ids") or re.compile("[0-9]+"),
        inputs=part.texts("inputs"),
        lists=part.texts("lists"),
        results=part.texts("results"),
        alias=part.text("alias", ""),
        items=part.text("items", ""),
        pager=part.text("pager", ""),
        query=part.mapping("query"),
        separators=part.value("separators", bool, False),
        words=part.text("words", ""),
        takes=part.text("takes", "an id or a unique name"),
        owned_by=part.text("owned_by", ""),
        owner=part.text("owner", ""),
        owners=owners,
    )
    part.finish()
    return kind


def with_names(action: str, given: Input, kinds: Mapping[str, NamedKind]) -> Input:
    """Return an input that takes names where its schema has the id of one of the kinds."""
    slots: list[Slot] = []
    schema = _Reader(action, kinds, slots).opened(given.schema, given.name, ())
    if not slots:
        return given
    slots = list(dict.fromkeys(slots))
    said = _said(slots, kinds)
    text = f"{given.description.rstrip()} {said}".strip() if given.description else said
    return replace(given, schema=schema, declared=given.schema, slots=tuple(slots), description=text)


def _said(slots: list[Slot], kinds: Mapping[str, NamedKind]) -> str:
    """Return the sentences about which names an input takes."""
    sentences = []
    for slot in slots:
        what = kinds[slot.kind].takes
        if slot.is_list:
            sentences.append(f"Several are separated by commas; each is {what}.")
        elif not slot.path:
            sentences.append(what[0].upper() + what[1:] + ".")
        else:
            member = slot.path[-1] if slot.path[-1] != "[]" else ""
            if not member and len(slot.path) > 1:
                member = slot.path[-2]
            sentences.append(f"Each {member}{' ' if member else 'item '}is {what}.")
    return " ".join(dict.fromkeys(sentences))


class _Reader(NamedTuple):
    """Reads the schemas of one action's inputs, and adds the places where names are accepted to `slots`."""

    action: str
    kinds: Mapping[str, NamedKind]
    slots: list[Slot]

    def kind(self, name: str) -> NamedKind | None:
        """Return the kind that the name of an input or member means in this action."""
        for wanted in (f"{self.action}.{name}", name):
            for kind in self.kinds.values():
                if wanted in kind.inputs:
                    return kind
        return None

    def opened(self, schema: Any, name: str, path: tuple[str, ...]) -> Any:
        """Return a schema that accepts names in place of ids, also in its members and items."""
        if not isinstance(schema, Mapping):
            return schema
        kind, types = self.kind(name), _types(schema)
        if kind and types & {"integer", "string"}:
            self.slots.append(self._slot(kind, name, schema, path))
            return _open(schema, kind)
        changed = dict(schema)
        if "items" in schema:
            changed["items"] = self.opened(schema["items"], name, (*path, "[]"))
        if "properties" in schema:
            changed["properties"] = {
                member: self.opened(inner, member, (*path, member))
                for member, inner in schema["properties"].items()
            }
        return changed

    def _slot(self, kind: NamedKind, name: str, schema: Mapping[str, Json], path: tuple[str, ...]) -> Slot:
        own = schema.get("pattern")
        return Slot(
            kind=kind.name,
            path=path,
            sends_text="integer" not in _types(schema),
            is_list=bool({name, f"{self.action}.{name}"} & set(kind.lists)),
            ids=re.compile(own) if isinstance(own, str) else kind.ids,
        )


def _open(schema: Mapping[str, Json], kind: NamedKind) -> dict[str, Json]:
    """Return the schema of an id or a name: restrictions on the text of an id do not apply to a name."""
    kept = {key: value for key, value in schema.items() if key not in ("pattern", "type")}
    if kept.get("format") == "uuid":
        del kept["format"]
    types = [name for name in ("integer", "string", "null") if name in _types(schema) | {"string"}]
    return {"type": types[0] if len(types) == 1 else types, **kept, "named": kind.name}


def _types(schema: Mapping[str, Json]) -> set[str]:
    types = schema.get("type", ())
    return {types} if isinstance(types, str) else set(types)
