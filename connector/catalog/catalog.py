"""The catalog: finds, loads and searches the actions of all services, and a user's custom actions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from connector.catalog.action import EFFECTS, Action, load_action
from connector.catalog.service import Service, load_service
from connector.common import strict_yaml
from connector.common.package_data import actions_folder
from connector.errors import DeclarationError, RunError, file_errors, nearest


@dataclass(frozen=True)
class Heading:
    """The entry of an action in a list. The names are those of `Action`."""

    name: str
    title: str
    area: str
    effect: str


class Catalog:
    """All actions below one folder (`service/area/action.yaml`). Each action is read separately.

    A user's `own` folder with the same layout adds actions to the existing services: it can neither replace
    actions nor declare services. Its Python handlers are loaded only if `allow_handlers` is set.
    """

    def __init__(
        self, folder: Path | None = None, own: Path | None = None, *, allow_handlers: bool = False
    ) -> None:
        self.folder = folder or actions_folder()
        self._own, self._allow_handlers = own, allow_handlers
        self._services: dict[str, Service] = {}

    @cached_property
    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        own = own_declarations(self._own, self.services) if self._own else []
        for path in (*sorted(self.folder.glob("*/*/*.yaml")), *own):
            if path.stem in found:
                raise DeclarationError(f"{path} and {found[path.stem]}: two actions have the same name")
            found[path.stem] = path
        return found

    @property
    def names(self) -> list[str]:
        """The names of all actions, sorted."""
        return sorted(self._files)

    @cached_property
    def services(self) -> list[str]:
        """The names of all services."""
        return sorted(path.parent.name for path in self.folder.glob("*/service.yaml"))

    def service(self, name: str) -> Service:
        """Load a service, once. Raises RunError for an unknown one."""
        if name not in self.services:
            raise RunError(f'no service "{name}"{nearest(name, self.services)}')
        if name not in self._services:
            self._services[name] = load_service(self.folder / name / "service.yaml")
        return self._services[name]

    def action(self, name: str) -> Action:
        """Load one action. Raises RunError for an unknown one, with the nearest name.

        Raises DeclarationError for a custom action with Python code that is not allowed.
        """
        action = self._load(name)
        is_own = self._own is not None and action.file.is_relative_to(self._own)
        if is_own and action.handler and not self._allow_handlers:
            raise DeclarationError(
                f"{action.handler}: the Python code of custom actions runs only with --allow-handlers"
            )
        return action

    def _load(self, name: str) -> Action:
        path = self._files.get(name)
        if path is None:
            hint = "" if self._own else "; custom actions need --actions DIR"
            raise RunError(
                f'no action "{name}"{nearest(name, self._files)}; `ninjaone actions` lists them{hint}'
            )
        service = self.service(path.parent.parent.name)
        return load_action(path, service.inputs, service.filters)

    def actions(self) -> Iterator[Action]:
        """Load every action, by area and name."""
        for path in self._files.values():
            yield self._load(path.stem)

    def headings(self) -> list[Heading]:
        """Return the entries of all actions, by area and name, in a tenth of the time of loading them.

        Only the head of each file is read; errors below it are reported when the action is loaded. Raises
        DeclarationError for a wrong head.
        """
        return [self._heading(path) for path in self._files.values()]

    def _heading(self, path: Path) -> Heading:
        head = strict_yaml.head(path)
        if head.get("name") == path.stem and head.get("title") and head.get("effect") in EFFECTS:
            return Heading(path.stem, head["title"], path.parent.name, head["effect"])
        action = self._load(path.stem)  # its keys are in another order, or it is wrong, and this reports how
        return Heading(action.name, action.title, action.area, action.effect)

    def search(self, words: list[str]) -> list[Action]:
        """Return the actions that have every word in their name, title, summary, area, inputs or path."""
        wanted = [word.lower() for word in words]
        return [a for a in self.actions() if all(word in _searchable(a) for word in wanted)]


def own_declarations(folder: Path, services: Sequence[str]) -> list[Path]:
    """Return the declarations below a user's folder, without hidden files and folders such as `.git`.

    Raises DeclarationError for one that is not allowed there.
    """
    with file_errors(folder):
        is_folder = folder.is_dir()
    if not is_folder:
        raise DeclarationError(f"{folder}: no such folder")
    found = []
    # With both patterns: whether the second one follows links to folders depends on Python's version.
    for path in sorted({*folder.glob("*/*/*.yaml"), *folder.rglob("*.yaml"), *folder.rglob("*.yml")}):
        inside = path.relative_to(folder).parts
        if any(part.startswith(".") for part in inside):
            continue
        if path.name == "service.yaml":
            raise DeclarationError(f"{path}: a folder of custom actions cannot declare a service")
        if len(inside) != 3 or path.suffix != ".yaml" or inside[0] not in services:
            raise DeclarationError(
                f"{path}: a declaration must be at SERVICE/AREA/NAME.yaml below {folder}; the services are "
                f"{', '.join(services)}"
            )
        for file in (path, path.with_suffix(".py")):
            if not file.resolve().is_relative_to(folder.resolve()):
                raise DeclarationError(f"{file}: it is a link to a path outside {folder}")
        found.append(path)
    return found


def _searchable(action: Action) -> str:
    inputs = (f"{i.name} {i.title}" for i in action.inputs.values())
    texts = (action.name, action.title, action.summary, action.area, action.path, action.operation, *inputs)
    return " ".join(texts).lower()
