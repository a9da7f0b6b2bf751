"""The catalog: finds, loads and searches the actions of all services, and a user's custom actions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from connector.catalog.action import EFFECTS, Action, load_action
from connector.catalog.input_schema import input_schema
from connector.catalog.service import Service, load_service, prefix_of
from connector.common import strict_yaml
from connector.common.json_text import Json
from connector.common.package_data import actions_folder
from connector.errors import DeclarationError, RunError, nearest

_BRITISH = (
    r"(?<=[a-z][a-z][iy])(?P<z>s)(?=(?:e[drs]?|ers|ing|ations?|able)\b)"  # -ise, -yse
    r"|(?<=[a-z][a-z]o)(?P<nothing>u)(?=r(?:s|ed|ing|ful)?\b)"  # -our
    r"|(?<=log)(?P<end>[u]e)(?=s?\b)"  # -log
    r"|(?<=[a-z][a-z]t)(?P<er>re)(?=s?\b)"  # -tre
    r"|(?<=[a-z][a-z]en)(?P<s>c)(?=e[ds]?\b)"  # -ence
    r"|(?<=[a-z][a-z][aeo]l)(?P<l>l)(?=(?:ed|ing|er)\b)"  # -lled
)
"""The letters in which British spelling differs; the name of each group says what replaces them."""
_ENDING = r"(?<=[a-z][a-z][iy]z)(?:e[drs]?|ers|ing|ations?)$"
_AMERICAN = {"z": "z", "er": "er", "s": "s"}


class Heading(NamedTuple):
    """The entry of an action in a list. The fields are named as in `Action`."""

    name: str
    title: str
    area: str
    effect: str


class Catalog:
    """All actions below one folder (`service/area/action.yaml`). Each action is read separately.

    An action's name is that of its file; a service with `names: qualified` adds its own name before it, as
    in `acme.list_things`. A user's `own` folder with the same layout adds actions and services; it cannot
    replace any. Its Python handlers are loaded only if `allow_handlers` is set.
    """

    def __init__(
        self, folder: Path | None = None, own: Path | None = None, *, allow_handlers: bool = False
    ) -> None:
        self.folder = folder or actions_folder()
        self._own, self._allow_handlers = own, allow_handlers
        self._services: dict[str, Service] = {}
        self._prefixes: dict[str, str] = {}

    @cached_property
    def _service_files(self) -> dict[str, Path]:
        """The `service.yaml` of each service, keyed by the service's name."""
        found = {path.parent.name: path for path in sorted(self.folder.glob("*/service.yaml"))}
        if self._own:
            from connector.catalog.own_actions import own_services  # imported only if there are any

            found |= own_services(self._own, found)
        return found

    @cached_property
    def _files(self) -> dict[tuple[str, str], str]:
        """The file of each action's declaration, by service and by the action's name in this service.

        The paths are strings, because most calls use only one of several hundred files.
        """
        found: dict[tuple[str, str], str] = {}
        own: list[Path] = []
        if self._own:
            from connector.catalog.own_actions import own_declarations  # imported only if there are any

            own = own_declarations(self._own, self.services)
        for path in (*_declarations(self.folder), *map(str, own)):
            service, _, name = path.split(os.sep)[-3:]
            key = (service, name.removesuffix(".yaml"))
            if key in found:
                raise _same_name(path, found[key])
            found[key] = path
        return found

    @cached_property
    def _by_name(self) -> dict[str, Path]:
        """The file of each action's declaration, by name: names without a prefix first."""
        found: dict[str, Path] = {}
        for (service, stem), path in sorted(self._files.items(), key=lambda at: bool(self._prefix(at[0][0]))):
            name = self._prefix(service) + stem
            if name in found:
                raise _same_name(path, found[name])
            found[name] = Path(path)
        return found

    def _prefix(self, service: str) -> str:
        """Return the prefix of the names of a service's actions.

        Only the first lines of the service's file are read, unless the service is already loaded.
        """
        if service not in self._prefixes:
            loaded, file = self._services.get(service), self._service_files.get(service)
            head = {} if loaded or not file else strict_yaml.head(file)
            self._prefixes[service] = loaded.prefix if loaded else prefix_of(service, head.get("names"))
        return self._prefixes[service]

    @property
    def names(self) -> list[str]:
        """The names of all actions, sorted."""
        return self.names_of()

    def names_of(self, service: str = "") -> list[str]:
        """Return the names of one service's actions, or all of them, sorted."""
        return sorted(n for n, path in self._by_name.items() if service in ("", path.parent.parent.name))

    @property
    def services(self) -> list[str]:
        """The names of all services; the one whose actions need no prefix comes first."""
        return sorted(self._service_files, key=lambda name: (bool(self._prefix(name)), name))

    @property
    def default_service(self) -> str:
        """The default service of commands: the one whose actions have names without a prefix."""
        bare = [name for name in self.services if not self._prefix(name)]
        if len(bare or self.services) != 1:
            raise RunError(f"use --service NAME; the services are {', '.join(self.services)}")
        return (bare or self.services)[0]

    def service(self, name: str = "") -> Service:
        """Return a service, loaded once; without a name, the default service.

        Raises RunError if there is none.
        """
        name = name or self.default_service
        if name not in self._services:
            path = self.service_file(name)
            service = load_service(path)
            if self._own and path.is_relative_to(self._own):
                from connector.catalog.own_actions import check_own_service

                check_own_service(service, path)
            self._services[name] = service
        return self._services[name]

    def all_services(self) -> Iterator[Service]:
        """Yield every service; services whose actions have no prefix come first."""
        return map(self.service, self.services)

    def service_file(self, name: str) -> Path:
        """Return the file of a service's declaration. Raises RunError if there is no such service."""
        if name not in self._service_files:
            raise RunError(f'no service "{name}"{nearest(name, self.services)}{self._own_hint("services")}')
        return self._service_files[name]

    def action(self, name: str) -> Action:
        """Load one action. Raises RunError, with the most similar name, if there is no such action.

        Raises DeclarationError for a custom action with Python code that is not allowed.
        """
        action = self._load(self._find(name))
        is_own = self._own is not None and action.file.is_relative_to(self._own)
        if is_own and action.handler and not self._allow_handlers:
            raise DeclarationError(
                f"{action.handler}: the Python code of custom actions runs only with --allow-handlers"
            )
        return action

    def describe(self, name: str, *, names: bool = False) -> dict[str, Json]:
        """Return one JSON Schema of an action's inputs, for an object of values by input name.

        Inputs that take an id or a name are integers, or with `names` strings. Raises errors as `action`.
        """
        return input_schema(self.action(name), names=names)

    def _find(self, name: str) -> Path:
        """Return the file of an action's declaration. Only services that may have the action are read."""
        service, dot, stem = name.rpartition(".")
        having = [key for key in self._files if key[1] == stem and (not dot or key[0] == service)]
        if len(having) == 1 and having[0][0] in self._service_files:
            self.service(having[0][0])
        found = [self._files[key] for key in having if self._prefix(key[0]) + stem == name]
        if len(found) > 1:
            raise _same_name(*found[:2])
        if not found:
            raise RunError(self._unknown(name))
        return Path(found[0])

    def _unknown(self, name: str) -> str:
        """Return the error message for an unknown action, with a similar name."""
        hint = self._own_hint("actions")
        return f'no action "{name}"{self._nearest(name)}; `ninjaone actions` lists them{hint}'

    def _own_hint(self, what: str) -> str:
        return "" if self._own else f"; custom {what} require --actions DIR"

    def _nearest(self, name: str) -> str:
        """Return ` (did you mean ...?)` with the most similar name, also of another service's action."""
        stem = name.rpartition(".")[2]
        same = [other for other in self._by_name if other.rpartition(".")[2] == stem]
        return nearest(name, same, cutoff=0) or nearest(name, self._by_name)

    def _load(self, path: Path) -> Action:
        service = self.service(path.parent.parent.name)
        return load_action(path, service.inputs, service.filters, service.prefix, service.named)

    def actions(self, service: str = "") -> Iterator[Action]:
        """Load every action, or those of one service, by area and name."""
        for path in self._by_name.values():
            if service in ("", path.parent.parent.name):
                yield self._load(path)

    def headings(self, service: str = "") -> list[Heading]:
        """Return the entries of all actions, by area and name, ten times faster than by loading the actions.

        Only the first lines of each file are read; errors after them are reported when the action is loaded.
        Raises DeclarationError for an error in these lines.
        """
        return [
            self._heading(name, path)
            for name, path in self._by_name.items()
            if service in ("", path.parent.parent.name)
        ]

    def _heading(self, name: str, path: Path) -> Heading:
        head = strict_yaml.head(path)
        if head.get("name") == path.stem and head.get("title") and head.get("effect") in EFFECTS:
            return Heading(name, head["title"], path.parent.name, head["effect"])
        action = self._load(path)  # if the keys are in another order, or to report an error
        return Heading(action.name, action.title, action.area, action.effect)

    def search(self, words: list[str], service: str = "") -> list[Action]:
        """Return the actions that have every word in their name, title, summary, area, inputs or path.

        British spelling and other forms of verbs in -ize are accepted. Actions in whose texts every word
        begins a word come first.
        """
        return search_actions(self.actions(service), words)


def search_actions(actions: Iterable[Action], words: list[str]) -> list[Action]:
    """Return those of the actions that have every word, as `Catalog.search` does."""
    wanted = [{word.lower(), re.sub(_ENDING, "", american(word.lower()))} for word in words]
    texts = [(action, _searchable(action)) for action in actions]
    found = [
        (action, text)
        for action, text in texts
        if all(any(form in text for form in forms) for forms in wanted)
    ]
    return [action for action, text in sorted(found, key=lambda one: not _begin_words(wanted, one[1]))]


def american(word: str) -> str:
    """Return a word in lower case in American spelling. Other words can be changed, too."""
    return re.sub(_BRITISH, lambda found: _AMERICAN.get(str(found.lastgroup), ""), word)


def _begin_words(wanted: list[set[str]], text: str) -> bool:
    """Return whether each of the wanted words, in one of its forms, is the beginning of a word."""
    return all(re.search(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, forms))})", text) for forms in wanted)


def _declarations(folder: Path) -> Iterator[str]:
    """Yield the files SERVICE/AREA/NAME.yaml below a folder, sorted by service, area and name."""
    for service in _subfolders(str(folder)):
        for area in _subfolders(service):
            for name in sorted(os.listdir(area)):
                if name.endswith(".yaml"):
                    yield os.path.join(area, name)


def _subfolders(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.path for entry in entries if entry.is_dir())


def _same_name(path: str | Path, other: str | Path) -> DeclarationError:
    return DeclarationError(f"{path} and {other}: two actions have the same name")


def _searchable(action: Action) -> str:
    inputs = (f"{i.name} {i.title}" for i in action.inputs.values())
    texts = (action.name, action.title, action.summary, action.area, action.path, action.operation, *inputs)
    return " ".join(texts).lower()
